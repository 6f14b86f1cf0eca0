"""Refusing files that would run code when loaded: checkpoints are read as data and judged by what they name."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import UnsafeContent
from ipfs_accel_cli.services.model import pickles

# `.bin` is also the name of plain data, so there only what proves to be a pickle is judged.
_ALWAYS_PICKLE = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
_MAYBE_PICKLE = (".bin",)
_TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_TORCH_LEGACY_PICKLES = 5  # magic number, protocol, system, the object, storage keys; raw storages follow
_ZIP = b"PK\x03\x04"
_HEAD_BYTES = 512
MAX_MEMBERS = 1_000_000


def scan(files: Mapping[str, Path]) -> None:
    """Check every pickle-bearing file, found by its name and by its first bytes; nothing is unpickled.

    Raises UnsafeContent with the file's name and what it would call, and for a file that cannot be judged.
    """
    for name, path in sorted(files.items()):
        current().check()
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            stream.seek(0)
            _scan(name, head, stream)


def _scan(name: str, head: bytes, stream: IO[bytes]) -> None:
    suffix = os.path.splitext(name)[1].lower()
    pickled = suffix in _ALWAYS_PICKLE
    if head.startswith(_ZIP):
        _scan_zip(name, stream, must_hold_pickle=pickled)
    elif head.startswith(_TORCH_LEGACY):
        for _ in range(_TORCH_LEGACY_PICKLES):
            pickles.check(stream, name)
    elif pickled or _has_magic(head):
        _scan_all(name, stream)
    elif suffix in _MAYBE_PICKLE:
        _scan_doubtful(name, head, stream)
    elif head.startswith(b"\x93NUMPY") and b"|O" in head:
        raise UnsafeContent(f"{name} is an array of Python objects, which are pickles")


def _has_magic(head: bytes) -> bool:
    """Say whether a file begins as pickles since protocol 2 do; no text in UTF-8 begins with this byte."""
    return len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5


def _scan_all(name: str, stream: IO[bytes]) -> None:
    """Check one pickle after another to the end of the file: a loader may be called more than once."""
    size_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size_bytes == 0:
        raise UnsafeContent(f"{name} is empty, not a pickle")
    while stream.tell() < size_bytes:
        current().check()
        pickles.check(stream, name)


def _scan_doubtful(name: str, head: bytes, stream: IO[bytes]) -> None:
    """Judge a file that may be a pickle of an old protocol, which has no magic, or no pickle at all."""
    if head[257:262] == b"ustar":
        raise UnsafeContent(f"{name} is a tar archive of pickles, a form that cannot be checked here")
    try:
        pickles.check(stream, name)
    except pickles.Unreadable:
        # An unpickler would stop at the same byte, and no call before it was forbidden.
        return


def _scan_zip(name: str, stream: IO[bytes], *, must_hold_pickle: bool) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
            if len(infos) > MAX_MEMBERS:
                raise UnsafeContent(f"{name} holds {len(infos)} members, more than {MAX_MEMBERS}")
            found = [info for info in infos if _is_pickle_member(name, info)]
            for info in found:
                with archive.open(info) as member:
                    _scan_all(f"{name}:{info.filename}", io.BytesIO(member.read(pickles.MAX_PICKLE_BYTES + 1)))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise UnsafeContent(f"{name} is an archive that cannot be read: {error}") from error
    if must_hold_pickle and not found:
        raise UnsafeContent(f"{name} is an archive without the pickle that its name promises")


def _is_pickle_member(name: str, info: zipfile.ZipInfo) -> bool:
    parts = info.orig_filename.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or "\0" in info.orig_filename:
        raise UnsafeContent(f"{name} holds a member that would leave its folder: {info.orig_filename!r}")
    return info.orig_filename.lower().endswith((".pkl", ".pickle"))
