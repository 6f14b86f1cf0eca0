"""IPNS keys in a home: made, taken out and in, and for their owner only."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    HomeUnusable,
    Invalid,
    NotAuthorised,
    UnsupportedContent,
)
from ipfs_accel_cli.services.store.store import Store

VECTORS = Path(__file__).parents[3] / "vectors" / "ipns"


@pytest.mark.parametrize("form", ["pem", "libp2p-protobuf-cleartext"])
def test_a_key_leaves_and_comes_back_as_the_same(store: Store, tmp_path: Path, form: str) -> None:
    made = store.names.keys.new("site")
    out = tmp_path / "site.key"
    store.names.keys.export("site", out, form)
    assert out.stat().st_mode & 0o777 == 0o600
    store.names.keys.remove("site")
    assert store.names.keys.list().keys == []
    assert store.names.keys.take("again", out).name == made.name


def test_a_key_is_never_overwritten_and_is_for_its_owner_only(store: Store, home: Path, tmp_path: Path) -> None:
    made = store.names.keys.new("site")
    path = home / "keys" / "ipns" / "site"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    store.names.keys.export("site", tmp_path / "out.pem")
    for again in (lambda: store.names.keys.new("site"), lambda: store.names.keys.take("site", tmp_path / "out.pem")):
        with pytest.raises(Conflict):
            again()
    (tmp_path / "taken.pem").write_text("mine")
    with pytest.raises(Conflict):
        store.names.keys.export("site", tmp_path / "taken.pem")
    assert (tmp_path / "taken.pem").read_text() == "mine"
    assert store.names.keys.list().keys == [made]
    path.chmod(0o644)
    with pytest.raises(HomeUnusable, match="other users"):
        store.names.keys.list()


@pytest.mark.parametrize(
    "name", ["", ".hidden", "a/b", "..", "a b", "x" * 65, "12D3KooWLQzUv2FHWGVPXTXSZpdHs7oHbXub2G5WC8Tx4NQhyd2d"]
)
def test_a_key_cannot_be_called_anything(store: Store, name: str) -> None:
    with pytest.raises(Invalid):
        store.names.keys.new(name)


def test_what_is_no_key_is_not_taken_in(store: Store, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    curve = ec.generate_private_key(ec.SECP256R1())
    pem = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for data, error in ((b"", Invalid), (b"-----BEGIN nonsense", Invalid), (pem, UnsupportedContent)):
        (tmp_path / "file").write_bytes(data)
        with pytest.raises(error):
            store.names.keys.take("site", tmp_path / "file")


def test_nobody_but_the_owner_uses_the_keys(store: Store, tmp_path: Path) -> None:
    store.names.keys.new("site")
    with using(Call(folders=(tmp_path,))):
        for call in (
            lambda: store.names.publish("site", "bafkqaaa"),
            lambda: store.names.keys.export("site", tmp_path / "key"),
            lambda: store.names.keys.remove("site"),
            lambda: store.names.keys.take("more", tmp_path / "key"),
        ):
            with pytest.raises(NotAuthorised):
                call()
        assert len(store.names.keys.list().keys) == 1
