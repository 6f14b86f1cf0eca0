"""DAGs from trustless gateways (https://specs.ipfs.tech/http-gateways/trustless-gateway/); a Lassie daemon is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from ipfs_accel_cli.backends.base import Config, Health, Scope, Traits
from ipfs_accel_cli.backends.gateway.endpoint import Asked, Gateway, Selection, gateways
from ipfs_accel_cli.backends.gateway.supply import Supply
from ipfs_accel_cli.backends.gateway.verdict import Verdict
from ipfs_accel_cli.content.blocks import is_inline
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.selection import ByteRange, select
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, NotAuthorised, TryAgain, Unavailable, classified
from ipfs_accel_cli.core.http import client
from ipfs_accel_cli.core.parallel import ordered

_AT_ONCE = 8


class GatewayBackend:
    """Some gateways, in the order of the option `url`; one that lies is not asked again."""

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self.traits = Traits(read_only=True, lists=False, deletes=False, addresses_by_cid=True)
        self._config = config
        self._gateways = gateways(config.get("url"), config.name)

    def health(self) -> Health:
        """Ask each gateway for the block that all of them have."""
        current().needs_network(f"asking backend {self.name} how it is")
        with self._asked() as asked, closing(ordered(lambda one: _state(one, asked), self._gateways, _AT_ONCE)) as told:
            states = list(told)
        well = [latency for latency, _ in states if latency is not None]
        detail = f"{len(well)} of {len(states)} gateways answer: " + "; ".join(said for _, said in states)
        return Health(bool(well), detail, latency_ms=min(well, default=None))

    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        """Yield the blocks in the order of a walk, each once, from the gateway that is first; others go on after it.

        A gateway that sends what is not asked for, or not what its CID says, is named and left out. Raises
        VerificationFailed where all of them do, and Invalid for a path with a name that is `.` or `..`.
        """
        current().needs_network(f"fetching {root}")
        wanted = Selection(root, path, scope, span)
        wanted.check()
        with self._asked() as asked, closing(Supply(self._gateways, asked, wanted)) as supply:
            try:
                yield from select(root, path, scope, ByteRange(*span) if span else None, supply)
            except ContentError as error:
                # The blocks are proven, so it is the DAG itself that is not as it should be, or has no such path.
                raise classified(error) or error from error

    def has(self, cids: Sequence[CID]) -> set[CID]:
        """Return those that any of the gateways claims to have; raises where none of them could answer."""
        current().needs_network(f"asking backend {self.name} what it has")
        wanted = list(dict.fromkeys(cids))
        with self._asked() as asked, closing(ordered(lambda cid: self._has(cid, asked), wanted, _AT_ONCE)) as found:
            return {cid for cid, there in zip(wanted, found, strict=True) if there}

    def _has(self, cid: CID, asked: Asked) -> bool:
        if is_inline(cid):
            return True
        verdict, answered = Verdict(self._gateways), False
        for gateway in self._gateways:
            current().check()
            if gateway.lie:
                continue
            try:
                if gateway.has(asked, cid):
                    return True
                answered = True
            except AccelError as error:
                verdict.add(gateway, error)
        if not answered:
            raise verdict.error(cid)
        return False

    @contextmanager
    def _asked(self) -> Iterator[Asked]:
        """Open connections; only the owner's own calls carry the token."""
        token = self._config.secret() if current().folders is None else ""
        with client(guarded=True, passwords=not token, direct=True) as opened:
            yield Asked(opened, {"authorization": f"Bearer {token}"} if token else {})


def _state(gateway: Gateway, asked: Asked) -> tuple[float | None, str]:
    if gateway.lie:
        return None, f"{gateway.url} is left out because it lied: {gateway.lie}"
    try:
        latency_ms = gateway.probe(asked)
    except (TryAgain, Unavailable, NotAuthorised) as error:
        return None, error.detail
    except AccelError as error:
        return None, f"{gateway.url} is no trustless gateway: {error.detail}"
    return latency_ms, f"{gateway.url} in {latency_ms:g} ms"
