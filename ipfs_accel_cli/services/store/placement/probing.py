"""Probing: something is sent to a backend, read back and taken away, to see how long that takes."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from ipfs_accel_cli.backends.base import Backend, Body, Dags, Files, TakesDags
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Unavailable, VerificationFailed
from ipfs_accel_cli.services.store.backends.copies import Copies
from ipfs_accel_cli.services.store.placement.averages import LEAST_TRANSFER_BYTES
from ipfs_accel_cli.services.store.placement.results import Probed

Note = Callable[[str, str, int, float, str | None], None]

_FOLDER = ".ipfs-accel/probe"
_SMALL_BYTES = 1 << 10
# More than this no server of DAGs takes as one block.
_BLOCK_BYTES = 1 << 20


@dataclass(slots=True)
class Probe:
    """One look at one backend, whose calls are measured by what wraps it; `note` is told where it is down."""

    name: str
    backend: Backend
    copies: Copies
    note: Note
    size_bytes: int
    _latencies: list[float] = field(default_factory=list)
    _rates: dict[str, float] = field(default_factory=dict)
    _moved: int = 0

    def run(self, *, read_only: bool = False) -> Probed:
        """Probe it; what goes wrong at the backend is told in the result and not raised."""
        try:
            self._ask()
            detail = self._look(read_only=read_only or self.backend.traits.read_only)
        except Cancelled:
            raise
        except AccelError as error:
            return self._probed("failed", error.detail)
        return self._probed("ok", detail)

    def _ask(self) -> None:
        self.backend.health()  # The first question loads libraries, and tells nothing of the place.
        began = time.perf_counter()
        health = self.backend.health()
        self._latencies.append(time.perf_counter() - began)
        if health.reachable is False:
            # It is told in an answer, so that whoever measures calls sees no error.
            self.note(self.name, "health", 0, self._latencies[-1], Unavailable.code)
            raise Unavailable(health.detail, suggestion=f"ipfs-accel store backend test {self.name}")

    def _look(self, *, read_only: bool) -> str:
        if not read_only and isinstance(self.backend, Files):
            self._files(self.backend)
            return "put, read and deleted a file"
        if not read_only and isinstance(self.backend, TakesDags):
            self._dags(self.backend)
            return "put, read and removed a block"
        return self._known()

    def _files(self, backend: Files) -> None:
        for size_bytes in sorted({min(_SMALL_BYTES, self.size_bytes), self.size_bytes}):
            data = os.urandom(size_bytes)
            body = Body(size_bytes, hashlib.sha256(data).digest(), _reader(data))
            key = f"{_FOLDER}/{os.urandom(8).hex()}"
            locator = key
            try:
                locator = self._timed("put", lambda body=body, key=key: backend.put(body, key).locator, size_bytes)  # type: ignore[misc]
                self._read("open", backend.open(locator), data)
            finally:
                with suppress(AccelError):
                    backend.delete(locator)

    def _dags(self, backend: TakesDags) -> None:
        for size_bytes in sorted({min(_SMALL_BYTES, self.size_bytes), min(_BLOCK_BYTES, self.size_bytes)}):
            data = os.urandom(size_bytes)
            root = CID.of(data, RAW)
            try:
                self._timed("put_dag", lambda root=root, data=data: backend.put_dag(root, [(root, data)]), size_bytes)  # type: ignore[misc]
                if isinstance(backend, Dags):
                    self._read("get_dag", (block.data for block in backend.get_dag(root)), data)
            finally:
                with suppress(AccelError):
                    backend.remove_dag(root)

    def _known(self) -> str:
        """Read something that lies there already."""
        backend = self.backend
        if isinstance(backend, Dags) and (known := self.copies.oldest_at(self.name)):
            self._read("get_dag", (block.data for block in backend.get_dag(known[-1].cid)))
            return f"read {known[-1].cid}"
        if isinstance(backend, Files) and (found := next(iter(backend.scan()), None)) is not None:
            self._read("open", backend.open(found.locator, 0, self.size_bytes))
            return f"read {found.key}"
        return "it answered; nothing that could be read is known there"

    def _read(self, operation: str, pieces: Iterator[bytes], wanted: bytes | None = None) -> None:
        """Read up to the size of the probe and compare."""
        hashed, done = hashlib.sha256(), 0

        def work() -> None:
            nonlocal done
            for piece in pieces:
                current().check()
                hashed.update(piece)
                done += len(piece)
                if done >= self.size_bytes and wanted is None:
                    return

        self._timed(operation, work, lambda: done)
        if wanted is not None and hashed.digest() != hashlib.sha256(wanted).digest():
            raise VerificationFailed(f"what came back from {self.name} is not what was put")

    def _timed(self, operation: str, work: Callable[[], object], size: int | Callable[[], int] = 0) -> str:
        began = time.perf_counter()
        result = work()
        seconds = time.perf_counter() - began
        size_bytes = size if isinstance(size, int) else size()
        if size_bytes >= LEAST_TRANSFER_BYTES:
            self._rates["write" if operation in ("put", "put_dag") else "read"] = size_bytes / seconds
        else:
            self._latencies.append(seconds)
        self._moved = max(self._moved, size_bytes)
        return result if isinstance(result, str) else ""

    def _probed(self, state: str, detail: str) -> Probed:
        waits = self._latencies
        return Probed(
            name=self.name,
            state="ok" if state == "ok" else "failed",
            latency_ms=round(1000 * sum(waits) / len(waits), 3) if waits else None,
            write_bytes_s=int(self._rates["write"]) if "write" in self._rates else None,
            read_bytes_s=int(self._rates["read"]) if "read" in self._rates else None,
            size_bytes=self._moved,
            detail=detail,
        )


def _reader(data: bytes) -> Callable[[int, int | None], Iterator[bytes | memoryview]]:
    def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
        yield data[offset:] if length is None else data[offset : offset + length]

    return read
