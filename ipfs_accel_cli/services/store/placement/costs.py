"""What the known copies cost, and what they will cost if they grow as they did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.services.store.backends.copies import Held
from ipfs_accel_cli.services.store.backends.service import Backends
from ipfs_accel_cli.services.store.placement.book import Books
from ipfs_accel_cli.services.store.placement.forecast import forecast
from ipfs_accel_cli.services.store.placement.history import History
from ipfs_accel_cli.services.store.placement.measures import Measures, Traffic
from ipfs_accel_cli.services.store.placement.prices import GIB, MONTH_DAYS, Price
from ipfs_accel_cli.services.store.placement.results import BackendCost, Cost

# The traffic of so many days is a month's, and a forecast looks back on so many.
TRAFFIC_DAYS = 30
HISTORY_DAYS = 180
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Costs:
    """Adds them up for one home."""

    backends: Backends
    books: Books
    measures: Measures
    history: History

    def cost(self, forecast_days: int | None = None) -> Cost:
        """Return what each backend costs a month, and over the days of a forecast."""
        book, held = self.books.read(), self.history.record()
        today = self.history.today()
        traffic = self.measures.traffic((today - timedelta(days=TRAFFIC_DAYS - 1)).isoformat())
        rows = []
        for name in self.backends.names():
            price = book.of(name, self._kind(name)).price
            lies = held.get(name, Held(0, 0))
            rows.append(self._one(name, price, lies, traffic.get(name, Traffic()), forecast_days))
        return Cost(
            currency=book.currency,
            month=_sum([one.month for one in rows]),
            unknown=[one.name for one in rows if one.month is None],
            forecast_days=forecast_days,
            forecast=_sum([one.forecast for one in rows]),
            backends=rows,
        )

    def _kind(self, name: str) -> str:
        try:
            return self.backends.show(name).kind
        except AccelError:  # Its library is not installed; what is declared for the backend itself still holds.
            return ""

    def _one(self, name: str, price: Price, held: Held, traffic: Traffic, days: int | None) -> BackendCost:
        storage = 0.0 if not held.size_bytes else None
        if price.storage is not None:
            storage = held.size_bytes / GIB * price.storage
        moved, lacks = _traffic(price, traffic)
        why = [f"{word} is not declared" for word in (*(() if storage is not None else ("storage",)), *lacks)]
        month = None if storage is None or moved is None else storage + moved
        foreseen_bytes = foreseen = error = None
        if days is not None:
            values = [float(one.size_bytes) for one in self.history.of(name, HISTORY_DAYS)]
            seen = forecast(values)
            if seen.why:
                why.append(f"forecast: {seen.why}")
            if seen.line is not None:
                error = seen.error
                last = len(values) - 1
                foreseen_bytes = int(seen.line.at(last + days))
                if price.storage is not None and moved is not None:
                    months = days / MONTH_DAYS
                    mean_bytes = seen.line.mean(last + 1, last + days)
                    foreseen = (mean_bytes / GIB * price.storage + moved) * months
        return BackendCost(
            name=name,
            copies=held.copies,
            size_bytes=held.size_bytes,
            storage=_rounded(storage),
            traffic=_rounded(moved),
            month=_rounded(month),
            forecast_bytes=foreseen_bytes,
            forecast=_rounded(foreseen),
            error=_rounded(error),
            why="; ".join(why),
        )


def _traffic(price: Price, traffic: Traffic) -> tuple[float | None, list[str]]:
    """Return what traffic cost; None with the prices that it lacks, of what there was."""
    used = {
        "egress": (traffic.read_bytes / GIB, price.egress),
        "ingress": (traffic.written_bytes / GIB, price.ingress),
        "gets": (traffic.gets / 1000, price.gets),
        "puts": (traffic.puts / 1000, price.puts),
    }
    lacks = [name for name, (amount, each) in used.items() if amount and each is None]
    if lacks:
        return None, lacks
    return sum(amount * (each or 0.0) for amount, each in used.values()), []


def _sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), _DIGITS) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
