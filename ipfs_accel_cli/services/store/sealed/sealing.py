"""Putting encrypted: each file under a key of its own, the names of a folder in an encrypted index."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from ipfs_accel_cli.content import envelope, sealed
from ipfs_accel_cli.content.envelope import Envelope, Sealed, Secret
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, VerificationFailed
from ipfs_accel_cli.services.store.putting import USER, label
from ipfs_accel_cli.services.store.results import Stored
from ipfs_accel_cli.services.store.roots import Root
from ipfs_accel_cli.services.store.sealed import age
from ipfs_accel_cli.services.store.session import PutSession, StoredFile
from ipfs_accel_cli.services.store.sources import Found, Meter, explained, scan

_PIECE_BYTES = 1 << 20


def put(session: PutSession, path: Path, given: str, recipients: Sequence[str]) -> Stored:
    """Encrypt a file or folder in a session of its own and keep its envelope under its name.

    Raises Conflict for a file that changes meanwhile. Nothing of the content is written anywhere as it is.
    """
    found = scan(path)
    size_bytes = sum(entry.size_bytes for entry in found if entry.kind == "file")
    meter = Meter(size_bytes, f"encrypting {path.name}")
    if found[0].kind == "file":
        one, stored = _file(session, found[0], meter)
        size_bytes, total_bytes, key = one.size_bytes, stored.total_bytes, one.key
        made = Envelope("file", stored.cid, size_bytes, b"")
    else:
        made, total_bytes, key = _folder(session, found[1:], meter)
    secret = Secret(key, tuple(recipients))
    made = Envelope(made.kind, made.content, made.size_bytes, age.wrap(secret.encode(), recipients))
    data, cid = made.encode(), made.cid
    session.block(cid, data)
    session.commit([Root(cid, USER, label(path), "block")])
    return Stored(
        cid=str(cid),
        path=given,
        kind="encrypted",
        size_bytes=made.size_bytes,
        total_bytes=total_bytes + len(data),
        profile=session.profile.name,
    )


def _folder(session: PutSession, found: Sequence[Found], meter: Meter) -> tuple[Envelope, int, bytes]:
    entries: list[Sealed] = []
    files: dict[str, StoredFile] = {}
    for one in found:
        path = "/".join(one.parts)
        if one.kind == "directory":
            entries.append(Sealed(path, "folder"))
        elif one.kind == "symlink":
            entries.append(Sealed(path, "link", target=_target(one.path)))
        else:
            entry, stored = _file(session, one, meter)
            entries.append(entry)
            # Such a name tells nothing, not even an order.
            files[os.urandom(16).hex()] = stored
    key = os.urandom(sealed.KEY_BYTES)
    index = sealed.seal(key, "index", os.urandom(sealed.SALT_BYTES), [envelope.encode_index(entries)])
    files[envelope.INDEX_NAME] = session.file(index)
    built = session.directory(files)
    size_bytes = sum(entry.size_bytes for entry in entries)
    return Envelope("folder", built.cid, size_bytes, b""), built.total_bytes, key


def _file(session: PutSession, entry: Found, meter: Meter) -> tuple[Sealed, StoredFile]:
    key, salt = os.urandom(sealed.KEY_BYTES), os.urandom(sealed.SALT_BYTES)
    with explained(entry.path):
        # Without O_NONBLOCK a named pipe would keep the call waiting for a writer.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (os.O_NOFOLLOW if entry.parts else 0)
        source = os.open(entry.path, flags)
    try:
        before = os.fstat(source)
        pieces = sealed.seal(key, "file", salt, _pieces(source, before.st_size, meter))
        stored = session.file(pieces, size_bytes=sealed.sealed_bytes(before.st_size))
        after = os.fstat(source)
    except VerificationFailed as error:
        raise _changed(entry.path) from error
    finally:
        os.close(source)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise _changed(entry.path)
    return Sealed("/".join(entry.parts), "file", before.st_size, stored.cid, key), stored


def _pieces(source: int, size_bytes: int, meter: Meter) -> Iterator[bytes]:
    """Yield what a file held when it was opened, and at most one piece of what it grew by."""
    done = 0
    while done <= size_bytes:
        current().check()
        piece = os.read(source, _PIECE_BYTES)
        if not piece:
            return
        done += len(piece)
        meter.add(len(piece))
        yield piece


def _changed(path: Path) -> Conflict:
    return Conflict(f"{path} changed while it was read", suggestion="run the command again")


def _target(path: Path) -> str:
    with explained(path):
        target = os.readlink(path)
    try:
        target.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Invalid(f"the symbolic link {str(path)!r} leads to a name that is not text") from error
    return target
