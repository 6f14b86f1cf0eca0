"""A bounded folder of byte strings under names, for a cache: S3-FIFO says which go when it is full."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ipfs_accel_cli.backends.wrap.s3fifo import S3Fifo
from ipfs_accel_cli.core.errors import Unavailable
from ipfs_accel_cli.core.locks import taken

_PART = ".part"
_NAME_LENGTH = 64


class Shelf:
    """Byte strings in a folder, all of them together no more than `max_bytes`; what they are is checked when read.

    What the folder holds is found by listing it, so nothing else has to survive a crash. One process at a time keeps
    the folder; another one that opens it meanwhile reads what lies there and adds nothing.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._policy: S3Fifo[str] = S3Fifo(max_bytes)
        self._lock = threading.Lock()
        self._writing: set[str] = set()
        self.hits = self.misses = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._held = (folder / ".lock").open("ab")
        except OSError as error:
            said = f"cannot keep a cache in {folder}: {error.strerror or error}"
            raise Unavailable(said, suggestion="choose another folder") from error
        self.keeps = taken(self._held.fileno())
        if self.keeps:
            self._restore()

    @property
    def size_bytes(self) -> int:
        """How much lies there, as far as this process knows."""
        return self._policy.size

    @property
    def hit_rate(self) -> float | None:
        """The share of what was asked for that was there; None before anything was."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def holds(self, name: str) -> bool:
        """Say whether something lies under a name, without counting it as asked for."""
        return name in self._policy if self.keeps else (self._folder / name).exists()

    def get(self, name: str, check: Callable[[bytes], bytes | None]) -> bytes | None:
        """Return what `check` makes of the bytes under a name; what it makes None of is damaged and goes."""
        with self._lock:
            if name in self._writing or (self.keeps and not self._policy.ask(name)):
                return None
        found: bytes | None = None
        with suppress(OSError):
            found = check((self._folder / name).read_bytes())
        if found is None:
            self.drop(name)
            return None
        with self._lock:
            self.hits += 1
        return found

    def missed(self) -> None:
        """Count what had to be fetched from elsewhere."""
        with self._lock:
            self.misses += 1

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes under a name, where there is room at all."""
        part = self._folder / f"{name}.{os.urandom(4).hex()}{_PART}"
        with self._lock:
            if not self.keeps or name in self._policy or len(data) > self._policy.max_size:
                return
            # Room is made first, so that the bound holds at every moment.
            self._remove(self._policy.add(name, len(data)))
            self._writing.add(name)
        try:
            part.write_bytes(data)
            part.replace(self._folder / name)
        except OSError:
            # A cache that cannot be written to is no reason to fail a read: the bytes are there, only not kept.
            self.drop(name)
            self._remove([part.name])
        with self._lock:
            self._writing.discard(name)
            if name not in self._policy:  # It had to go while it was written.
                self._remove([name])

    def drop(self, name: str) -> None:
        """Remove what lies under a name."""
        if not self.keeps:
            return
        with self._lock:
            self._policy.drop(name)
            self._remove([name])

    def close(self) -> None:
        """Let another process keep the folder."""
        self._held.close()
        self.keeps = False

    def _remove(self, names: list[str]) -> None:
        for name in names:
            with suppress(OSError):
                (self._folder / name).unlink(missing_ok=True)

    def _restore(self) -> None:
        found: list[tuple[int, str, int]] = []
        for entry in os.scandir(self._folder):
            if entry.name.endswith(_PART):
                self._remove([entry.name])
            elif len(entry.name) == _NAME_LENGTH and entry.is_file(follow_symlinks=False):
                stat = entry.stat(follow_symlinks=False)
                found.append((stat.st_mtime_ns, entry.name, stat.st_size))
        self._remove(self._policy.restore((name, size) for _, name, size in sorted(found)))


def named(*parts: str) -> str:
    """Return the name of what some words describe: each other words give another name."""
    return hashlib.sha256(b"".join(len(part.encode()).to_bytes(8, "big") + part.encode() for part in parts)).hexdigest()


def sealed(data: bytes) -> bytes:
    """Return bytes with their digest before them, for those that have no name of their own that proves them."""
    return hashlib.sha256(data).digest() + data


def unsealed(kept: bytes) -> bytes | None:
    """Return the bytes that were sealed; None where they are damaged."""
    digest, data = kept[:32], kept[32:]
    return data if hashlib.sha256(data).digest() == digest else None
