"""Files of envelopes, one a line (`.intoto.jsonl`), as other tools read and write them."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli.content import dsse
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import Conflict, Invalid, LimitReached, NotFound, classified
from ipfs_accel_cli.core.files import replacing

MAX_FILE_BYTES = 16 << 20
MAX_LINES = 1000


def read(path: Path) -> list[bytes]:
    """Return the envelopes of a file unread: one a line, or one over several lines. Raises NotFound, LimitReached."""
    data = _content(path)
    if data is None:
        raise NotFound(f"there is no file {str(path)!r}")
    lines = [line for line in data.splitlines() if line.strip()]
    if not lines:
        raise Invalid(f"{path} holds no envelope")
    if len(lines) > MAX_LINES and not _is_one(data):
        raise LimitReached(f"{path} has more than {MAX_LINES} envelopes")
    return [data] if len(lines) > 1 and _is_one(data) else lines


def add(path: Path, envelope: dsse.Envelope) -> None:
    """Write an envelope as a line of a file, after those that are there; once, however often it is added.

    Raises Conflict for a file that holds something else, LimitReached, and DiskFull.
    """
    line = envelope.encode()
    before = _content(path) or b""
    lines = [one for one in before.splitlines() if one.strip()]
    for one in lines:
        try:
            dsse.decode(one)
        except ContentError as error:
            raise Conflict(f"{path} is there already and holds something else", suggestion="give another -o") from error
    if line in lines:
        return
    try:
        with replacing(path) as file:
            file.write(b"".join(one + b"\n" for one in [*lines, line]))
    except OSError as error:
        raise classified(error) or Invalid(f"cannot write {path}: {error.strerror}") from error


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise LimitReached(f"{path} has more than {MAX_FILE_BYTES} bytes")
    return data


def _is_one(data: bytes) -> bool:
    if len(data) > dsse.MAX_BYTES:
        return False
    try:
        dsse.decode(data)
    except ContentError:
        return False
    return True
