"""A folder of this machine, or one that is mounted: files under their keys."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ipfs_accel_cli.backends.base import Body, Config, Health, Receipt, Stat, Traits
from ipfs_accel_cli.backends.keys import checked_key
from ipfs_accel_cli.backends.seen import described
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound, Unavailable, VerificationFailed
from ipfs_accel_cli.core.files import folder_inside, refuse_links, replacing_inside, writing_into

_PIECE_BYTES = 1 << 20
_UNFINISHED = re.compile(r"\..+\.[0-9a-f]{12}$")  # As `replacing_inside` names it.
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class LocalBackend:
    """Files in a folder; a link in it is never followed and never written through."""

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self.traits = Traits(region=config.get("region") or None)
        self._root = Path(config.get("path")).expanduser()
        if not self._root.is_absolute():
            raise Invalid(f"the path of backend {self.name} is not absolute: {self._root}")

    def health(self) -> Health:
        """Say whether the folder is there and can be written."""
        began = time.perf_counter()
        try:
            next(os.scandir(self._root), None)
        except FileNotFoundError:
            # It is never made by us: it may be a disk that is not mounted.
            return Health(False, f"there is no folder {self._root}: make it, or mount what holds it")
        except OSError as error:
            return Health(False, f"{self._root}: {error.strerror or error}")
        took = 1000 * (time.perf_counter() - began)
        writable = os.access(self._root, os.W_OK | os.X_OK)
        return Health(True, f"the folder {self._root}", latency_ms=round(took, 3), writable=writable)

    def put(self, body: Body, key: str) -> Receipt:
        """Write a file, synced, under a temporary name first; the bytes are hashed as they are written."""
        return self._written(body, key, None)

    def replace(self, body: Body, key: str, seen: Stat) -> Receipt:
        """Write a file as `put` does and rename it over the one that was seen; raises Conflict for another one."""
        return self._written(body, key, seen)

    def guards(self) -> bool:
        """Say no: between the look and the renaming somebody else may write."""
        return False

    def _written(self, body: Body, key: str, seen: Stat | None) -> Receipt:
        self._there()
        path = checked_key(key)
        if self._holds(path, body, seen):
            return Receipt(key, body.size_bytes, "checksum")
        with writing_into(self._root), replacing_inside(self._root, path) as file:
            hashed = hashlib.sha256()
            for piece in body.read(0, None):
                current().check()
                hashed.update(piece)
                file.write(piece)
            if hashed.digest() != body.sha256:
                raise VerificationFailed(f"the bytes for {key} are not those that were announced; nothing was written")
            if self._holds(path, body, seen):  # Another writer was quicker.
                return Receipt(key, body.size_bytes, "checksum")
        return Receipt(key, body.size_bytes, "none")

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Read a file in pieces."""
        descriptor = self._opened(locator)
        return _pieces(descriptor, offset, length)

    def stat(self, key: str) -> Stat | None:
        """Say what size a file has and when it was written; a folder keeps no digests."""
        self._there()
        path = checked_key(key)
        with suppress(FileNotFoundError, NotADirectoryError):
            refuse_links(self._root, path)
            found = (self._root / path).lstat()
            if stat.S_ISREG(found.st_mode):
                return _stat(key, found)
        return None

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        """List files; those that are being written are left out."""
        self._there()
        yield from self._below(self._root, "", prefix)

    def path(self, locator: str) -> Path:
        """Return where a file lies; raises Conflict for one behind a link."""
        refuse_links(self._root, path := checked_key(locator))
        return self._root / path

    def delete(self, locator: str) -> None:
        """Remove a file, and the folders that it leaves empty."""
        self._there()
        path = Path(checked_key(locator))
        refuse_links(self._root, str(path))
        with writing_into(self._root):
            with suppress(FileNotFoundError, NotADirectoryError):
                (self._root / path).unlink()
            for parent in path.parents[:-1]:
                try:
                    (self._root / parent).rmdir()
                except OSError:
                    break

    def sweep(self, before: datetime) -> int:
        """Remove what writers left that died before then; return how many files that were."""
        self._there()
        gone = 0
        for folder, _, names in os.walk(self._root):
            current().check()
            for name in names:
                path = Path(folder, name)
                if _UNFINISHED.match(name) and path.lstat().st_mtime < before.timestamp():
                    path.unlink(missing_ok=True)
                    gone += 1
        return gone

    def _there(self) -> None:
        if not self._root.is_dir():
            # A folder that a disk is mounted on would else be filled beside the disk.
            raise Unavailable(f"there is no folder {self._root}", suggestion=f"mkdir -p '{self._root}'")

    def _holds(self, path: str, body: Body, seen: Stat | None) -> bool:
        """Say whether the file is there; raises Conflict where another is that is not the one that was seen."""
        refuse_links(self._root, path)
        try:
            descriptor = self._opened(path)
        except NotFound:
            return False
        found = os.fstat(descriptor)
        size_bytes, hashed = found.st_size, hashlib.sha256()
        for piece in _pieces(descriptor, 0, None if size_bytes == body.size_bytes else 0):
            hashed.update(piece)
        if hashed.digest() == body.sha256 and size_bytes == body.size_bytes:
            return True
        if seen is not None:
            if described(_stat(seen.key, found)) == described(seen):
                return False
            raise Conflict(f"{self.name}:{path} has changed meanwhile; run the command again")
        raise Conflict(f"{self.name}:{path} is there already with other bytes; choose another path or delete it")

    def _opened(self, locator: str) -> int:
        self._there()
        path = Path(checked_key(locator))
        try:
            refuse_links(self._root, str(path))
            if path.parent.parts:
                (self._root / path.parent).lstat()
            with folder_inside(self._root, str(path.parent)) as folder:
                descriptor = os.open(path.name, _READ, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(f"{self.name} has no file {locator!r}") from error
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Conflict(f"{self.name}:{locator} is a link, and nothing is read through it") from error
            raise Unavailable(f"cannot read {self.name}:{locator}: {error.strerror or error}") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise NotFound(f"{self.name}:{locator} is no file")
        return descriptor

    def _below(self, folder: Path, at: str, prefix: str) -> Iterator[Stat]:
        current().check()
        with os.scandir(folder) as entries:
            named = sorted((f"{at}{entry.name}{'/' * entry.is_dir(follow_symlinks=False)}", entry) for entry in entries)
        for key, entry in named:
            if key.endswith("/") and (key.startswith(prefix) or prefix.startswith(key)):
                yield from self._below(Path(entry.path), key, prefix)
            elif key.startswith(prefix) and entry.is_file(follow_symlinks=False) and not _UNFINISHED.match(entry.name):
                yield _stat(key, entry.stat(follow_symlinks=False))


def _stat(key: str, found: os.stat_result) -> Stat:
    modified = datetime.fromtimestamp(found.st_mtime, UTC)
    return Stat(key, key, found.st_size, modified_at=modified)


def _pieces(descriptor: int, offset: int, length: int | None) -> Iterator[bytes]:
    try:
        end = os.fstat(descriptor).st_size if length is None else offset + length
        while offset < end:
            current().check()
            piece = os.pread(descriptor, min(_PIECE_BYTES, end - offset), offset)
            if not piece:
                return
            offset += len(piece)
            yield piece
    finally:
        os.close(descriptor)
