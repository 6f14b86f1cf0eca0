"""An IPFS node as a place that keeps DAGs, pins what it is told to, and spreads names."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from ipfs_accel_cli.backends.base import Config, Health, Pin, Receipt, Scope, Traits
from ipfs_accel_cli.backends.dags import checked, lacking, told
from ipfs_accel_cli.backends.ipfs.content import Content
from ipfs_accel_cli.backends.ipfs.folders import Folders
from ipfs_accel_cli.backends.ipfs.line import Line, Server
from ipfs_accel_cli.backends.ipfs.naming import Naming
from ipfs_accel_cli.backends.ipfs.state import State
from ipfs_accel_cli.content.blocks import is_inline
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.resolve import resolve
from ipfs_accel_cli.content.selection import ByteRange, select
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Invalid,
    NotAuthorised,
    NotFound,
    Offline,
    Unavailable,
    VerificationFailed,
)

_WRITES = ("dag/import", "pin/add", "pin/rm")
# Each needs an argument, so that asking for it without one does nothing.
_PROBED = (
    *_WRITES,
    "dag/export",
    "block/get",
    "block/put",
    "block/stat",
    "cat",
    "name/publish",
    "key/gen",
    "key/export",
    "key/import",
    "routing/findprovs",
    "routing/provide",
    "routing/get",
    "routing/put",
    "files/cp",
    "swarm/connect",
)


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is spoken to, by what its calls are about."""

    line: Line
    content: Content
    naming: Naming
    folders: Folders
    state: State


