"""Whose signatures count: the node's own key, and those that its owner has entered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ipfs_accel_cli.content import didkey
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, HomeUnusable, Invalid, NotFound
from ipfs_accel_cli.services.model.signing.results import TrustedKey, TrustedKeys
from ipfs_accel_cli.services.model.tables import now

OWNER = "model-trust"
OWN = "this node"
MIGRATIONS = (
    (
        "trusted-keys",
        "CREATE TABLE trusted_keys (key TEXT PRIMARY KEY, label TEXT NOT NULL UNIQUE, added_at TEXT NOT NULL)"
        " WITHOUT ROWID;",
    ),
)
_MAX_KEY_FILE = 64 << 10
_MAX_LABEL = 100
_BARE = "z6Mk"  # An Ed25519 key as `peer id` prints it, without `did:key:`.
# Points of order 8 and below, without the sign bit: for these keys everybody can make signatures.
_SMALL_ORDER = {
    bytes.fromhex(text)
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
}


class Signer(Protocol):
    """What signs with one private key."""

    @property
    def public_key(self) -> bytes: ...
    def sign(self, data: bytes) -> bytes: ...


class Keys(Protocol):
    """The node's own key, and keys in files, as the node hands them over."""

    def signer(self, file: Path | None = None) -> Signer: ...
    def public_key(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Trust:
    """The trusted keys of one home."""

    database: Database
    keys: Callable[[], Keys]

    def change(self, text: str | None, label: str | None, *, remove: bool) -> TrustedKeys:
        """Add a key, or remove it, and return all; without a key only that. Raises Invalid, NotFound and Conflict."""
        if text is None and (label is not None or remove):
            raise Invalid("--name and --remove need a key", suggestion="ipfs-accel model trust --help")
        if text is None:
            return self.listed()
        return self.remove(text) if remove else self.add(text, label)

    def listed(self) -> TrustedKeys:
        """Return the keys that are trusted, the node's own first; raises HomeUnusable."""
        own = self.keys().public_key()
        found = [TrustedKey(key=didkey.encode(own), label=OWN, own=True, added_at=None)] if own is not None else []
        found += [
            TrustedKey(key=row["key"], label=row["label"], own=False, added_at=row["added_at"]) for row in self._rows()
        ]
        return TrustedKeys(keys=found)

    def add(self, text: str, label: str | None) -> TrustedKeys:
        """Trust a key, given as did:key or in a file; raises Invalid, NotFound, and Conflict for a label in use."""
        key = didkey.encode(read_key(text))
        chosen = label or key[-12:]
        if not chosen.isprintable() or not chosen.strip() or len(chosen) > _MAX_LABEL or chosen == OWN:
            raise Invalid(f"{chosen[:100]!r} cannot be the name of a key")
        self.database.migrate(OWNER, MIGRATIONS)
        with self.database.write() as connection:
            try:
                connection.execute(
                    "INSERT INTO trusted_keys VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET label = excluded.label",
                    (key, chosen, now()),
                )
            except sqlite3.IntegrityError as error:
                raise Conflict(
                    f"another key is called {chosen!r} already; give this one another --name",
                    suggestion="ipfs-accel model trust",
                ) from error
        return self.listed()

    def remove(self, text: str) -> TrustedKeys:
        """Trust a key no more, given as `add` takes it or by its label; raises NotFound."""
        labels = {row["label"]: row["key"] for row in self._rows()}
        key = labels.get(text) or didkey.encode(read_key(text))
        with self.database.write() as connection:
            if connection.execute("DELETE FROM trusted_keys WHERE key = ?", (key,)).rowcount == 0:
                raise NotFound(f"the key {text!r} is not trusted here", suggestion="ipfs-accel model trust")
        return self.listed()

    def chosen(self, texts: Sequence[str]) -> dict[bytes, str]:
        """Return the names of the keys that count by their raw bytes: those given, else all that are trusted."""
        known = {didkey.decode(one.key): one.label for one in self.listed().keys}
        if not texts:
            return known
        labels = {label: key for key, label in known.items()}
        keys = [labels[text] if text in labels else read_key(text) for text in texts]
        return {key: known.get(key, didkey.encode(key)) for key in keys}

    def _rows(self) -> list[sqlite3.Row]:
        try:
            self.database.migrate(OWNER, MIGRATIONS)
        except HomeUnusable:
            # A home that only can be read, and in which no key was ever entered.
            return []
        return self.database.read().execute("SELECT * FROM trusted_keys ORDER BY label").fetchall()


def read_key(text: str) -> bytes:
    """Return the raw public key of a did:key, or of a file that holds one or a public key in PEM form.

    Raises Invalid, and NotFound for a file that is not there.
    """
    if text.startswith(("did:", _BARE)):
        return _of_text(text)
    path = current().path(text)
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_KEY_FILE)
    except FileNotFoundError as error:
        raise NotFound(
            f"{text!r} is no did:key, no name of a trusted key and no file", suggestion="ipfs-accel model trust"
        ) from error
    except OSError as error:
        raise Invalid(f"cannot read {text}: {error.strerror}") from error
    if b"PRIVATE KEY" in data:
        raise Invalid(f"{text} is a private key; what is trusted is the public one", suggestion=_public_line(text))
    return _checked(_of_pem(text, data)) if data.startswith(b"-----BEGIN") else _of_text(_line(text, data))


def _public_line(text: str) -> str:
    return f"openssl pkey -in {text} -pubout -out {text}.pub"


def _line(text: str, data: bytes) -> str:
    """Return the only line of a key file; what is in another file is no business of a message."""
    line = data.strip()
    if not line.startswith((b"did:key:", _BARE.encode())) or not line.isascii() or len(line.split()) != 1:
        raise Invalid(f"{text} holds neither a did:key nor a public key in PEM form")
    return line.decode("ascii")


def _of_text(text: str) -> bytes:
    try:
        return _checked(didkey.decode(f"{didkey.PREFIX}{text}" if text.startswith(_BARE) else text))
    except ContentError as error:
        raise Invalid(f"that is not a key: {error}", suggestion="ipfs-accel model trust --help") from error


def _of_pem(text: str, data: bytes) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Invalid(f"{text} is not a public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Invalid(f"the key in {text} is not Ed25519, the only kind that is checked here")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _checked(key: bytes) -> bytes:
    if key[:31] + bytes([key[31] & 0x7F]) in _SMALL_ORDER:
        raise Invalid("that key is a point of small order, for which everybody can make signatures")
    return key
