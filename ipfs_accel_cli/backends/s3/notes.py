"""Notes on uploads that are not finished, so that they go on after a crash: one file each, a line for each part."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.files import replacing, writing_into

_SUFFIX = ".upload"
_SYNCED_EACH = 16


@dataclass(frozen=True, slots=True)
class Sent:
    """A part that the server has taken; `stated` says that it told the same sha-256 of it."""

    number: int
    sha256: bytes
    etag: str
    stated: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What is known of an upload: which it is at the server, how it is cut, and which parts were taken."""

    path: Path
    upload_id: str
    part_bytes: int
    sent: dict[int, Sent]

    def add(self, part: Sent) -> None:
        """Write down a part; nothing is written where another process, being done, has removed the note.

        A line outlives the process at once. For the loss of power only some are waited for: a part whose line is lost
        is sent again.
        """
        line = {"part": part.number, "sha256": part.sha256.hex(), "etag": part.etag, "stated": part.stated}
        with writing_into(self.path.parent), suppress(FileNotFoundError):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            try:
                os.write(descriptor, json.dumps(line).encode() + b"\n")
                if part.number % _SYNCED_EACH == 0:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def remove(self) -> None:
        """Forget the upload."""
        self.path.unlink(missing_ok=True)


class Notes:
    """The notes of a backend in a folder of its own; `place` is the bucket and endpoint that they are about."""

    def __init__(self, folder: Path, place: tuple[str, ...]) -> None:
        self._folder = folder
        self._place = place

    def begin(self, key: str, sha256: bytes, upload_id: str, part_bytes: int) -> Note:
        """Write down an upload durably before its first part."""
        path = self._path(key, sha256)
        head = {"place": self._place, "key": key, "upload": upload_id, "part_bytes": part_bytes}
        with writing_into(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(path, 0o600) as file:
                file.write(json.dumps(head).encode() + b"\n")
        return Note(path, upload_id, part_bytes, {})

    def find(self, key: str, sha256: bytes) -> Note | None:
        """Return the note on a file under a key, if there is one."""
        return _read(self._path(key, sha256))

    def all(self) -> Iterator[Note]:
        """Yield all notes."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            note = _read(path)
            if note is not None:
                yield note

    def _path(self, key: str, sha256: bytes) -> Path:
        name = json.dumps([*self._place, key, sha256.hex()]).encode()
        return self._folder / (hashlib.sha256(name).hexdigest()[:32] + _SUFFIX)


def _read(path: Path) -> Note | None:
    """Read a note; its last line may be cut, and one that says nothing is none."""
    try:
        lines = path.read_text("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return None
    found = [json.loads(line) for line in lines if _is_whole(line)]
    try:
        upload_id, part_bytes = str(found[0]["upload"]), int(found[0]["part_bytes"])
        sent = [_sent(line) for line in found[1:]]
    except (LookupError, TypeError, ValueError):
        return None
    return Note(path, upload_id, part_bytes, {part.number: part for part in sent}) if part_bytes > 0 else None


def _is_whole(line: str) -> bool:
    with suppress(ValueError):
        return isinstance(json.loads(line), dict)
    return False


def _sent(line: dict[str, Any]) -> Sent:
    return Sent(int(line["part"]), bytes.fromhex(line["sha256"]), str(line["etag"]), bool(line["stated"]))
