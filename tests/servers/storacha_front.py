"""What stands before Storacha's service in tests, and a trustless gateway to what its storage nodes hold."""

from __future__ import annotations

import http.client
import io
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, unquote, urlsplit

from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError, MissingBlock
from ipfs_accel_cli.content.selection import ByteRange, select
from tests.servers.serving import Handler, Site, serving
from tests.servers.storacha import Storacha


class Front(Site):
    """Passes requests on as they are; `gone` hangs up on everyone instead.

    So many answers are `lost` after the service has acted, and so many questions for receipts come too early (`late`).
    """

    def __init__(self, service: Storacha) -> None:
        super().__init__()
        self.service = service
        self.gone = False
        self.lost = self.late = 0

    def answer(self, handler: Handler) -> None:
        body = handler.body()
        if self.gone:
            handler.close_connection = True
            raise ConnectionResetError("gone")
        if self.late and handler.path.startswith("/receipt/"):
            self.late -= 1
            return handler.reply(404, b"not yet")
        target = urlsplit(self.service.url)
        connection = http.client.HTTPConnection(str(target.hostname), target.port, timeout=60)
        try:
            passed = {name: handler.headers[name] for name in ("accept", "content-type") if name in handler.headers}
            connection.request(handler.command, handler.path, body, passed)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        if self.lost:
            self.lost -= 1
            handler.close_connection = True
            raise ConnectionResetError("lost")
        return handler.reply(response.status, data, {"Content-Type": response.headers.get("content-type", "")})


class Gateway(Site):
    """Gives the DAGs whose shards were really uploaded."""

    def __init__(self, service: Storacha) -> None:
        super().__init__()
        self.service = service
        self.gone = False
        self._read: set[str] = set()
        self._blocks: dict[CID, bytes] = {}

    def answer(self, handler: Handler) -> None:
        if self.gone:
            handler.close_connection = True
            raise ConnectionResetError("gone")
        parts = urlsplit(handler.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        root, _, path = unquote(parts.path).removeprefix("/ipfs/").partition("/")
        self._refresh()
        if asked["format"] == "raw":
            return handler.send_file("raw", self._block(CID.parse(root)), {"Content-Type": "application/vnd.ipld.raw"})
        span = ByteRange.parse(asked["entity-bytes"]) if "entity-bytes" in asked else None
        stream = io.BytesIO()
        try:
            chosen = select(CID.parse(root), path, asked["dag-scope"], span, self._block)  # type: ignore[arg-type]
            car.write(stream, [CID.parse(root)], chosen)
        except ContentError as error:
            return handler.reply(404, str(error).encode())
        return handler.send_file("dag.car", stream.getvalue(), {"Content-Type": "application/vnd.ipld.car; version=1"})

    def _block(self, cid: CID) -> bytes:
        if cid not in self._blocks:
            raise MissingBlock(cid)
        return self._blocks[cid]

    def _refresh(self) -> None:
        for name in set(self.service.ask("state")["stored"]) - self._read:
            self._read.add(name)
            self._blocks.update(car.open_reader(io.BytesIO(self.service.blob(name))).blocks)


@contextmanager
def front(service: Storacha) -> Iterator[Front]:
    """Stand before a service for the block."""
    site = Front(service)
    with serving(site):
        yield site


@contextmanager
def gateway(service: Storacha) -> Iterator[Gateway]:
    """Serve what a service holds for the block."""
    site = Gateway(service)
    with serving(site):
        yield site
