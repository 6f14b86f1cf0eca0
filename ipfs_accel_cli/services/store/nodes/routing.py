"""The routing of a node's network: who has what, where a node is, and the newest record of a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ipfs_accel_cli.content import ipns, libp2pkey
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.store.keyring import read_file, write_new
from ipfs_accel_cli.services.store.nodes.asking import At, asked, cid_of, peers_of
from ipfs_accel_cli.services.store.nodes.results import NodePeers, NodeRecord, Provided
from ipfs_accel_cli.services.store.telling import told


class NodeRouting:
    """Asks the network through a node; what it says of a name counts only where the name has signed it."""

    def __init__(self, at: At, name: Callable[[str], CID], now_ns: Callable[[], int]) -> None:
        self._at, self._name, self._now_ns = at, name, now_ns

    def providers(self, cid: str, on: str, most: int) -> NodePeers:
        """Ask the network of a node who has a block."""
        if most < 1:
            raise Invalid(f"--most is at least 1, not {most}")
        wanted = cid_of(cid)
        return peers_of(on, asked(self._at, on, lambda node: tuple(node.naming.providers(wanted, most))))

    def provide(self, cid: str, on: str) -> Provided:
        """Let a node tell its network that it has a block."""
        wanted = cid_of(cid)
        with self._at(on) as node:
            node.naming.provide(wanted)
        return Provided(on=on, cid=str(wanted))

    def peer(self, peer: str, on: str) -> NodePeers:
        """Ask the network of a node where another node is; raises NotFound, and Invalid for what is no peer."""
        if not libp2pkey.is_name(peer):
            raise Invalid(f"{peer[:80]!r} is no peer id, such as 12D3Koo…")
        return peers_of(on, asked(self._at, on, lambda node: (node.naming.find_peer(peer),)))

    @told()
    def record(self, name: str, on: str, output: str | None = None) -> NodeRecord:
        """Return the newest record that the network has under a name, verified; `output` is a file to write it to.

        Raises NotFound, MalformedContent, VerificationFailed for a record that the name did not sign or whose time is
        over, and Conflict for a file that differs.
        """
        known = self._name(name)
        data = asked(self._at, on, lambda node: node.naming.get_record(known))
        record = ipns.decode(data)
        record.verify(known, self._now_ns())
        path = None if output is None else current().path(output)
        if path is not None:
            write_new(path, record.encoded, 0o666)
        return _shown(known, record, on, path)

    @told()
    def put(self, name: str, file: str, on: str) -> NodeRecord:
        """Bring the record in a file to the network, once it is verified; nothing that would be refused is sent.

        Raises NotFound, MalformedContent, and VerificationFailed as `record` does.
        """
        known, path = self._name(name), current().path(file)
        record = ipns.decode(read_file(path))
        record.verify(known, self._now_ns())
        with self._at(on) as node:
            node.naming.put_record(known, record.encoded)
        return _shown(known, record, on, path)


def _shown(name: CID, record: ipns.Record, on: str, path: Path | None) -> NodeRecord:
    return NodeRecord(
        on=on,
        name=libp2pkey.name_text(name),
        value=record.value,
        sequence=record.sequence,
        valid_until=record.validity,
        size_bytes=len(record.encoded),
        path=None if path is None else str(path),
    )
