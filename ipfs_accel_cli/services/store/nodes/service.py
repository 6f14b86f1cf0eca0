"""What an IPFS node is asked for beyond content: its neighbours, the DHT, its paths, and how it is."""

from __future__ import annotations

from collections.abc import Callable

from ipfs_accel_cli.content import libp2pkey
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import Invalid, VerificationFailed
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store.nodes.asking import At, asked, peers_of
from ipfs_accel_cli.services.store.nodes.folders import NodeFolders
from ipfs_accel_cli.services.store.nodes.results import (
    NodeCollected,
    NodeConnection,
    NodePeers,
    NodePing,
    NodeStats,
    NodeVerified,
)
from ipfs_accel_cli.services.store.nodes.routing import NodeRouting

Cat = Callable[[str, str | None, int, int | None], Blob]


class Nodes:
    """The nodes among the backends of one home; `at(name)` opens a line to one, as the owner.

    `routing` is what their networks know, `folders` the paths that they give to content. `cat` reads content at a
    backend, every byte proven; `name` reads the name of a key.
    """

    def __init__(self, at: At, cat: Cat, name: Callable[[str], CID], now_ns: Callable[[], int]) -> None:
        self._at = at
        self.routing = NodeRouting(at, name, now_ns)
        self.folders = NodeFolders(at, cat)

    def peers(self, on: str) -> NodePeers:
        """Say whom a node is connected to."""
        return peers_of(on, asked(self._at, on, lambda node: node.state.peers()))

    def addresses(self, on: str) -> NodePeers:
        """Say whose addresses a node knows."""
        return peers_of(on, asked(self._at, on, lambda node: node.state.addresses()))

    def connect(self, address: str, on: str) -> NodeConnection:
        """Let a node connect to another; raises RemoteFailed where it cannot."""
        return self._connection(address, on, connect=True)

    def disconnect(self, address: str, on: str) -> NodeConnection:
        """Let a node close its connection to another."""
        return self._connection(address, on, connect=False)

    def ping(self, peer: str, on: str, count: int) -> NodePing:
        """Let a node ping another; raises Invalid for what is no peer, and RemoteFailed where none is reached."""
        if not 1 <= count <= 1000:
            raise Invalid(f"--count is from 1 to 1000, not {count}")
        if not libp2pkey.is_name(peer.rpartition("/p2p/")[2]):
            raise Invalid(f"{peer[:80]!r} is no peer id, such as 12D3Koo…, nor an address that ends in /p2p/PEER")
        times = asked(self._at, on, lambda node: tuple(node.state.ping(peer, count)))
        took = [seconds * 1000 for seconds in times if seconds is not None]
        return NodePing(
            on=on,
            peer=peer,
            sent=len(times),
            answered=len(took),
            least_ms=min(took, default=None),
            mean_ms=sum(took) / len(took) if took else None,
            most_ms=max(took, default=None),
        )

    def stats(self, on: str) -> NodeStats:
        """Say how much a node keeps, and what it exchanged."""
        repo, traffic, exchange = asked(
            self._at, on, lambda node: (node.state.repo(), node.state.traffic(), node.state.exchange())
        )
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

    def verify(self, on: str) -> NodeVerified:
        """Let a node hash every block that it keeps; raises VerificationFailed with those that are damaged."""
        with self._at(on) as node:
            blocks, damaged = node.state.verify()
        if damaged:
            raise VerificationFailed(
                f"{len(damaged)} of {blocks} blocks at {on} are damaged",
                errors=[{"pointer": cid, "detail": "its bytes are not what it says"} for cid in damaged],
                suggestion=f"ipfs-accel store where {damaged[0]}",
            )
        return NodeVerified(on=on, blocks=blocks)

    def _connection(self, address: str, on: str, *, connect: bool) -> NodeConnection:
        if not address.startswith("/") or "/p2p/" not in address:
            raise Invalid(f"{address[:80]!r} is no address of a node: /ip4/…/tcp/…/p2p/PEER")
        with self._at(on) as node:
            (node.state.connect if connect else node.state.disconnect)(address)
        return NodeConnection(on=on, address=address, connected=connect)