class IpfsBackend:
    """A node by its RPC, at `url`; its token is sent as a bearer's, or as a login where it is `user:password`.

    It answers for what it keeps itself; with the option `fetch=true` it looks for the rest on its network.
    """

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self.traits = Traits(addresses_by_cid=True)
        self._server = Server.of(config)
        if (fetch := config.get("fetch", "false")) not in ("true", "false"):
            raise Invalid(f"fetch is true or false, not {fetch!r}")
        self._fetch = fetch == "true"

    @contextmanager
    def node(self) -> Iterator[Node]:
        """Open a line to the node for the block, for what is beyond the contracts of backends."""
        with self._server.opened() as line:
            yield Node(line, Content(line, fetch=self._fetch), Naming(line), Folders(line), State(line))

    def health(self) -> Health:
        """Say which version of what runs there, what it lacks, and whether it takes more."""
        began = time.perf_counter()
        try:
            with self.node() as node:
                version = node.state.version()
                took = 1000 * (time.perf_counter() - began)
                identity, repo = node.state.id(), node.state.repo()
                lacks = node.line.lacks(*_PROBED)
        except Offline:
            raise
        except NotAuthorised as error:
            # Only the owner's calls get as far as the node wherever it is.
            return Health(True if current().folders is None else None, error.detail, writable=False)
        except AccelError as error:
            return Health(False, error.detail)
        writable = repo.size_bytes < repo.max_bytes and not any(call in lacks for call in _WRITES)
        detail = f"{identity.agent}, {identity.id}, {repo.blocks} blocks"
        return Health(True, detail, round(took, 3), version.number, writable, lacks)

    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        """Yield whole DAGs as the node exports them, and of parts just the blocks that prove them, one at a time."""
        with self.node() as node, told(f"the node of {self.name}"):
            if scope != "all" or span is not None:
                wanted = ByteRange(*span) if span else None
                yield from self._each(select(root, path, scope, wanted, node.content.block))
                return
            way: dict[CID, bytes] = {}

            def step(cid: CID) -> bytes:
                way[cid] = node.content.block(cid)
                return way[cid]

            end = resolve(root, path, step) if path.strip("/") else None
            if end is not None and end.remaining:  # A part of a document, whose block has more links than that.
                yield from self._each(select(root, path, scope, None, node.content.block))
                return
            target = end.cid if end else root
            yield from (Block(cid, data) for cid, data in way.items() if cid != target)
            if is_inline(target):
                yield from self._each(select(target, "", scope, None, node.content.block))
                return
            if target not in way and not self._fetch and not node.content.has([target]):
                raise NotFound(f"the node of {self.name} does not have {target}")
            yield from node.content.dag(target)

    def has(self, cids: Sequence[CID]) -> set[CID]:
        """Ask the node for each of them; it looks on no network."""
        with self.node() as node:
            return node.content.has(cids)

    def put_dag(self, root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Receipt:
        """Send what the node lacks of a DAG as a CAR, and let the node pin it; each block is hashed before it goes.

        Kubo hashes what arrives; from another node all of it is read back.
        """
        size_bytes = sent_bytes = 0

        def counted() -> Iterator[tuple[CID, bytes]]:
            nonlocal size_bytes
            for cid, data in blocks:
                size_bytes += len(data)
                current().progress(size_bytes, None, f"Sending {root} to {self.name}", unit="bytes")
                yield cid, data

        def missing(node: Node) -> Iterator[tuple[CID, bytes]]:
            nonlocal sent_bytes
            for cid, data in lacking(root, checked(root, counted()), node.content.known):
                sent_bytes += len(data)
                yield cid, data

        with self.node() as node:
            if node.content.keeps(root):
                for _ in checked(root, counted()):  # What was handed over is to be whole all the same.
                    current().check()
            else:
                node.content.bring(root, missing(node))
            if not node.state.version().checks_blocks:
                self._read_back(node, root)
        return Receipt(str(root), size_bytes, "cid", sent_bytes=sent_bytes)

    def remove_dag(self, root: CID) -> None:
        """Take the pin off; the node's own collection removes the blocks."""
        self.unpin(root)

    def dags(self) -> Iterator[CID]:
        """Yield the roots of all recursive pins."""
        yield from (pin.cid for pin in self.pins())

    def pin(self, cid: CID, name: str = "", origins: Sequence[str] = ()) -> Pin:
        """Connect the node to the origins where that works, and let it pin; says whom it did not reach."""
        missed = []
        with self.node() as node:
            for origin in origins:
                try:
                    node.state.connect(origin)
                except (Offline, Unavailable):
                    raise
                except AccelError as error:
                    missed.append(f"{origin}: {error.detail}")
            pin = node.content.pin(cid, name)
        lost = [f"the node keeps no name {name!r}"] if name and pin.name != name else []
        unreached = [f"not connected to {one}" for one in missed]
        return replace(pin, cid=cid, detail="; ".join([*unreached, *lost]))

    def pins(self, cid: CID | None = None, name: str | None = None, status: str | None = None) -> Iterator[Pin]:
        """Yield recursive pins; a node knows no times, so they come in its own order."""
        if status not in (None, "pinned"):
            current().needs_network(f"asking {self.name}")
            return
        with self.node() as node:
            yield from (pin for pin in node.content.pins(cid) if name is None or pin.name == name)

    def unpin(self, cid: CID) -> None:
        """Take the pin off."""
        with self.node() as node:
            node.content.unpin(cid)

    def publish(self, name: CID, record: bytes) -> None:
        """Bring a signed record to the network; raises UnsupportedContent where the node has no call for that."""
        with self.node() as node:
            node.naming.put_record(name, record)

    def resolve(self, name: CID) -> bytes:
        """Return the newest record that the node finds; raises UnsupportedContent as `publish` does."""
        with self.node() as node:
            return node.naming.get_record(name)

    def _read_back(self, node: Node, root: CID) -> None:
        done = 0
        try:
            for block in node.content.dag(root):
                done += len(block.data)
                current().progress(done, None, f"Reading {root} back from {self.name}", unit="bytes")
        except VerificationFailed:
            with suppress(AccelError):
                node.content.unpin(root)
            raise

    @staticmethod
    def _each(blocks: Iterable[Block]) -> Iterator[Block]:
        for block in blocks:
            current().check()
            yield block
