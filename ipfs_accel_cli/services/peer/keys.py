"""The node's private key: made once, readable by its owner only, never overwritten."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.errors import HomeUnusable, Invalid, NotAuthorised, NotFound, classified
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.core.paths import Home

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_FILE = "node.pem"
MAX_BYTES = 16 << 10
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def node_key(home: Home) -> tuple[Ed25519PrivateKey, bool]:
    """Return the node's private key, and whether this call made it.

    Processes that ask at the same time get the same key. Raises HomeUnusable when the key cannot be made or read,
    is damaged, or is open to other users.
    """
    key = _load(home)
    if key is not None:
        return key, False
    folder = home.ensure("keys")
    try:
        with locked(folder / "node.lock"):
            key = _load(home)
            if key is not None:
                return key, False
            return _make(folder / KEY_FILE), True
    except OSError as error:
        raise classified(error) or home.unusable(error) from error


def existing_key(home: Home) -> Ed25519PrivateKey | None:
    """Return the node's private key, or None where it was never made; raises HomeUnusable as `node_key` does."""
    return _load(home)


def key_in_file(path: Path) -> Ed25519PrivateKey:
    """Return the private key in a PEM file of the user's.

    Raises NotFound, Invalid, and NotAuthorised when other users may read it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(MAX_BYTES)
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no key file {path}",
            suggestion=f"(umask 077; openssl genpkey -algorithm ed25519 -out {quote(str(path))})",
        ) from error
    except OSError as error:
        raise Invalid(f"cannot read the key file {path}: {error.strerror}") from error
    if mode & OTHERS:
        raise NotAuthorised(
            f"other users of this machine may read {path}, and whoever reads the key can sign in its name",
            suggestion=f"chmod 600 {quote(str(path))}",
        )
    key = _parsed(data)
    if key is None:
        raise Invalid(f"{path} is not an unencrypted Ed25519 private key in PEM form")
    return key


def _load(home: Home) -> Ed25519PrivateKey | None:
    path = home.keys / KEY_FILE
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HomeUnusable(
            f"cannot read the node's key {path}: {error.strerror}", suggestion=f"ls -l {quote(str(path))}"
        ) from error
    _check_private(home.keys, "700")
    _check_private(path, "600")
    key = _parsed(data)
    if key is None:
        raise _damaged(path)
    return key


def _parsed(data: bytes) -> Ed25519PrivateKey | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PrivateKey) else None


def _make(path: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    with replacing(path, 0o600) as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def _check_private(path: Path, mode: str) -> None:
    if path.stat().st_mode & OTHERS:
        raise HomeUnusable(
            f"other users of this machine may reach {path}, and whoever reads the node's key can sign in its name",
            suggestion=f"chmod {mode} {quote(str(path))}",
        )


def _damaged(path: Path) -> HomeUnusable:
    return HomeUnusable(
        f"{path} is not an unencrypted Ed25519 private key in PEM form; restore it from a backup, or move it away and "
        "this node gets a new identity",
        suggestion=f"mv {quote(str(path))} {quote(f'{path}.damaged')}",
    )
