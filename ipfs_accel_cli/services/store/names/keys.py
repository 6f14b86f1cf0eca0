"""The IPNS keys of this home: made, listed, removed, carried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ipfs_accel_cli.content import libp2pkey
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Malformed, Unsupported
from ipfs_accel_cli.core.errors import HomeUnusable, Invalid, UnsupportedContent
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store.keyring import Keyring, owners_only, read_file, write_new
from ipfs_accel_cli.services.store.names.results import ExportedKey, Key, Keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PEM, PROTOBUF = "pem", "libp2p-protobuf-cleartext"


class NameKeys:
    """Ed25519 keys under names; a key's file is PKCS #8 in PEM."""

    def __init__(self, home: Home) -> None:
        self._ring = Keyring(home, "ipns", "ipfs-accel store key ls")

    def new(self, name: str) -> Key:
        """Make a key; raises Conflict where the name is taken, Invalid for one that cannot be used."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return self._add(name, Ed25519PrivateKey.generate())

    def list(self) -> Keys:
        """List the keys by their public halves."""
        return Keys(keys=[_shown(name, self._loaded(name, data)) for name, data in self._ring.each()])

    def remove(self, name: str) -> Key:
        """Delete a key for good; raises NotFound."""
        owners_only("delete its keys")
        shown = _shown(name, self.private(name))
        self._ring.remove(name)
        return shown

    def export(self, name: str, output: Path, form: str = PEM) -> ExportedKey:
        """Write a private key to a file of the owner's; raises NotFound, and Conflict for a file that differs."""
        owners_only("export its keys")
        key = self.private(name)
        data = _pem(key) if form == PEM else libp2pkey.encode_private(key)
        write_new(output, data)
        return ExportedKey(key=name, path=str(output), format=form)

    def take(self, name: str, file: Path) -> Key:
        """Keep a private key out of a file, in either form; raises Conflict where the name is taken, and Invalid."""
        owners_only("add keys to this home")
        return self._add(name, _parsed(read_file(file), f"{file}"))

    def has(self, name: str) -> bool:
        """Say whether there is a key of this name."""
        return self._ring.has(name)

    def private(self, name: str) -> Ed25519PrivateKey:
        """Return a private key; raises NotFound and HomeUnusable."""
        return self._loaded(name, self._ring.read(name))

    def public(self, name: str) -> CID:
        """Return the IPNS name of a key; raises NotFound and HomeUnusable."""
        return _name(self.private(name))

    def by_name(self) -> dict[CID, str]:
        """Return what each IPNS name is called here."""
        return {_name(self._loaded(name, data)): name for name, data in self._ring.each()}

    def _add(self, name: str, key: Ed25519PrivateKey) -> Key:
        if libp2pkey.is_name(name):
            raise Invalid(f"{name!r} is an IPNS name itself, so a key cannot be called so")
        self._ring.add(name, _pem(key))
        return _shown(name, key)

    def _loaded(self, name: str, data: bytes) -> Ed25519PrivateKey:
        try:
            return _parsed(data, name)
        except (Invalid, UnsupportedContent) as error:
            raise HomeUnusable(f"the file of the key {name} is damaged: {error.detail}") from error


def _parsed(data: bytes, source: str) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if not data.lstrip().startswith(b"-----BEGIN"):
            return libp2pkey.decode_private(data)
        key = load_pem_private_key(data, password=None)
    except Unsupported as error:
        raise UnsupportedContent(f"{source}: {error}") from error
    except (Malformed, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Invalid(f"{source} is no unencrypted Ed25519 private key in PEM or in libp2p's protobuf") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnsupportedContent(f"{source} is a key of another kind; only Ed25519 ones are kept here")
    return key


def _pem(key: Ed25519PrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _name(key: Ed25519PrivateKey) -> CID:
    return libp2pkey.name_of(libp2pkey.ed25519(key.public_key().public_bytes_raw()))


def _shown(name: str, key: Ed25519PrivateKey) -> Key:
    cid = _name(key)
    return Key(key=name, name=libp2pkey.name_text(cid), peer_id=libp2pkey.peer_text(cid))
