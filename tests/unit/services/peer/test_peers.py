"""A node has one identity, kept private and made once."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ipfs_accel_cli.core.errors import HomeUnusable, VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.peer.peers import Peers

SHOW = "import sys; from ipfs_accel_cli.core.paths import Home; from ipfs_accel_cli.services.peer.peers import Peers"
IDENTITY = f"{SHOW}; found = Peers(Home.locate(sys.argv[1])).identity(); print(found.peer_id, found.created)"

# Dies by SIGKILL at the n-th durable step, as a machine does that loses its power.
DYING = """
import os, signal, sys
left = int(sys.argv[2])
def dying(step):
    def counted(*args, **kwargs):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **kwargs)
    return counted
for name in ("fsync", "replace", "fchmod"):
    setattr(os, name, dying(getattr(os, name)))
"""


def key_file(folder: Path) -> Path:
    return folder / "keys" / "node.pem"


def refused(folder: Path) -> HomeUnusable:
    with pytest.raises(HomeUnusable) as caught:
        Peers(Home(folder)).identity()
    return caught.value


def test_the_key_is_made_once_and_the_identity_stays(home: Path) -> None:
    first, second = Peers(Home(home)).identity(), Peers(Home(home)).identity()
    assert (first.created, second.created) == (True, False)
    assert first.peer_id == second.peer_id
    assert first.peer_id.startswith("12D3KooW")
    assert first.cid.startswith("k51")
    assert first.public_key.startswith("z6Mk")


def test_the_key_is_readable_by_its_owner_only(home: Path) -> None:
    Peers(Home(home)).identity()
    assert stat.S_IMODE(key_file(home).stat().st_mode) == 0o600
    assert stat.S_IMODE(key_file(home).parent.stat().st_mode) == 0o700


def test_processes_that_start_at_once_share_one_identity(tmp_path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", IDENTITY, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=120)[0].split() for process in running]
    assert len({peer_id for peer_id, _ in answers}) == 1
    assert sorted(created for _, created in answers) == ["False", "False", "False", "True"]


def test_threads_that_start_at_once_share_one_identity(home: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: Peers(Home(home)).identity(), range(8)))
    assert len({identity.peer_id for identity in found}) == 1
    assert sum(identity.created for identity in found) == 1


def test_a_process_that_dies_while_making_the_key_leaves_all_of_it_or_none(tmp_path: Path) -> None:
    for step in range(1, 20):
        home = tmp_path / str(step)
        child = subprocess.run([sys.executable, "-c", f"{DYING}\n{IDENTITY}", str(home), str(step)], check=False)
        had_key = key_file(home).exists()
        after = Peers(Home(home)).identity()
        assert after.created is not had_key
        if child.returncode == 0:
            break
        assert child.returncode == -signal.SIGKILL
    assert step == 6


def test_a_key_that_others_can_read_is_refused_with_the_line_that_mends_it(home: Path) -> None:
    Peers(Home(home)).identity()
    key_file(home).chmod(0o644)
    assert refused(home).suggestion == f"chmod 600 {key_file(home)}"
    key_file(home).chmod(0o600)
    key_file(home).parent.chmod(0o750)
    assert refused(home).suggestion == f"chmod 700 {key_file(home).parent}"


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n", b"\xff" * 40, bytes(1 << 20)])
def test_a_damaged_key_is_named_and_left_alone(home: Path, content: bytes) -> None:
    Peers(Home(home)).identity()
    key_file(home).write_bytes(content)
    assert str(key_file(home)) in refused(home).detail
    assert key_file(home).read_bytes() == content


def test_a_key_of_another_kind_is_refused(home: Path) -> None:
    Peers(Home(home)).identity()
    other = generate_private_key(SECP256R1())
    key_file(home).write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert "not an unencrypted Ed25519" in refused(home).detail


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    assert str(tmp_path / "home") in refused(tmp_path / "home").detail


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_home_keeps_its_identity(home: Path) -> None:
    first = Peers(Home(home)).identity()
    home.chmod(0o500)
    try:
        assert Peers(Home(home)).identity().peer_id == first.peer_id
    finally:
        home.chmod(0o700)


def test_a_signature_is_checked_with_the_peer_id_alone(tmp_path: Path) -> None:
    ours, theirs = Peers(Home(tmp_path / "ours")), Peers(Home(tmp_path / "theirs"))
    signature = ours.sign(b"a statement")
    assert len(signature) == 64
    theirs.verify(ours.identity().peer_id, signature, b"a statement")
    theirs.verify(ours.identity().cid, signature, b"a statement")


def test_a_false_signature_fails_verification(tmp_path: Path) -> None:
    ours, theirs = Peers(Home(tmp_path / "ours")), Peers(Home(tmp_path / "theirs"))
    peer_id, signature = ours.identity().peer_id, ours.sign(b"a statement")
    false = [
        (peer_id, signature, b"another statement"),
        (peer_id, bytes(64), b"a statement"),
        (peer_id, signature[:-1], b"a statement"),
        (theirs.identity().peer_id, signature, b"a statement"),
    ]
    for claim in false:
        with pytest.raises(VerificationFailed):
            theirs.verify(*claim)
