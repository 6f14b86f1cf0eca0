"""A small trustless gateway that can lie: blocks in memory, and a hand in what it sends."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.blocks import ReadBlock
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import MissingBlock, NoSuchPath
from ipfs_accel_cli.content.selection import ByteRange, select
from tests.servers.serving import Handler, Site, serving

RAW, CAR = "application/vnd.ipld.raw", "application/vnd.ipld.car; version=1; order=dfs; dups=y"


@dataclass
class Hand:
    """What is done to the answers.

    `blocks` changes those of a CAR, `raw` a single one, `cut_bytes` ends a CAR as if it were whole, `endless` goes on
    with these bytes for ever, `kind` is another content type and `car_kind` that of CARs alone, `page` is answered to
    everything, `moved` is where all requests are sent on to, and `refuses` answers CARs (`car`), blocks (`raw`) or HEAD
    (`HEAD`) with a status.
    """

    blocks: Callable[[list[Block]], Iterable[Block]] = field(default=lambda blocks: blocks)
    raw: Callable[[bytes], bytes] = field(default=lambda data: data)
    cut_bytes: int | None = None
    endless: Iterator[bytes] | None = None
    kind: str = ""
    car_kind: str = CAR
    page: bytes | None = None
    moved: str = ""
    refuses: Mapping[str, int] = field(default_factory=dict)


class PlainGateway(Site):
    """`sent` holds the blocks that left it, one by one or in CARs."""

    def __init__(self, blocks: Mapping[CID, bytes]) -> None:
        super().__init__()
        self.blocks = {bytes(cid.to_v1()): data for cid, data in blocks.items()}
        self.hand = Hand()
        self.sent: list[CID] = []
        self.logins: list[str] = []

    def answer(self, handler: Handler) -> None:
        self.logins.append(handler.headers.get("authorization", ""))
        parts = urlsplit(handler.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        root, _, path = unquote(parts.path).removeprefix("/ipfs/").partition("/")
        if self.hand.moved:
            return handler.reply(301, b"", {"Location": f"{self.hand.moved}{handler.path}"})
        if self.hand.page is not None:
            return handler.reply(200, self.hand.page, {"Content-Type": "text/html"})
        if (status := self.hand.refuses.get(handler.command) or self.hand.refuses.get(asked["format"])) is not None:
            return handler.reply(status, b"")
        try:
            if asked["format"] == "raw":
                return self._block(handler, CID.parse(root))
            return self._car(handler, CID.parse(root), path, asked)
        except (MissingBlock, NoSuchPath) as error:
            return handler.reply(404, str(error).encode())

    def read(self, cid: CID) -> bytes:
        try:
            return self.blocks[bytes(cid.to_v1())]
        except KeyError:
            raise MissingBlock(cid) from None

    def _block(self, handler: Handler, cid: CID) -> None:
        data = b"" if str(cid) == "bafkqaaa" else self.read(cid)
        self.sent.append(cid)
        handler.send_file(str(cid), self.hand.raw(data), {"Content-Type": self.hand.kind or RAW})

    def _car(self, handler: Handler, root: CID, path: str, asked: Mapping[str, str]) -> None:
        span = ByteRange.parse(asked["entity-bytes"]) if "entity-bytes" in asked else None
        scope = asked.get("dag-scope", "all")
        read: ReadBlock = self.read
        chosen = list(select(root, path, scope, span, read, duplicates=True))  # type: ignore[arg-type]
        stream = io.BytesIO()
        blocks = list(self.hand.blocks(chosen))
        self.sent += [block.cid for block in blocks]
        car.write(stream, [root], blocks)
        data, kind = stream.getvalue()[: self.hand.cut_bytes], {"Content-Type": self.hand.kind or self.hand.car_kind}
        if self.hand.endless is None:
            return handler.send_file("car", data, kind)
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("Content-Type", CAR)
        handler.end_headers()
        handler.wfile.write(data)
        for piece in self.hand.endless:
            handler.wfile.write(piece)
        return None


@contextmanager
def plain_gateway(blocks: Mapping[CID, bytes]) -> Iterator[PlainGateway]:
    """Serve blocks for the block."""
    site = PlainGateway(blocks)
    with serving(site):
        yield site


def section(cid: CID, data: bytes) -> bytes:
    """Return one block as it stands in a CAR."""
    stream = io.BytesIO()
    car.write(stream, [], [])
    before = stream.tell()
    car.write(stream, [], [(cid, data)])
    return stream.getvalue()[2 * before :]
