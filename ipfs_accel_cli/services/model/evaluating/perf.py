"""What was measured of models over time: speeds and memory from other services, quality from evaluations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.model import tables
from ipfs_accel_cli.services.model.evaluating import kept
from ipfs_accel_cli.services.model.evaluating.perf_results import Figure, Performance
from ipfs_accel_cli.services.model.lineage import QUANTIZATION
from ipfs_accel_cli.services.model.lookup import Known, Lookup

EVALUATION = "evaluation"  # The kind of the statements about a model that hold what an evaluation found.
_SPAN = re.compile(r"(\d+)(m|h|d|w)")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}


@dataclass(frozen=True, slots=True)
class Speed:
    """A figure that another service measured; `name` tells what and in which unit, `about` under which conditions."""

    machine: str
    engine: str
    device: str
    dtype: str
    name: str
    value: float
    at: str
    source: str
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)


# Takes a manifest's CID and what gives the folder of the model's files, which raises NotFound where they are not here.
Speeds = Callable[[str, Callable[[], Path]], Iterable[Speed]]


@dataclass(frozen=True, slots=True)
class Perf:
    """Reads what was measured of the models of one home; measures nothing."""

    registry: tables.Tables
    lookup: Lookup
    kept: kept.Kept
    speeds: Speeds
    folder: Callable[[Known], Path]

    def perf(self, names: Sequence[str], since: str | None, now: datetime) -> Performance:
        """Return what was measured of models, of all without names, the newest first.

        Raises NotFound, and Invalid for a `since` that is neither a date, a time nor a span such as `7d`.
        """
        after = since_when(since, now) if since else None
        found = self.registry.names() if not names else [self.lookup.find(name) for name in names]
        by_manifest = {named.manifest: named for named in reversed(found)}
        figures: list[Figure] = []
        for named in by_manifest.values():
            figures += self.of(self.lookup.describe(named))
        kept_figures = [one for one in figures if after is None or _moment(one.at) >= after]
        kept_figures.sort(key=lambda one: (_moment(one.at), one.model, one.figure), reverse=True)
        return Performance(machine=machine_id(), since=after.isoformat() if after else None, figures=kept_figures)

    def of(self, known: Known) -> Iterator[Figure]:
        """Yield what was measured of one model."""
        speeds = self.speeds(known.named.manifest, lambda: self.folder(known))
        yield from (_of_speed(known, speed) for speed in speeds)
        told = set()
        for one in self.kept.figures(known.named.manifest):
            told.add(one.statement)
            yield _of_evaluation(known, one)
        # What came along with a model, measured on another machine or in another home.
        for kind, cid, body in known.statements:
            if kind == EVALUATION and cid not in told:
                yield from _of_statement(known, body)
            elif kind == QUANTIZATION:
                yield from _of_quantization(known, body)


def since_when(text: str, now: datetime) -> datetime:
    """Read a date, a time (ISO 8601, UTC unless it says otherwise), or a span before now: `30m`, `12h`, `7d`, `2w`."""
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            return now - timedelta(minutes=int(span[1]) * _MINUTES[span[2]])
        return _moment(text)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"{text!r} is no time", suggestion="--since 2026-01-31, or --since 7d") from error


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _of_speed(known: Known, speed: Speed) -> Figure:
    return Figure(
        model=known.named.name,
        version=known.named.version,
        model_cid=known.named.manifest,
        figure=speed.name,
        value=int(speed.value) if speed.name.endswith("_bytes") else speed.value,
        engine=speed.engine,
        device=speed.device,
        dtype=speed.dtype,
        machine=speed.machine,
        here=speed.machine == machine_id(),
        source=speed.source,
        about={key: value for key, value in speed.about.items() if value is not None},
        at=speed.at,
    )


def _of_evaluation(known: Known, one: kept.Figure) -> Figure:
    run = one.run
    return Figure(
        model=known.named.name,
        version=known.named.version,
        model_cid=known.named.manifest,
        figure=one.metric,
        value=one.value,
        engine=run.engine,
        device=run.device,
        dtype=run.dtype,
        machine=run.machine,
        here=run.machine == machine_id(),
        source="evaluation",
        set_cid=run.set_cid,
        about={"items": one.items},
        at=one.at,
    )


def _of_quantization(known: Known, body: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield what was measured as the model was made of another; a statement written otherwise yields nothing."""
    try:
        _moment(body["at"])
        quality, original = body["quality"], {"original": body["parents"][0]}
        found = [(name, one, {**original, "samples": quality["samples"]}) for name, one in quality.items()]
        for one in body["speed"]:
            about = {**original, "shape": one["shape"], "original_value": one["original"], "ratio": one["ratio"]}
            found.append((one["unit"].replace("/", "_"), one["quantized"], about))
        found.append(("peak_memory_bytes", body["quantized_peak_bytes"], original))
        speeds = [
            Speed(
                *(body["machine_id"], body["engine"], body["device"], known.facts.dtype or "", name, value),
                *(body["at"], "quantization", about),
            )
            for name, value, about in found
            if isinstance(value, int | float) and name not in ("samples", "tokens")
        ]
        yield from [_of_speed(known, speed) for speed in speeds]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return


def _of_statement(known: Known, body: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield the figures of a statement; one that somebody wrote otherwise yields nothing."""
    try:
        for metric, value in body["metrics"].items():
            _moment(body["at"])
            yield Figure(
                model=known.named.name,
                version=known.named.version,
                model_cid=known.named.manifest,
                figure=metric,
                value=value,
                engine=body["engine"],
                device=body["device"],
                dtype=body["dtype"],
                machine=body["machine"],
                here=body["machine"] == machine_id(),
                source="statement",
                set_cid=body["set"],
                about={"items": body["items"]},
                at=body["at"],
            )
    except (KeyError, TypeError, ValueError, AttributeError):
        return
