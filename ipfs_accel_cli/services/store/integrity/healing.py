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


@dataclass(frozen=True, slots=True)
class Want:
    """A DAG and the places where it is whole."""

    cid: CID
    name: str
    places: tuple[str, ...]


def plan(wants: Iterable[Want], backends: Sequence[str], least: int) -> Iterator[tuple[Want, tuple[str, ...], bool]]:
    """Say for each DAG with fewer places than `least` which backends get it, and whether these are enough.

    The order of `backends` decides; those that have it already are passed over.
    """
    for want in wants:
        missing = least - len(want.places)
        if missing <= 0:
            continue
        chosen = tuple(name for name in backends if name not in want.places)[:missing]
        yield want, chosen, len(chosen) == missing


@dataclass(frozen=True, slots=True)
class Healer:
    """Plans and does replication for one store."""

    index: Index
    copies: Copies
    exchange: Exchange
    names: Callable[[], list[str]]
    open: Callable[[str], Backend]

    def heal(self, least: int, *, dry_run: bool) -> Iterator[Healing]:
        """Yield what is planned, or what was done, for each DAG that has fewer than `least` places."""
        for want, chosen, enough in plan(self.wants(), self.takers(), least):
            short = "" if enough else f"{least - len(want.places) - len(chosen)} more backends are needed"
            told = Healing(
                cid=str(want.cid),
                name=want.name,
                copies=list(want.places),
                to=list(chosen),
                state="planned" if enough else "short",
                detail=short,
            )
            spare = [name for name in self.takers() if name not in (*want.places, *chosen)]
            yield told if dry_run or not chosen else self._done(want, [*chosen, *spare], len(chosen), told)

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
