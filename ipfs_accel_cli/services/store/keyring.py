"""Secret keys under names: files in the home folder for their owner only, never overwritten."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, HomeUnusable, Invalid, NotAuthorised, NotFound, classified
from ipfs_accel_cli.core.files import replacing, sync_folder
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store.scratch import rename_new, scratch_beside
from ipfs_accel_cli.services.store.sources import open_regular

MAX_BYTES = 16 << 10

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LOCK = ".lock"


class Keyring:
    """The keys of one sort, each a file of `keys/SORT`; `listing` is the command that lists them."""

    def __init__(self, home: Home, sort: str, listing: str) -> None:
        self._home = home
        self._sort = sort
        self._listing = listing

    def names(self) -> list[str]:
        """Return the names of all keys, sorted."""
        try:
            found = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        return sorted(name for name in found if _NAME.fullmatch(name))

    def has(self, name: str) -> bool:
        """Say whether there is a key of this name."""
        return _NAME.fullmatch(name) is not None and (self._folder / name).is_file()

    def read(self, name: str) -> bytes:
        """Return what is in a key's file; raises NotFound, and HomeUnusable where other users may read it."""
        path = self._folder / checked(name)
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                data = file.read(MAX_BYTES)
        except FileNotFoundError as error:
            raise self._missing(name) from error
        except OSError as error:
            raise HomeUnusable(
                f"cannot read {path}: {error.strerror}", suggestion=f"ls -l {quote(str(path))}"
            ) from error
        if mode & _OTHERS:
            raise HomeUnusable(
                f"other users of this machine may read {path}, which is for its owner only",
                suggestion=f"chmod 600 {quote(str(path))}",
            )
        return data

    def each(self) -> Iterator[tuple[str, bytes]]:
        """Yield all keys with their names; raises as `read`."""
        for name in self.names():
            yield name, self.read(name)

    def add(self, name: str, data: bytes) -> None:
        """Keep a key under a name; raises Conflict where the name is taken, whoever took it and when."""
        path = self._home.ensure("keys", self._sort) / checked(name)
        try:
            self._folder.chmod(0o700)
            with locked(self._folder / _LOCK):
                if os.path.lexists(path):
                    raise Conflict(
                        f"there is a key named {name} already, and it is never overwritten", suggestion=self._listing
                    )
                with replacing(path, 0o600) as file:
                    file.write(data)
                sync_folder(self._folder.parent)
        except OSError as error:
            raise classified(error) or self._home.unusable(error) from error

    def remove(self, name: str) -> None:
        """Delete a key for good; raises NotFound."""
        path = self._folder / checked(name)
        try:
            path.unlink()
            sync_folder(self._folder)
        except FileNotFoundError as error:
            raise self._missing(name) from error
        except OSError as error:
            raise self._home.unusable(error) from error

    @property
    def _folder(self) -> Path:
        return self._home.keys / self._sort

    def _missing(self, name: str) -> NotFound:
        return NotFound(f"there is no key named {name!r}", suggestion=self._listing)


def checked(name: str) -> str:
    """Return the name of a key; raises Invalid for one that cannot be used."""
    if _NAME.fullmatch(name) is None:
        raise Invalid(f"{name[:80]!r} is no name for a key: up to 64 letters, digits, dots, dashes and underscores")
    return name


def owners_only(what: str) -> None:
    """Raise NotAuthorised unless the owner's own shell asks: nobody else may use the keys of this home."""
    if current().folders is not None:
        raise NotAuthorised(f"only the owner of this node may {what}")


def read_file(path: Path) -> bytes:
    """Return the bytes of a small file that the caller names; raises NotFound and Invalid."""
    with open_regular(current().path(path)) as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Invalid(f"{path} has more than the {MAX_BYTES} bytes that a key or a record may have")
    return data


def write_new(path: Path, data: bytes, mode: int = 0o600) -> bool:
    """Write a file that the caller names; say whether it was there already, equal.

    Raises Conflict for another file of that name.
    """
    target = current().path(path)
    with scratch_beside(target, len(data)) as scratch:
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            rename_new(scratch, target)
        except Conflict:
            if target.is_file() and not target.is_symlink() and target.read_bytes() == data:
                return True
            raise
    return False
