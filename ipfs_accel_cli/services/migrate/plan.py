"""What is to be done: a pure function of what lies at the source and at the destination."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.services.migrate.model import Action, Listed, Step, Symbol
from ipfs_accel_cli.services.migrate.world import PlaceFacts

GIB = 1 << 30
Same = Callable[[Listed, Listed], bool | None]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan costs and how long it takes; None is not known, `lacks` says what would tell."""

    transfer_cost: float | None
    month_cost: float | None
    seconds: float | None
    lacks: tuple[str, ...]
    month_saving: float | None = None

    @property
    def break_even_months(self) -> float | None:
        """Return after how many months what is saved has paid for the move; None where it never does."""
        if self.transfer_cost is None or self.month_saving is None or self.month_saving <= 0:
            return None
        return round(self.transfer_cost / self.month_saving, 2)


def plan(
    source: Iterable[Listed],
    destination: Iterable[Listed],
    action: Action,
    *,
    same: Same,
    immutable: bool = False,
    delete: bool = False,
) -> Iterator[Step]:
    """Yield a step for every name on either side, in the order of the names.

    `same` says whether two listings are of the same bytes; None is not known, and what is not known is copied, which
    compares it. Only a sync with `delete` deletes at the destination, and nothing that `source` lists.
    """
    here, there = {one.name: one for one in source}, {one.name: one for one in destination}
    for name in sorted(here.keys() | there.keys()):
        one, other = here.get(name), there.get(name)
        if one is None:
            assert other is not None
            yield Step(name, other.kind, "-", "delete" if action == "sync" and delete else "", None, other)
        elif other is None:
            yield Step(name, one.kind, "+", "copy", one, None)
        else:
            yield _both(one, other, same(one, other), action, immutable=immutable)


def _both(one: Listed, other: Listed, equal: bool | None, action: Action, *, immutable: bool) -> Step:
    if equal:
        return Step(one.name, one.kind, "=", "take" if action == "move" else "", one, other)
    if equal is None:
        return Step(one.name, one.kind, "*", "copy", one, other, "whether it is the same is not known")
    if immutable:
        return Step(one.name, one.kind, "!", "", one, other, "it differs, and --immutable forbids to replace it")
    return Step(one.name, one.kind, "*", "replace", one, other)


def compared(one: Listed, other: Listed) -> bool | None:
    """Say whether two listings are of the same bytes: by CID, by sha-256, or not, by their sizes; None if unknown."""
    if one.kind == "dag" and other.kind == "dag":
        return one.cid == other.cid
    if one.size_bytes is not None and other.size_bytes is not None and one.size_bytes != other.size_bytes:
        return False
    if one.sha256 is not None and other.sha256 is not None:
        return one.sha256 == other.sha256
    if one.cid is not None and other.cid is not None and one.cid == other.cid:
        return True
    return None


def by_size(one: Listed, other: Listed) -> bool | None:
    """Say whether two listings are alike as far as their sizes tell."""
    known = compared(one, other)
    return one.size_bytes == other.size_bytes if known is None else known


def estimate(steps: Sequence[Step], source: PlaceFacts | None, destination: PlaceFacts, transfers: int) -> Estimate:
    """Return what the copies of a plan cost once and each month, and the seconds that they take.

    Prices are those of the price book, speeds those that were measured; `source` is None where content is here.
    """
    moved = [step for step in steps if step.todo in ("copy", "replace")]
    gib, count = sum(step.size_bytes or 0 for step in moved) / GIB, len(moved)
    undeclared: dict[str, list[str]] = {}

    def money(place: PlaceFacts, name: str, amount: float) -> float:
        price: float | None = getattr(place, name)
        if price is None and amount:
            undeclared.setdefault(place.name, []).append(name)
        return amount * (price or 0.0)

    once = money(destination, "ingress", gib) + money(destination, "puts", count / 1000)
    if source is not None:
        once += money(source, "egress", gib) + money(source, "gets", count / 1000)
    unpaid = bool(undeclared)
    monthly = money(destination, "storage", gib)
    seconds, slow = _seconds(gib * GIB, count, source, destination, transfers)
    kept = 0.0 if source is None else source.storage
    saving = None if kept is None or destination.storage is None else gib * (kept - destination.storage)
    return Estimate(
        None if unpaid else round(once, 6),
        None if destination.storage is None and gib else round(monthly, 6),
        seconds,
        (*(_undeclared(name, prices) for name, prices in undeclared.items()), *slow),
        None if saving is None else round(saving, 6),
    )


def _undeclared(name: str, prices: Sequence[str]) -> str:
    return f"{name}: {', '.join(prices)} not declared: ipfs-accel store price set {name}"


def symbols(steps: Iterable[Step]) -> dict[Symbol, int]:
    """Count the steps by their symbol."""
    found: dict[Symbol, int] = {"=": 0, "-": 0, "+": 0, "*": 0, "!": 0}
    for step in steps:
        found[step.symbol] += 1
    return found


def _seconds(
    size: float, count: int, source: PlaceFacts | None, destination: PlaceFacts, transfers: int
) -> tuple[float | None, list[str]]:
    if not count:
        return 0.0, []
    sides = [(destination, destination.write_bytes_s), *(() if source is None else ((source, source.read_bytes_s),))]
    lacks = [
        f"{place.name}: its speed was not measured: ipfs-accel store probe {place.name}"
        for place, speed in sides
        if not speed or not place.latency_s
    ]
    if lacks:
        return None, lacks
    slowest = min(speed for _, speed in sides if speed)
    waits = sum(place.latency_s or 0.0 for place, _ in sides) * count / max(1, transfers)
    return round(size / slowest + waits, 3), []
