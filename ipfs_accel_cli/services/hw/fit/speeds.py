"""How fast models were on this home's machines, by engine and shape: a measured speed replaces an estimate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.services.hw.fit.results import Speed

Unit = Literal["tokens/s", "texts/s", "inputs/s"]


@dataclass(frozen=True, slots=True)
class Pace:
    """One measured speed: with `context` tokens of a sequence, `batch` sequences at a time, at `at` (UTC)."""

    engine: str
    device: str
    dtype: str
    value: float
    unit: Unit
    context: int
    batch: int
    at: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement of a model, of whatever kind; `here` says whether it was taken on this machine."""

    machine: str
    here: bool
    engine: str
    device: str
    dtype: str
    kind: Literal["speed", "memory"]
    value: float
    unit: Unit | Literal["bytes"]
    context: int
    batch: int
    at: str


class Speeds:
    """The table of one home. A model is known by its tensors, a machine by its identity; `measurements` makes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, machine: str, model: str, pace: Pace) -> None:
        """Keep a speed, in the place of one that the same engine had at the same shape."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        shape = (pace.context, pace.batch, pace.value, now)
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO fit_speeds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (machine, model, pace.engine, pace.device, pace.dtype, pace.unit, *shape),
            )

    def nearest(
        self, machine: str, model: str, *, device: str, dtype: str, context: int, batch: int, any_dtype: bool
    ) -> Pace | None:
        """Return the speed at the shape that is nearest, of the fastest engine there; of encoders at any batch.

        `any_dtype` lets another dtype stand for one that nobody measured.
        """
        row = (
            self._database.read()
            .execute(
                "SELECT engine, device, dtype, value, unit, context, batch, measured_at FROM fit_speeds"
                " WHERE machine = ? AND model = ? AND device = ? AND (dtype = ? OR ?)"
                " AND (batch = ? OR unit <> 'tokens/s')"
                " ORDER BY dtype <> ?, abs(context - ?), abs(batch - ?), context, value DESC LIMIT 1",
                (machine, model, device, dtype, any_dtype, batch, dtype, context, batch),
            )
            .fetchone()
        )
        return Pace(*row) if row else None

    def all(self, machine: str, model: str) -> list[Figure]:
        """Return every speed of a model on any machine of this home, the newest first."""
        rows = self._database.read().execute(
            "SELECT machine, machine = ? AS here, engine, device, dtype, value, unit, context, batch, measured_at"
            " FROM fit_speeds WHERE model = ? ORDER BY measured_at DESC, engine, context, batch",
            (machine, model),
        )
        return [
            Figure(
                machine=row["machine"],
                here=bool(row["here"]),
                engine=row["engine"],
                device=row["device"],
                dtype=row["dtype"],
                kind="speed",
                value=row["value"],
                unit=row["unit"],
                context=row["context"],
                batch=row["batch"],
                at=row["measured_at"],
            )
            for row in rows
        ]


def told(pace: Pace) -> Speed:
    """Return a measured speed in the words of `hw fit`, its shape named."""
    value = round(pace.value, 2)
    said = f"measured here at {pace.at} by {pace.engine} in {pace.dtype} on {pace.device}"
    if pace.unit == "tokens/s":
        return Speed(tokens_s=value, basis="measured", reason=f"{said} with a context of {pace.context}")
    if pace.unit == "inputs/s":
        return Speed(inputs_s=value, basis="measured", reason=f"{said}, {pace.batch} at a time")
    # An engine need not say how many tokens it read.
    reason = f"{said} with texts of {pace.context or 'unknown'} tokens, {pace.batch} at a time"
    tokens_s = round(pace.value * pace.context, 2) if pace.context else None
    return Speed(tokens_s=tokens_s, inputs_s=value, basis="measured", reason=reason)
