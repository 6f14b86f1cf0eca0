"""How every request to a node is made: by a line that is opened for it, and again where only that node was busy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.services.store.nodes.results import NodePeer, NodePeers

if TYPE_CHECKING:
    from ipfs_accel_cli.backends.ipfs.answers import Peer
    from ipfs_accel_cli.backends.ipfs.backend import Node

T = TypeVar("T")
At = Callable[[str], AbstractContextManager["Node"]]


def asked(at: At, on: str, work: Callable[[Node], T]) -> T:
    """Return what a node answers to a question that changes nothing; a node that is busy is asked again."""

    def once() -> T:
        with at(on) as node:
            return work(node)

    return patiently(once)


def cid_of(text: str) -> CID:
    """Read a CID; raises Invalid."""
    try:
        return CID.parse(text)
    except ContentError as error:
        raise Invalid(f"{text[:80]!r} is no CID: {error}") from error


def peers_of(on: str, peers: Iterable[Peer]) -> NodePeers:
    """Return nodes as commands show them."""
    return NodePeers(on=on, peers=[NodePeer(id=peer.id, addresses=list(peer.addresses)) for peer in peers])
