"""What the commands about placement return."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class ScorePart(Result):
    """A part of the score of a backend."""

    columns: ClassVar[tuple[str, ...]] = ("backend", "part", "score", "weight", "said")

    backend: str
    part: str
    value: float | None = Field(description="In its own unit; null where it is not known.")
    unit: str
    score: float = Field(description="0 to 1; 1/2 where it is not known.")
    weight: float
    said: str


class Travel(Result):
    """How the largest file would get to a backend and back: in which parts, and how many at a time."""

    columns: ClassVar[tuple[str, ...]] = ("backend", "way", "part_bytes", "parallel", "said")
    essence: ClassVar[str] = "backend"

    backend: str
    way: Literal["send", "fetch"]
    part_bytes: int
    parallel: int
    said: str = Field(description="What it follows from.")


class Routed(Result):
    """A backend as a place for some content."""

    columns: ClassVar[tuple[str, ...]] = ("rank", "name", "score", "chosen", "cost", "why")
    essence: ClassVar[str] = "name"

    rank: int | None = Field(description="1 is best; null for one that cannot take it.")
    name: str
    score: float | None
    chosen: bool
    cost: float | None = Field(description="A month, in the currency of the price book; null where it is not known.")
    why: str = Field(description="Why it is refused or passed over, or what speaks for and against it.")


class Route(Result):
    """Where some content would go."""

    essence: ClassVar[str] = "chosen"

    cid: str | None
    type: str = Field(description="Its media type, or directory, file or block; empty where that is not known.")
    size_bytes: int
    files: int
    storage_class: str
    strategy: str
    currency: str
    chosen: list[str]
    backends: list[Routed]
    parts: list[ScorePart] = Field(description="With --explain: what the scores are made of.")
    travel: list[Travel] = Field(description="With --explain: how backends that take parts would be sent the content.")


class Decided(Result):
    """A decision that was made."""

    columns: ClassVar[tuple[str, ...]] = ("id", "at", "cause", "cid", "size_bytes", "storage_class", "strategy", "to")
    essence: ClassVar[str] = "to"

    id: int
    at: str
    cause: str = Field(description="plan or heal.")
    cid: str
    size_bytes: int
    storage_class: str
    strategy: str
    to: list[str]
    reasons: list[str] = Field(description="Each backend in its order, and why.")


class Probed(Result):
    """What was measured of a backend just now."""

    columns: ClassVar[tuple[str, ...]] = ("name", "state", "latency_ms", "write_bytes_s", "read_bytes_s", "detail")
    essence: ClassVar[str] = "state"

    name: str
    state: Literal["ok", "failed"]
    latency_ms: float | None = Field(description="Mean time of calls that move little.")
    write_bytes_s: int | None = Field(description="Null where too little was sent to tell.")
    read_bytes_s: int | None = Field(description="Null where too little was read to tell.")
    size_bytes: int = Field(description="The largest transfer.")
    detail: str


class PriceShown(Result):
    """What is declared for a backend or a kind; null is not declared."""

    columns: ClassVar[tuple[str, ...]] = ("name", "of", "storage", "egress", "ingress", "puts", "gets", "minimum_days")
    essence: ClassVar[str] = "name"

    name: str
    of: Literal["backend", "kind"]
    storage: float | None = Field(description="Per GiB and month.")
    egress: float | None = Field(description="Per GiB that leaves it.")
    ingress: float | None = Field(description="Per GiB that is sent to it.")
    puts: float | None = Field(description="Per thousand.")
    gets: float | None = Field(description="Per thousand.")
    minimum_days: float | None = Field(description="What is deleted earlier is charged for so long.")
    storage_class: str | None
    types: list[str]
    capacity_bytes: int | None


class RegionShown(Result):
    """Where a region is."""

    columns: ClassVar[tuple[str, ...]] = ("name", "latitude", "longitude", "zone")
    essence: ClassVar[str] = "name"

    name: str
    latitude: float | None
    longitude: float | None
    zone: str


class PriceBook(Result):
    """Everything that is declared."""

    essence: ClassVar[str] = "currency"

    currency: str
    prices: list[PriceShown]
    regions: list[RegionShown]


class BackendCost(Result):
    """What content at a backend costs."""

    columns: ClassVar[tuple[str, ...]] = ("name", "size_bytes", "month", "forecast", "error", "why")
    essence: ClassVar[str] = "month"

    name: str
    copies: int
    size_bytes: int
    storage: float | None = Field(description="A month of storage; null where the price is not declared.")
    traffic: float | None = Field(
        description="Reads and writes of the last 30 days, as measured; null where a price is not known."
    )
    month: float | None = Field(description="Both together; null where one of them is not known.")
    forecast_bytes: int | None = Field(description="What would lie there at the end of the forecast.")
    forecast: float | None = Field(description="Money for the whole time of the forecast.")
    error: float | None = Field(description="Mean absolute error of the forecast's back-test, as a share.")
    why: str = Field(description="Why something is not known.")


class Cost(Result):
    """What the known copies cost."""

    essence: ClassVar[str] = "month"

    currency: str
    month: float | None = Field(description="The sum of what is known; null where nothing is.")
    unknown: list[str] = Field(description="Backends whose cost is not known, so that the sum is at least this.")
    forecast_days: int | None
    forecast: float | None = Field(description="The sum of what could be forecast.")
    backends: list[BackendCost]
