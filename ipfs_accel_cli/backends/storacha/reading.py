"""Reading a DAG through a trustless gateway: what comes is followed from the root on, and nothing else is believed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from ipfs_accel_cli.backends.base import Scope
from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.selection import ByteRange, select
from ipfs_accel_cli.content.walk import block_key
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, LimitReached, TryAgain, Unavailable, classified
from ipfs_accel_cli.core.http import client, explained, refuse

if TYPE_CHECKING:
    import httpx

_CAR = "application/vnd.ipld.car; version=1; order=dfs; dups=y"
_RAW = "application/vnd.ipld.raw"
_HELD_BYTES = 64 << 20  # Of blocks that came before they were due.


def read_dag(gateway: str, root: CID, path: str, scope: Scope, span: tuple[int, int | None] | None) -> Iterator[Block]:
    """Yield the blocks as `Dags.get_dag`; raises what it may."""
    current().needs_network(f"fetching {root}")
    query = f"format=car&dag-scope={'entity' if span else scope}"
    if span:
        query += f"&entity-bytes={span[0]}:{'*' if span[1] is None else span[1]}"
    below = f"/{quote(path.strip('/'))}" if path.strip("/") else ""
    with _opened(f"{gateway}/ipfs/{root}{below}?{query}", _CAR, str(root)) as response, _translated():
        reader = car.open_reader(_Stream(response.iter_raw()))
        arriving = _Arriving(reader.blocks, gateway)
        byte_range = ByteRange(*span) if span else None
        for block in select(root, path, "entity" if span else scope, byte_range, arriving):
            current().check()
            yield block


@dataclass(slots=True)
class _Arriving:
    """Hands out blocks in the order in which they are due, whatever the order in which they come."""

    blocks: Iterator[Block]
    gateway: str
    held: dict[bytes, bytes] = field(default_factory=dict)
    inner: dict[bytes, bytes] = field(default_factory=dict)
    given: set[bytes] = field(default_factory=set)
    held_bytes: int = 0

    def __call__(self, cid: CID) -> bytes:
        key = block_key(cid)
        data = self.inner.get(key)
        if data is None:
            data = self._next(cid, key)
        self.given.add(key)
        if cid.codec != RAW:
            self.inner[key] = data
        return data

    def _next(self, cid: CID, key: bytes) -> bytes:
        if key in self.held:
            data = self.held.pop(key)
            self.held_bytes -= len(data)
            return data
        if key in self.given:  # Due a second time, and not all gateways send it twice.
            return self._alone(cid)
        for block in self.blocks:
            other = block_key(block.cid)
            if other == key:
                return block.data
            if other not in self.given:
                self._hold(other, block.data)
        raise TryAgain(f"the gateway's answer ends before the block {cid}")

    def _hold(self, key: bytes, data: bytes) -> None:
        self.held_bytes += len(data) if key not in self.held else 0
        self.held[key] = data
        if self.held_bytes > _HELD_BYTES:
            raise LimitReached(f"the gateway sends over {_HELD_BYTES >> 20} MiB of blocks before they are due")

    def _alone(self, cid: CID) -> bytes:
        with _opened(f"{self.gateway}/ipfs/{cid}?format=raw", _RAW, str(cid)) as response:
            data = _Stream(response.iter_raw()).read(car.MAX_BLOCK_BYTES + 1)
        cid.verify(data)
        return data


@dataclass(slots=True)
class _Stream:
    """The bytes of an answer as a reader wants them."""

    pieces: Iterator[bytes]
    rest: bytes = b""

    def read(self, size: int, /) -> bytes:
        parts, missing = [], size
        while missing:
            if not self.rest:
                self.rest = next(self.pieces, b"")
                if not self.rest:
                    break
            part, self.rest = self.rest[:missing], self.rest[missing:]
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


@contextmanager
def _opened(url: str, media_type: str, what: str) -> Iterator[httpx.Response]:
    headers = {"Accept": media_type, "Accept-Encoding": "identity"}
    with explained(what), client(guarded=True) as opened, opened.stream("GET", url, headers=headers) as response:
        refuse(response, what)
        told = response.headers.get("content-type", "")
        if not told.startswith(media_type.partition(";")[0]):
            raise Unavailable(f"{what}: the gateway answers with {told or 'no type'} instead of a CAR")
        yield response


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ContentError as error:
        known: AccelError | None = classified(error)
        raise known or error from error
