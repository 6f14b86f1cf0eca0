"""What a place costs: prices as they were declared, and what some use of it comes to."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

GIB = 1 << 30
MONTH_DAYS = 30.4375


@dataclass(frozen=True, slots=True)
class Price:
    """Prices in the currency of the book; None is not declared, which is not the same as nothing to pay.

    `storage` is per GiB and month, `egress` (out of the place) and `ingress` per GiB, `puts` and `gets` per thousand.
    What is deleted earlier is charged for `minimum_days`.
    """

    storage: float | None = None
    egress: float | None = None
    ingress: float | None = None
    puts: float | None = None
    gets: float | None = None
    minimum_days: float | None = None

    def over(self, general: Price) -> Price:
        """Return these prices, and those of the general ones that are not declared here."""
        return replace(general, **{name: value for name in FIELDS if (value := getattr(self, name)) is not None})


FIELDS = ("storage", "egress", "ingress", "puts", "gets", "minimum_days")


@dataclass(frozen=True, slots=True)
class Use:
    """How content is used: for how long it is kept, and how often all of it is read in a month."""

    months: float
    reads: float


@dataclass(frozen=True, slots=True)
class Amount:
    """Money for a month; `lacks` names prices that are not declared, so that it is at least this much."""

    money: float
    lacks: tuple[str, ...] = ()


def monthly(price: Price, size_bytes: int, files: int, use: Use) -> Amount | None:
    """Return what keeping content costs a month, one put and all reads in it spread over the time that it is kept.

    None where the price of storage is not known, or that of egress and the content is read.
    """
    if price.storage is None or (use.reads and price.egress is None):
        return None
    gib = size_bytes / GIB
    charged_months = max(use.months, (price.minimum_days or 0) / MONTH_DAYS)
    reads = use.reads * use.months
    money = math.fsum(
        (
            gib * price.storage * charged_months,
            gib * (price.ingress or 0),
            gib * (price.egress or 0) * reads,
            files * (price.puts or 0) / 1000,
            files * (price.gets or 0) / 1000 * reads,
        )
    )
    wanted = ("ingress", "puts", *(("gets",) if reads else ()))
    return Amount(money / use.months, tuple(name for name in wanted if getattr(price, name) is None))
