"""Placement as the commands use it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NothingToDo
from ipfs_accel_cli.services.store.placement.costs import Costs
from ipfs_accel_cli.services.store.placement.decisions import Decisions
from ipfs_accel_cli.services.store.placement.facts import Facts
from ipfs_accel_cli.services.store.placement.geography import Point, found
from ipfs_accel_cli.services.store.placement.looking import Content, look, quick_look
from ipfs_accel_cli.services.store.placement.probing import Probe
from ipfs_accel_cli.services.store.placement.rank import rank
from ipfs_accel_cli.services.store.placement.results import Cost, Decided, Probed, Route, Routed, ScorePart
from ipfs_accel_cli.services.store.placement.tariffs import Tariffs
from ipfs_accel_cli.services.store.placement.travelling import travel
from ipfs_accel_cli.services.store.placement.wants import Candidate, Ranked, StorageClass, Strategy, Want
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.references import parse

Order = Callable[[CID, Sequence[str], Sequence[str], int], list[str]]
"""Puts backends in the order in which a DAG goes to them: (root, names, where it lies, copies that it lacks)."""

_MOST_PROBED_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants content to be placed."""

    storage_class: StorageClass = "warm"
    strategy: Strategy = "balanced"
    near: str | None = None
    copies: int = 1
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Decides where content of one store goes, and says what it costs."""

    reader: Reader
    facts: Facts
    decisions: Decisions
    costs: Costs
    tariffs: Tariffs

    def plan(
        self,
        reference: str | CID | None,
        wish: Wish,
        *,
        size_bytes: int | None = None,
        type: str | None = None,
        explain: bool = False,
    ) -> Route:
        """Rank all backends for some content, or for so many bytes, and keep the decision.

        Raises NotFound for content that is not known, Invalid for a region that has no place.
        """
        if (reference is None) == (size_bytes is None):
            raise Invalid("give a CID, or --size")
        if wish.strategy == "geo" and wish.near is None:
            raise Invalid("the strategy geo needs --near REGION")
        cid = None if reference is None else self.reader.resolve(parse(reference))
        if cid is None:
            content = Content(size_bytes or 0, 1, size_bytes or 0, "")
        else:
            content = look(self.reader, self.facts.copies, cid)
        content = content if type is None else replace(content, type=type)
        candidates = self.facts.candidates()
        places = [] if cid is None else [one.backend for one in self.facts.copies.of(cid) if one.whole_dag]
        want = _want(content, wish, self._near(wish.near), candidates, places)
        ranked = rank([replace(one, holds=one.name in places) for one in candidates], want)
        self.decisions.keep("plan", "" if cid is None else str(cid), want, ranked)
        return Route(
            cid=None if cid is None else str(cid),
            type=content.type,
            size_bytes=content.size_bytes,
            files=content.files,
            storage_class=want.storage_class,
            strategy=want.strategy,
            currency=self.facts.books.read().currency,
            chosen=[one.name for one in ranked if one.chosen],
            backends=[_routed(place, one) for place, one in enumerate(ranked, 1)],
            parts=[part for one in ranked for part in _parts(one)] if explain else [],
            travel=travel(candidates, [one.name for one in ranked if not one.refused], want) if explain else [],
        )

    def log(self, limit: int, reference: str | CID | None = None) -> list[Decided]:
        """Return the last decisions, the newest first."""
        cid = None if reference is None else str(parse(reference).cid)
        return [
            Decided(
                id=one.id,
                at=one.at,
                cause=one.cause,
                cid=one.cid,
                size_bytes=one.size_bytes,
                storage_class=one.storage_class,
                strategy=one.strategy,
                to=[str(each["name"]) for each in one.ranked if each["chosen"]],
                reasons=[_reason(each) for each in one.ranked],
            )
            for one in self.decisions.newest(limit, cid)
        ]

    def probe(self, names: Sequence[str], size_bytes: int, *, read_only: bool = False) -> list[Probed]:
        """Measure backends, all of them where none is named; raises NotFound for an unknown name."""
        if not 0 < size_bytes <= _MOST_PROBED_BYTES:
            raise (
                LimitReached(f"a probe has 1 byte to {_MOST_PROBED_BYTES >> 20} MiB")
                if size_bytes
                else Invalid("a probe has 1 byte at least")
            )
        chosen = list(names) or self.facts.backends.names()
        if not chosen:
            raise NothingToDo("no backend is known", suggestion="ipfs-accel store backend add NAME KIND")
        opened = [(name, self.facts.backends.open(name)) for name in dict.fromkeys(chosen)]
        probed = []
        for done, (name, backend) in enumerate(opened):
            current().check()
            current().progress(done, len(opened), f"Probing {name}")
            one = Probe(name, backend, self.facts.copies, self.facts.measures.note, size_bytes)
            probed.append(one.run(read_only=read_only))
        self.facts.measures.flush()
        return probed

    def close(self) -> None:
        """Write down what was measured and is not written yet."""
        self.facts.measures.flush()

    def cost(self, forecast_days: int | None = None) -> Cost:
        """Return what the known copies cost, and will cost."""
        if forecast_days is not None and not 1 <= forecast_days <= 3650:
            raise Invalid("a forecast is for 1 day to 3650 days")
        return self.costs.cost(forecast_days)

    def order(self, *, keep: bool) -> Order:
        """Return how content is to be distributed over backends now; `keep` writes each decision down.

        What was given to a backend counts for those that come later, so that equal ones share the load.
        """
        candidates = {one.name: one for one in self.facts.candidates()}

        def chosen(root: CID, names: Sequence[str], places: Sequence[str], copies: int) -> list[str]:
            content = quick_look(self.reader, root)
            known = list(candidates.values())
            want = _want(content, Wish(copies=copies, spread=True), None, known, places)
            asked = [replace(one, holds=one.name in places) for one in known if one.name in {*names, *places}]
            ranked = [one for one in rank(asked, want) if one.name in names]
            if keep:
                self.decisions.keep("heal", str(root), want, ranked)
            first = [one.name for one in ranked if one.chosen]
            # Two copies in one zone are better than one.
            rest = [one.name for one in ranked if not one.chosen and not one.refused and one.name not in places]
            order = [*first, *rest]
            for name in order[:copies]:
                held = candidates[name]
                room = None if held.room_bytes is None else held.room_bytes - content.size_bytes
                stored = held.stored_bytes + content.size_bytes
                candidates[name] = replace(held, stored_bytes=stored, room_bytes=room)
            return order

        return chosen

    def _near(self, name: str | None) -> Point | None:
        if name is None:
            return None
        region = found(name, self.facts.books.read().regions)
        if region is None or region.point is None:
            raise Invalid(
                f"no place is declared for the region {name!r}; coordinates such as 50.1,8.7 do, too",
                suggestion="ipfs-accel store price region NAME --at LATITUDE,LONGITUDE",
            )
        return region.point


def _want(
    content: Content, wish: Wish, near: Point | None, candidates: Sequence[Candidate], places: Sequence[str]
) -> Want:
    return Want(
        content.size_bytes,
        content.files,
        content.largest_bytes,
        content.type,
        wish.storage_class,
        wish.strategy,
        near,
        wish.copies,
        wish.spread,
        frozenset(one.zone for one in candidates if one.zone and one.name in places),
    )


def _routed(place: int, one: Ranked) -> Routed:
    cost = next((part.value for part in one.parts if part.name == "cost"), None)
    return Routed(
        rank=None if one.refused else place,
        name=one.name,
        score=None if one.refused else one.score,
        chosen=one.chosen,
        cost=_rounded(cost),
        why=one.refused or one.passed_over or "; ".join(one.reasons),
    )


def _parts(one: Ranked) -> list[ScorePart]:
    return [
        ScorePart(
            backend=one.name,
            part=part.name,
            value=_rounded(part.value),
            unit=part.unit,
            score=part.score,
            weight=part.weight,
            said=part.said,
        )
        for part in one.parts
    ]


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _reason(told: dict[str, object]) -> str:
    why = told["why"]
    return f"{told['name']}: {'; '.join(map(str, why)) if isinstance(why, list) else why}"
