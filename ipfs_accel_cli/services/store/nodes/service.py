"""What an IPFS node is asked for beyond content: its neighbours, the DHT, its paths, and how it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import Invalid, VerificationFailed
from ipfs_accel_cli.services.store.nodes.results import (
    NodeCollected,
    NodeConnection,
    NodeEntries,
    NodeEntry,
    NodePathRemoved,
    NodePeer,
    NodePeers,
    NodeStats,
    Provided,
)

if TYPE_CHECKING:
    from ipfs_accel_cli.backends.ipfs.answers import Entry, Peer
    from ipfs_accel_cli.backends.ipfs.backend import Node


class Nodes:
    """The nodes among the backends of one home; `at(name)` opens a line to one, as the owner."""

    def __init__(self, at: Callable[[str], AbstractContextManager[Node]]) -> None:
        self._at = at

    def peers(self, on: str) -> NodePeers:
        """Say whom a node is connected to."""
        with self._at(on) as node:
            return _peers(on, node.state.peers())

    def addresses(self, on: str) -> NodePeers:
        """Say whose addresses a node knows."""
        with self._at(on) as node:
            return _peers(on, node.state.addresses())

    def connect(self, address: str, on: str) -> NodeConnection:
        """Let a node connect to another; raises RemoteFailed where it cannot."""
        return self._connection(address, on, connect=True)

    def disconnect(self, address: str, on: str) -> NodeConnection:
        """Let a node close its connection to another."""
        return self._connection(address, on, connect=False)

    def providers(self, cid: str, on: str, most: int) -> NodePeers:
        """Ask the network of a node who has a block."""
        if most < 1:
            raise Invalid(f"--most is at least 1, not {most}")
        wanted = _cid(cid)
        with self._at(on) as node:
            return _peers(on, node.naming.providers(wanted, most))

    def provide(self, cid: str, on: str) -> Provided:
        """Let a node tell its network that it has a block."""
        wanted = _cid(cid)
        with self._at(on) as node:
            node.naming.provide(wanted)
        return Provided(on=on, cid=str(wanted))

    def stats(self, on: str) -> NodeStats:
        """Say how much a node keeps, and what it exchanged."""
        with self._at(on) as node:
            repo, traffic, exchange = node.state.repo(), node.state.traffic(), node.state.exchange()
        return NodeStats(
            on=on,
            blocks=repo.blocks,
            size_bytes=repo.size_bytes,
            max_bytes=repo.max_bytes,
            repo_version=repo.version,
            received_bytes=traffic.received_bytes,
            sent_bytes=traffic.sent_bytes,
            receiving_bytes_s=traffic.received_bytes_s,
            sending_bytes_s=traffic.sent_bytes_s,
            exchanged_blocks_in=exchange.blocks_received,
            exchanged_blocks_out=exchange.blocks_sent,
            wanted=[str(cid) for cid in exchange.wanted],
            peers=list(exchange.peers),
        )

    def collect(self, on: str) -> NodeCollected:
        """Let a node remove what nothing there holds."""
        with self._at(on) as node:
            return NodeCollected(on=on, blocks=sum(1 for _ in node.state.collect()))

    def entries(self, path: str, on: str) -> NodeEntries:
        """List a directory of a node; raises NotFound."""
        asked = _path(path)
        with self._at(on) as node:
            return NodeEntries(on=on, path=asked, entries=[_entry(one) for one in node.folders.list(asked)])

    def entry(self, path: str, on: str) -> NodeEntry:
        """Say what lies at a path of a node; raises NotFound."""
        asked = _path(path)
        with self._at(on) as node:
            return _entry(node.folders.stat(asked))

    def make(self, path: str, on: str) -> NodeEntry:
        """Make a directory at a node, and those above it."""
        asked = _path(path)
        with self._at(on) as node:
            node.folders.make(asked)
            return _entry(node.folders.stat(asked))

    def copy(self, source: str, path: str, on: str) -> NodeEntry:
        """Give a CID, or what lies at another path, a path of a node; raises Conflict for one that is taken.

        Raises VerificationFailed where another CID lies there afterwards.
        """
        target = _path(path)
        with self._at(on) as node:
            cid = node.folders.stat(source).cid if source.startswith("/") else _cid(source)
            node.folders.copy(cid, target)
            made = node.folders.stat(target)
        if made.cid.multihash != cid.multihash:
            raise VerificationFailed(f"{target} at {on} is {made.cid}, and not {cid}")
        return _entry(made)

    def remove(self, path: str, on: str) -> NodePathRemoved:
        """Take a path away with all below it; raises Invalid for the root."""
        asked = _path(path)
        if not asked.strip("/"):
            raise Invalid("the root of a node stays; name a path below it")
        with self._at(on) as node:
            node.folders.remove(asked)
        return NodePathRemoved(on=on, path=asked)

    def _connection(self, address: str, on: str, *, connect: bool) -> NodeConnection:
        if not address.startswith("/") or "/p2p/" not in address:
            raise Invalid(f"{address[:80]!r} is no address of a node: /ip4/…/tcp/…/p2p/PEER")
        with self._at(on) as node:
            (node.state.connect if connect else node.state.disconnect)(address)
        return NodeConnection(on=on, address=address, connected=connect)


def _cid(text: str) -> CID:
    try:
        return CID.parse(text)
    except ContentError as error:
        raise Invalid(f"{text[:80]!r} is no CID: {error}") from error


def _path(path: str) -> str:
    if not path.startswith("/") or any(part in (".", "..") for part in path.split("/")):
        raise Invalid(f"{path[:80]!r} is no path of a node: it begins with /, and has no . or .. in it")
    return path


def _peers(on: str, peers: Iterable[Peer]) -> NodePeers:
    return NodePeers(on=on, peers=[NodePeer(id=peer.id, addresses=list(peer.addresses)) for peer in peers])


def _entry(entry: Entry) -> NodeEntry:
    return NodeEntry(name=entry.name, kind=entry.kind, size_bytes=entry.size_bytes, cid=str(entry.cid))
