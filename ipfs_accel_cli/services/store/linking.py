"""Objects that are hard links to the user's own file: made only when asked for, and checked before each use."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

from ipfs_accel_cli.content.hashing import hash_leaves
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.store.index import identity

_PIECE_BYTES = 256 << 10


def link(path: Path, source: int, target: Path) -> str:
    """Link an open file into the lease folder; return the identity that it must keep. Raises Invalid when it cannot."""
    try:
        os.link(path.resolve(), target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP):
            raise
        raise Invalid(
            f"{path} cannot be linked into the store: {error.strerror}",
            suggestion="leave out --link: the file is then copied",
        ) from error
    found = identity(target.stat())
    if found != identity(os.fstat(source)):
        raise Invalid(f"{path} was replaced while it was linked", suggestion="run the command again")
    return found


def digest(
    source: int, profile: Profile, on_leaf: Callable[[bytes, int], None], stop: Callable[[], None]
) -> tuple[bytes, int]:
    """Hash an open file, its leaves and the whole of it on two threads; return its sha-256 and its size in bytes.

    `on_leaf` is called in order at the end. Raises content.errors.Changed when the file changes meanwhile.
    """
    size_bytes = os.fstat(source).st_size
    whole = _Whole(source, size_bytes)
    try:
        leaves = hash_leaves(source, size_bytes, profile, threads=1, stop=stop)
    except BaseException:
        whole.given_up = True
        whole.join()
        raise
    for index, leaf in enumerate(leaves):
        on_leaf(leaf, min(profile.chunk_bytes, size_bytes - index * profile.chunk_bytes))
    whole.join()
    return whole.digest.digest(), size_bytes


class _Whole(threading.Thread):
    """The sha-256 of a whole file, read beside the thread that hashes its leaves."""

    def __init__(self, source: int, size_bytes: int) -> None:
        super().__init__(daemon=True)
        self.digest = hashlib.sha256()
        self.given_up = False
        self._source = source
        self._size_bytes = size_bytes
        self.start()

    def run(self) -> None:
        piece = memoryview(bytearray(_PIECE_BYTES))
        offset = 0
        while offset < self._size_bytes and not self.given_up:
            count = os.preadv(self._source, [piece], offset)
            if not count:
                break
            self.digest.update(piece[:count])
            offset += count
