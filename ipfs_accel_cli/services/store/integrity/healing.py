"""Healing: DAGs that are whole at fewer places than wanted are sent to more of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Backend, Files, TakesDags
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import AccelError, Cancelled
from ipfs_accel_cli.services.store.backends.copies import HERE, Copies
from ipfs_accel_cli.services.store.backends.exchange import Exchange
from ipfs_accel_cli.services.store.backends.fetching import FETCHING
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.integrity.results import Healing
from ipfs_accel_cli.services.store.roots import DIRECT

Order = Callable[[CID, Sequence[str], Sequence[str], int], list[str]]
"""Puts backends in the order in which a DAG goes to them: (root, names, where it lies, copies that it lacks)."""


def _by_name(_keep: bool) -> Order:
    return lambda _root, names, _places, _copies: list(names)


@dataclass(frozen=True, slots=True)
class Want:
    """A DAG and the places where it is whole."""

    cid: CID
    name: str
    places: tuple[str, ...]


Takers = Callable[[Want, int], Sequence[str]]
"""Says which backends may get a DAG, the best first, when it lacks so many copies."""


@dataclass(frozen=True, slots=True)
class Step:
    """A DAG, the backends that are to get it, those that may where one of these fails, and whether they are enough."""

    want: Want
    chosen: tuple[str, ...]
    spare: tuple[str, ...]
    enough: bool


def plan(wants: Iterable[Want], takers: Takers, least: int) -> Iterator[Step]:
    """Say for each DAG with fewer places than `least` which backends get it.

    The order of `takers` decides; those that have it already are passed over.
    """
    for want in wants:
        missing = least - len(want.places)
        if missing <= 0:
            continue
        order = tuple(name for name in takers(want, missing) if name not in want.places)
        yield Step(want, order[:missing], order[missing:], len(order) >= missing)


@dataclass(frozen=True, slots=True)
class Healer:
    """Plans and does replication for one store."""

    index: Index
    copies: Copies
    exchange: Exchange
    names: Callable[[], list[str]]
    open: Callable[[str], Backend]
    ordering: Callable[[bool], Order] = _by_name

    def heal(self, least: int, *, dry_run: bool) -> Iterator[Healing]:
        """Yield what is planned, or what was done, for each DAG that has fewer than `least` places."""
        takers, order = self.takers(), self.ordering(not dry_run)
        for step in plan(self.wants(), lambda want, missing: order(want.cid, takers, want.places, missing), least):
            want, chosen, enough = step.want, step.chosen, step.enough
            short = "" if enough else f"{least - len(want.places) - len(chosen)} more backends are needed"
            told = Healing(
                cid=str(want.cid),
                name=want.name,
                copies=list(want.places),
                to=list(chosen),
                state="planned" if enough else "short",
                detail=short,
            )
            yield told if dry_run or not chosen else self._done(want, [*chosen, *step.spare], len(chosen), told)

    def wants(self) -> Iterator[Want]:
        """Yield every DAG that is kept here, with the places where it is whole."""
        seen: set[CID] = set()
        for row in self.index.roots():
            cid = CID.parse(row["cid"])
            if cid in seen or row["owner"] == FETCHING or row["kind"] == DIRECT:
                continue
            seen.add(cid)
            here = (HERE,) if self.exchange.fetching.is_whole(cid) else ()
            yield Want(cid, row["label"], (*here, *self.places(cid)))

    def places(self, cid: CID) -> tuple[str, ...]:
        """Return the backends where a DAG was proven to be whole."""
        known = set(self.names())
        return tuple(
            dict.fromkeys(one.backend for one in self.copies.of(cid) if one.whole_dag and one.backend in known)
        )

    def takers(self) -> list[str]:
        """Return the backends that content can be sent to."""
        opened = {name: self.open(name) for name in self.names()}
        return [
            name
            for name, backend in opened.items()
            if not backend.traits.read_only and isinstance(backend, Files | TakesDags)
        ]

    def _done(self, want: Want, candidates: Sequence[str], count: int, told: Healing) -> Healing:
        """Send a DAG to so many of the candidates, the next one where one fails."""
        failed: list[str] = []
        done: list[str] = []
        for name in candidates:
            if len(done) == count:
                break
            try:
                list(self.exchange.copy(want.cid, [f"{name}:"]))
                done.append(name)
            except Cancelled:
                raise
            except AccelError as error:
                failed.append(f"{name}: {error.detail}")
        state = "failed" if len(done) < count else "short" if told.state == "short" else "done"
        detail = "; ".join([*([told.detail] if told.detail else []), *failed])
        return told.model_copy(update={"state": state, "to": done, "detail": detail})
