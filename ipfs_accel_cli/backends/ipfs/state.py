"""What a node is, whom it knows, and how much it keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ipfs_accel_cli.backends.ipfs import answers
from ipfs_accel_cli.backends.ipfs.answers import Exchange, Identity, Peer, Repo, Traffic, Version
from ipfs_accel_cli.backends.ipfs.compatible import library
from ipfs_accel_cli.backends.ipfs.line import Line
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError

_DAMAGED = re.compile(r"block (\S+) was corrupt")


class State:
    """The calls about the node itself: id, version, repo, stats, and swarm for its neighbours."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._made: Any = None

    @property
    def _library(self) -> Any:
        self._made = self._made or library(self._line)
        return self._made

    def version(self) -> Version:
        """Say what runs there."""
        told = self._line.version()
        # Kubo names its compiler and hashes each block of an import; js-ipfs does not.
        agent = "kubo" if "Golang" in told else "js-ipfs" if "ipfs-core" in told else "ipfs"
        return Version(told["Version"], agent, checks_blocks=agent == "kubo")

    def id(self) -> Identity:
        """Say what the node is called."""
        told = self._library.id()
        return Identity(answers.text(told, "ID"), answers.text(told, "AgentVersion"), _texts(told, "Addresses"))

    def peers(self) -> tuple[Peer, ...]:
        """Say whom it is connected to."""
        told = self._library.swarm.peers().as_json()
        return tuple(Peer(answers.text(one, "Peer"), _texts(one, "Addr")) for one in answers.rows(told, "Peers"))

    def addresses(self) -> tuple[Peer, ...]:
        """Say whom it knows addresses of."""
        told = self._library.swarm.addrs().as_json().get("Addrs") or {}
        return tuple(Peer(peer, tuple(map(str, known or ()))) for peer, known in sorted(told.items()))

    def connect(self, address: str) -> None:
        """Let the node connect to another, named by a multiaddress that ends in `/p2p/…`."""
        # The library would send each letter of the address as an argument of its own.
        self._line.ask("swarm/connect", address)

    def disconnect(self, address: str) -> None:
        """Let the node close its connection to another, named as for `connect`."""
        self._line.ask("swarm/disconnect", address)

    def repo(self) -> Repo:
        """Say how much it keeps."""
        told = self._library.repo.stat()
        return Repo(
            answers.whole(told, "NumObjects"),
            answers.whole(told, "RepoSize"),
            answers.whole(told, "StorageMax"),
            answers.text(told, "Version"),
        )

    def collect(self) -> Iterator[CID]:
        """Remove what no pin holds, and yield what was removed."""
        for told in self._line.objects("repo/gc", slow=True):
            current().check()
            yield answers.cid(told.get("Key"))

    def ping(self, peer: str, count: int) -> Iterator[float | None]:
        """Ping another node so often; yields seconds, or None for one that was not answered."""
        for told in self._line.objects("ping", peer, slow=True, count=count):
            current().check()
            # What comes first and last is for people to read.
            if not told.get("Text") or not told.get("Success"):
                yield float(told.get("Time") or 0) / 1e9 if told.get("Success") else None

    def verify(self) -> tuple[int, tuple[str, ...]]:
        """Let it hash every block; return how many there are, and the CIDs of those that are damaged."""
        blocks, damaged = 0, list[str]()
        try:
            for told in self._line.objects("repo/verify", slow=True):
                current().check()
                blocks = max(blocks, int(told.get("Progress") or 0))
                if found := _DAMAGED.search(str(told.get("Msg") or "")):
                    damaged.append(found[1])
        except AccelError:
            # It ends with an error after the last of them was named.
            if not damaged:
                raise
        return max(blocks, len(damaged)), tuple(damaged)

    def traffic(self) -> Traffic:
        """Say what went over the network."""
        told = self._line.ask("stats/bw")
        rates = float(told.get("RateIn") or 0), float(told.get("RateOut") or 0)
        return Traffic(answers.whole(told, "TotalIn"), answers.whole(told, "TotalOut"), *rates)

    def exchange(self) -> Exchange:
        """Say what it exchanged by bitswap."""
        told = self._library.bitswap.stat().as_json()
        counted = [answers.whole(told, name) for name in ("BlocksReceived", "BlocksSent", "DataReceived", "DataSent")]
        wanted = tuple(map(answers.cid, answers.rows(told, "Wantlist")))
        return Exchange(counted[0], counted[1], counted[2], counted[3], _texts(told, "Peers"), wanted)


def _texts(told: Any, field: str) -> tuple[str, ...]:
    value = told.get(field)
    return (value,) if isinstance(value, str) else tuple(map(str, value or ()))
