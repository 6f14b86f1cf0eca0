"""A round trip: something small goes to a backend, is read back, in part too, and is taken away again."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator

from ipfs_accel_cli.backends.base import Backend, Body, Dags, Files, Replaces, TakesDags
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.errors import AccelError, VerificationFailed
from ipfs_accel_cli.services.store.backends.results import Step

_SIZE_BYTES = 64 << 10
_FOLDER = ".ipfs-accel/round-trip"


def round_trip(backend: Backend) -> Iterator[Step]:
    """Yield how each step went; the steps after one that failed are skipped."""
    if backend.traits.read_only:
        yield Step(name="put", state="skipped", detail="it is only read")
        return
    data = os.urandom(_SIZE_BYTES)
    if isinstance(backend, Files):
        yield from _steps(_files(backend, data))
    elif isinstance(backend, TakesDags):
        yield from _steps(_dags(backend, data))
    else:
        yield Step(name="put", state="skipped", detail="it keeps neither files nor DAGs that are sent to it")


def _files(backend: Files, data: bytes) -> Iterator[tuple[str, Callable[[], object]]]:
    key = f"{_FOLDER}/{os.urandom(8).hex()}"
    body = Body(len(data), hashlib.sha256(data).digest(), lambda offset, length: iter([_cut(data, offset, length)]))
    locators: list[str] = []
    yield "put", lambda: locators.append(backend.put(body, key).locator)
    yield "read", lambda: _same(b"".join(backend.open(locators[0])), data)
    yield "range", lambda: _same(b"".join(backend.open(locators[0], 1000, 100)), data[1000:1100])
    yield "stat", lambda: _same(getattr(backend.stat(key), "size_bytes", None), len(data))
    if isinstance(backend, Replaces):
        yield "replace", lambda: _replaced(backend, key, data[::-1])
    yield "delete", lambda: backend.delete(locators[0])


def _replaced(backend: Replaces, key: str, data: bytes) -> str:
    assert isinstance(backend, Files)
    seen = backend.stat(key)
    if seen is None:
        raise VerificationFailed("what was put is not there")
    body = Body(len(data), hashlib.sha256(data).digest(), lambda offset, length: iter([_cut(data, offset, length)]))
    _same(b"".join(backend.open(backend.replace(body, key, seen).locator)), data)
    return "" if backend.guards() else "at once, but a change just before it would be lost: the place has no condition"


def _dags(backend: TakesDags, data: bytes) -> Iterator[tuple[str, Callable[[], object]]]:
    root = CID.of(data, RAW)
    yield "put", lambda: backend.put_dag(root, [(root, data)])
    if isinstance(backend, Dags):
        reads = backend
        yield "read", lambda: _same(b"".join(block.data for block in reads.get_dag(root)), data)
    yield "remove", lambda: backend.remove_dag(root)


def _steps(work: Iterator[tuple[str, Callable[[], object]]]) -> Iterator[Step]:
    failed = False
    for name, step in work:
        if failed and name not in ("delete", "remove"):
            yield Step(name=name, state="skipped")
            continue
        began = time.perf_counter()
        try:
            told = step()
        except (AccelError, IndexError) as error:
            failed = True
            yield Step(name=name, state="failed", detail=getattr(error, "detail", "nothing was put"))
            continue
        detail = told if isinstance(told, str) else ""
        yield Step(name=name, state="ok", detail=detail, latency_ms=round(1000 * (time.perf_counter() - began), 3))


def _cut(data: bytes, offset: int, length: int | None) -> bytes:
    return data[offset:] if length is None else data[offset : offset + length]


def _same(found: object, wanted: object) -> None:
    if found != wanted:
        raise VerificationFailed("what came back is not what was put")
