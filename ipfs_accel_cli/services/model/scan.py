"""Finding files that would run code when loaded, or leave their folder when unpacked: read as data, never loaded."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.model import archives, keras, pickles
from ipfs_accel_cli.services.model.pickles import Found

# `.bin` is also the name of plain data, so there only what proves to be a pickle is judged.
_ALWAYS_PICKLE = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib")
_MAYBE_PICKLE = (".bin",)
_TORCH_LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_TORCH_LEGACY_PICKLES = 5  # magic number, protocol, system, the object, storage keys; raw storages follow
_HEAD_BYTES = 512


@dataclass(slots=True)
class Report:
    """What a look at one file gave: the form it was read as, the callables that it names, what speaks against it."""

    form: str = "data"
    callables: set[str] = field(default_factory=set)
    found: list[Found] = field(default_factory=list)


def scan(files: Mapping[str, Path]) -> None:
    """Check every file, found by its name and by its first bytes; nothing is unpickled.

    Raises UnsafeContent with the file's name and what it would call, and for a file that cannot be judged.
    """
    for name, path in sorted(files.items()):
        for found in examine(name, path).found:
            raise found.error()


def examine(name: str, path: Path) -> Report:
    """Look at one file and return all that speaks against it."""
    current().check()
    report = Report()
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
        stream.seek(0)
        report.found.extend(_examined(name, head, stream, report))
    return report


def _examined(name: str, head: bytes, stream: IO[bytes], report: Report) -> Iterator[Found]:
    suffix = os.path.splitext(name)[1].lower()
    pickled = suffix in _ALWAYS_PICKLE
    if head.startswith(archives.ZIP):
        report.form = "zip"
        yield from _zip(name, stream, report, must_hold_pickle=pickled)
    elif head.startswith(_TORCH_LEGACY):
        report.form = "pickle"
        yield from _several(name, stream, report, lambda count: count < _TORCH_LEGACY_PICKLES)
    elif pickled or _has_magic(head):
        report.form = "pickle"
        yield from _all(name, stream, report)
    elif suffix in _MAYBE_PICKLE:
        yield from _doubtful(name, head, stream, report)
    elif head.startswith(keras.HDF5):
        report.form = "hdf5"
        yield from keras.in_hdf5(name, stream)
    elif archives.is_tar(name, head):
        report.form = "tar"
        yield from archives.tar_members(name, stream, lambda member, data: _all(member, data, report))
    elif head.startswith(b"\x93NUMPY") and b"|O" in head:
        yield _objects(name)


def _has_magic(head: bytes) -> bool:
    """Say whether a file begins as pickles since protocol 2 do; no text in UTF-8 begins with this byte."""
    return len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5


def _objects(name: str) -> Found:
    return Found(name, "call", f"{name} is an array of Python objects, which are pickles")


def _all(name: str, stream: IO[bytes], report: Report) -> Iterator[Found]:
    """Check one pickle after another to the end of the file: a loader may be called more than once."""
    size_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if size_bytes == 0:
        yield Found(name, "unreadable", f"{name} is empty, not a pickle")
    yield from _several(name, stream, report, lambda _: stream.tell() < size_bytes)


def _several(name: str, stream: IO[bytes], report: Report, more: Callable[[int], bool]) -> Iterator[Found]:
    """Check pickles as long as there are more, and none after one whose end cannot be found."""
    for _ in itertools.takewhile(more, itertools.count()):
        current().check()
        for found in pickles.examine(stream, name, report.callables):
            yield found
            if found.kind in ("unreadable", "limit"):
                return


def _doubtful(name: str, head: bytes, stream: IO[bytes], report: Report) -> Iterator[Found]:
    """Judge a file that may be a pickle of an old protocol, which has no magic, or no pickle at all."""
    if head[257:262] == b"ustar":
        detail = f"{name} is a tar archive of pickles, a form that cannot be checked here"
        yield Found(name, "unreadable", detail)
        return
    for found in pickles.examine(stream, name, report.callables):
        if found.kind == "unreadable":
            # An unpickler would stop at the same byte, and no call before it was forbidden.
            return
        report.form = "pickle"
        yield found


def _zip(name: str, stream: IO[bytes], report: Report, *, must_hold_pickle: bool) -> Iterator[Found]:
    held = False

    def judged(member: str, data: bytes) -> Iterator[Found]:
        nonlocal held
        whole = f"{name}:{member}"
        lower = member.lower()
        if lower.endswith(archives.PICKLES):
            held = True
            yield from _all(whole, io.BytesIO(data), report)
        elif lower.endswith(".npy") and data.startswith(b"\x93NUMPY") and b"|O" in data[:_HEAD_BYTES]:
            yield _objects(whole)
        elif lower.endswith("config.json"):
            yield from keras.in_config(whole, data)

    yield from archives.zip_members(name, stream, judged)
    if must_hold_pickle and not held:
        yield Found(name, "unreadable", f"{name} is an archive without the pickle that its name promises")
