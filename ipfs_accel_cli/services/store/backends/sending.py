"""Sending a DAG to a backend: what is there already does not travel, and success is only what was proven there."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from ipfs_accel_cli.backends.base import Backend, Batch, Blocks, Body, Dags, Files, Receipt, TakesDags
from ipfs_accel_cli.backends.keys import checked_key
from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.services.store.backends import layout
from ipfs_accel_cli.services.store.backends.copies import Copies, How, Known
from ipfs_accel_cli.services.store.backends.layout import LaidFile, Layout
from ipfs_accel_cli.services.store.backends.outgoing import Outgoing, body_of, body_of_file
from ipfs_accel_cli.services.store.backends.results import Copied
from ipfs_accel_cli.services.store.exporting import dag_blocks
from ipfs_accel_cli.services.store.reading import Reader


class Sending:
    """One DAG on its way to one backend."""

    def __init__(self, reader: Reader, copies: Copies, backend: Backend, root: CID, path: str) -> None:
        self._reader = reader
        self._copies = copies
        self._backend = backend
        self._root = root
        self._path = path
        self._meter = _Meter(f"Sending to {backend.name}")

    def run(self, scratch: Path) -> Copied:
        """Send it; `scratch` is a folder for a file in the meantime.

        Raises NotFound for a DAG that is not complete here, Invalid for a backend that takes no content, Conflict where
        other bytes lie under the path, VerificationFailed for a file that is damaged here or that came back damaged.
        """
        backend = self._backend
        if backend.traits.read_only:
            raise Invalid(f"{backend.name} is only read", suggestion="ipfs-accel store backend ls")
        if isinstance(backend, TakesDags):
            return self._as_dag(backend)
        if isinstance(backend, Files):
            return self._as_files(backend, scratch)
        raise UnsupportedContent(
            f"{backend.name} takes no content: it is told by CID what to fetch",
            suggestion=f"ipfs-accel store pin add {self._root} --on {backend.name}",
        )

    def _as_dag(self, backend: TakesDags) -> Copied:
        if self._path:
            raise Invalid(f"{self._backend.name} keeps DAGs by their CID; leave the path out")
        self._meter.total_bytes = self._reader.look(self._root).total_bytes
        receipt = backend.put_dag(self._root, Blocks(self._blocks))
        how = self._proven(receipt)
        size_bytes = self._meter.done_bytes
        self._copies.note([Known(self._root, self._backend.name, receipt.locator, True, size_bytes, None, how)])
        if receipt.sent_bytes is not None:
            self._meter.done_bytes = receipt.sent_bytes
        return self._copied(str(self._root), 0, size_bytes, how)

    def _blocks(self) -> Iterator[tuple[CID, bytes]]:
        self._meter.done_bytes = 0
        return dag_blocks(self._reader.index, self._reader.blocks, [self._root], self._meter.add)

    def _as_files(self, backend: Files, scratch: Path) -> Copied:
        out = Outgoing.of(self._reader, self._root)
        path = checked_key(self._path or layout.default_path(self._root))
        laid = Layout(self._root, path, tuple(self._laid(out, path)))
        bodies = [(self._metered(body_of(out.files[one.cid].object, one.cid)), one.key) for one in laid.files]
        self._meter.total_bytes = laid.size_bytes
        with tempfile.TemporaryFile(dir=scratch) as file, tempfile.TemporaryFile(dir=scratch) as beside:
            key = layout.key_of(self._root, path)
            closing = [(_archive(file, out, _with_layout(laid, out), laid.encode()[0]), key)]
            if any(True for _ in out.nodes()):
                closing.insert(0, (_archive(beside, out, out.nodes()), layout.nodes_key(key)))
            receipts = self._put(backend, path, [*bodies, *closing])
        how: How = "checksum"
        for (body, key), receipt in zip([*bodies, *closing], receipts, strict=True):
            if receipt.proof == "reread":
                how = "reread"
            if receipt.proof == "none":
                reread(backend, receipt.locator, body, f"{self._backend.name}:{key}")
                how = "reread"
        locators = [receipt.locator for receipt in receipts]
        self._copies.note(
            [
                *(
                    Known(one.cid, self._backend.name, locator, False, one.size_bytes, one.sha256, how)
                    for one, locator in zip(laid.files, locators, strict=False)
                ),
                Known(self._root, self._backend.name, locators[-1], True, laid.size_bytes, None, how),
            ]
        )
        return self._copied(path, len(laid.files), laid.size_bytes + sum(body.size_bytes for body, _ in closing), how)

    def _put(self, backend: Files, path: str, bodies: list[tuple[Body, str]]) -> list[Receipt]:
        if isinstance(backend, Batch):
            return list(backend.put_all(bodies))
        there = {found.key for found in backend.scan(path)} if self._backend.traits.lists else set[str]()
        receipts = []
        for body, key in bodies:  # The layout is the last: where it lies, all that it names does.
            before = self._meter.done_bytes
            receipts.append(backend.put(body, key))
            if key in there:  # What was read of it was compared, and not sent.
                self._meter.done_bytes = before
        return receipts

    def _laid(self, out: Outgoing, path: str) -> Iterator[LaidFile]:
        for key, cid in layout.keys_under(path, out.named):
            file = out.files[cid]
            yield LaidFile(checked_key(key), cid, file.object.sha256, file.object.size_bytes, file.profile or "")

    def _metered(self, body: Body) -> Body:
        def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
            for piece in body.read(offset, length):
                self._meter.add(len(piece))
                yield piece

        return replace(body, read=read)

    def _proven(self, receipt: Receipt) -> How:
        if receipt.proof != "none":
            return "reread" if receipt.proof == "reread" else "cid"
        if not isinstance(self._backend, Dags):
            raise VerificationFailed(f"{self._backend.name} does not say what it keeps of {self._root}")
        for _ in self._backend.get_dag(self._root):
            current().check()
        return "reread"

    def _copied(self, path: str, files: int, size_bytes: int, how: How) -> Copied:
        return Copied(
            cid=str(self._root),
            backend=self._backend.name,
            path=path,
            files=files,
            size_bytes=size_bytes,
            sent_bytes=self._meter.done_bytes,
            unchanged=self._meter.done_bytes == 0,
            proof=how,
        )


class _Meter:
    """The bytes that were read to be sent."""

    def __init__(self, message: str) -> None:
        self._message = message
        self.total_bytes: int | None = None
        self.done_bytes = 0

    def add(self, count: int) -> None:
        self.done_bytes += count
        current().progress(self.done_bytes, self.total_bytes, self._message, unit="bytes")


def _archive(file: IO[bytes], out: Outgoing, blocks: Iterator[tuple[CID, bytes]], *first: CID) -> Body:
    """Write a CAR into a file."""
    size_bytes = car.write(file, [*first, out.root], blocks)
    file.flush()
    body = body_of_file(file.fileno(), size_bytes, b"")
    hashed = hashlib.sha256()
    for piece in body.read(0, None):
        hashed.update(piece)
    return replace(body, sha256=hashed.digest())


def _with_layout(laid: Layout, out: Outgoing) -> Iterator[tuple[CID, bytes]]:
    yield laid.encode()
    yield from out.blocks()


def reread(backend: Files, locator: str, body: Body, what: str) -> None:
    """Read back what a place says nothing of; raises VerificationFailed, and takes away what is not what was sent."""
    hashed, size_bytes = hashlib.sha256(), 0
    for piece in backend.open(locator):
        current().check()
        hashed.update(piece)
        size_bytes += len(piece)
    if (hashed.digest(), size_bytes) != (body.sha256, body.size_bytes):
        backend.delete(locator)
        raise VerificationFailed(f"{what} came back with other bytes than were sent, and was deleted there")
