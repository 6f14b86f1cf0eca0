"""The age identities of this home: made, listed, removed, carried."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ipfs_accel_cli.core.errors import HomeUnusable, Invalid
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store.keyring import Keyring, owners_only, read_file, write_new
from ipfs_accel_cli.services.store.names.results import ExportedKey
from ipfs_accel_cli.services.store.sealed import age
from ipfs_accel_cli.services.store.sealed.results import AgeIdentities, AgeIdentity

MAX_RECIPIENTS = 1000


class Identities:
    """Secret keys of age under names, in files as age-keygen writes them."""

    def __init__(self, home: Home) -> None:
        self._ring = Keyring(home, "age", "ipfs-accel store identity ls")

    def new(self, name: str) -> AgeIdentity:
        """Make an identity; raises Conflict where the name is taken, and MissingExtra."""
        return self._add(name, age.generate())

    def list(self) -> AgeIdentities:
        """List the identities by their public halves."""
        return AgeIdentities(
            identities=[
                AgeIdentity(identity=name, recipient=age.recipient_of(_loaded(name, data)))
                for name, data in self._ring.each()
            ]
        )

    def remove(self, name: str) -> AgeIdentity:
        """Delete an identity for good; raises NotFound."""
        owners_only("delete its identities")
        shown = AgeIdentity(identity=name, recipient=age.recipient_of(self.secret(name)))
        self._ring.remove(name)
        return shown

    def export(self, name: str, output: Path) -> ExportedKey:
        """Write an identity to a file of the owner's; raises NotFound, and Conflict for a file that differs."""
        owners_only("export its identities")
        write_new(output, _file(self.secret(name)))
        return ExportedKey(key=name, path=str(output), format="age")

    def take(self, name: str, file: Path) -> AgeIdentity:
        """Keep the identity in a file; raises Conflict where the name is taken, Invalid for what holds not just one."""
        owners_only("add identities to this home")
        return self._add(name, _parsed(read_file(file), str(file)))

    def secret(self, name: str) -> str:
        """Return an identity; raises NotFound and HomeUnusable."""
        return _loaded(name, self._ring.read(name))

    def secrets(self, name: str | None) -> tuple[str, ...]:
        """Return the identity of a name, or all of them for the owner's own calls; raises as `secret`."""
        owners_only("decrypt with its identities")
        if name is not None:
            return (self.secret(name),)
        return tuple(_loaded(known, data) for known, data in self._ring.each())

    def recipients(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Read recipients: age1…, or what an identity is called here. Raises Invalid and NotFound; each comes once."""
        found = [
            age.checked_recipient(text) if age.is_recipient(text) else age.recipient_of(self.secret(text))
            for text in texts
        ]
        if len(found) > MAX_RECIPIENTS:
            raise Invalid(f"{len(found)} recipients are more than the {MAX_RECIPIENTS} that an envelope may have")
        return tuple(dict.fromkeys(found))

    def _add(self, name: str, secret: str) -> AgeIdentity:
        if age.is_recipient(name):
            raise Invalid(f"{name!r} looks like a recipient, so an identity cannot be called so")
        recipient = age.recipient_of(secret)
        self._ring.add(name, _file(secret))
        return AgeIdentity(identity=name, recipient=recipient)


def _file(secret: str) -> bytes:
    return f"# public key: {age.recipient_of(secret)}\n{secret}\n".encode()


def _parsed(data: bytes, source: str) -> str:
    try:
        lines = [line.strip() for line in data.decode("ascii").splitlines()]
    except UnicodeDecodeError as error:
        raise Invalid(f"{source} is no file of an age identity") from error
    secrets = [line for line in lines if line and not line.startswith("#")]
    if len(secrets) != 1:
        raise Invalid(f"{source} holds {len(secrets)} identities; it must hold one (AGE-SECRET-KEY-1…)")
    age.recipient_of(secrets[0])
    return secrets[0]


def _loaded(name: str, data: bytes) -> str:
    try:
        return _parsed(data, name)
    except Invalid as error:
        raise HomeUnusable(f"the file of the identity {name} is damaged: {error.detail}") from error
