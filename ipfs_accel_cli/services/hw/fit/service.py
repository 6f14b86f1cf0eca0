"""The service behind `hw fit`, `recommend`, `plan` and `require`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError, DoesNotFit, Invalid
from ipfs_accel_cli.core.units import parse_bytes
from ipfs_accel_cli.services.hw.fit import (
    headers,
    judging,
    measurements,
    placing,
    planning,
    ranking,
    requiring,
    speeds,
)
from ipfs_accel_cli.services.hw.fit.arithmetic import Need, Shape
from ipfs_accel_cli.services.hw.fit.bandwidth import HERE, Bandwidth, Products, Rate, products, rate
from ipfs_accel_cli.services.hw.fit.budget import Room, room
from ipfs_accel_cli.services.hw.fit.judging import Model
from ipfs_accel_cli.services.hw.fit.pace import pace_of_run, speed
from ipfs_accel_cli.services.hw.fit.results import Fitted, Part, Planned, Recommendation, Required
from ipfs_accel_cli.services.hw.fit.speeds import Figure, Pace
from ipfs_accel_cli.services.hw.machines import reading
from ipfs_accel_cli.services.hw.results import Machine
from ipfs_accel_cli.tasks import TASKS


@dataclass(frozen=True, slots=True)
class _Given:
    """What the caller said himself, and is held to."""

    context: bool
    dtype: bool


class Fits:
    """What fits where.

    `machines` finds a machine by name, None meaning this one; `known` lists the names for `plan`; `folder` gives the
    files of a registered model; `candidates` lists models for a task; `bandwidth` and `products` give what was measured
    of this machine; `bring` is what to type for a model that does a task.
    """

    def __init__(
        self,
        database: Database,
        machines: Callable[[str | None], Machine],
        folder: Callable[[str], Path],
        candidates: Callable[[str], Sequence[ranking.Candidate]],
        known: Callable[[], Sequence[str]] = tuple,
        bandwidth: Bandwidth = lambda: None,
        products: Products = lambda _device, _dtype: None,
        bring: Callable[[str], str] = lambda _task: "ipfs-accel model pull hf://ORG/NAME",
    ) -> None:
        self._machines, self._folder, self._candidates = machines, folder, candidates
        self._known, self._bandwidth, self._products, self._bring = known, bandwidth, products, bring
        self._measured = measurements.Measurements(database)

    def fit(
        self,
        reference: str,
        *,
        context: int | None = None,
        batch: int = 1,
        dtype: str | None = None,
        kv_dtype: str | None = None,
        budget: str | None = None,
        machine: str | None = None,
        device: str | None = None,
        limit_bytes: int | None = None,
        measure: bool = False,
        strict: bool = True,
    ) -> Fitted:
        """Say what a model needs at a shape, of main memory `limit_bytes` at most; `strict` raises DoesNotFit."""
        host = self.machine(machine)
        model = judging.model_of(headers.describe(reference, self._folder))
        shape = Shape(context or min(judging.ASSUMED_CONTEXT, model.limit or judging.ASSUMED_CONTEXT), batch)
        chosen = judging.check_dtype(dtype) if dtype else model.stored
        kept = judging.check_dtype(kv_dtype) if kv_dtype else chosen if chosen in judging.FLOATS else "float16"
        place = (
            room(host, device, now=machine is None, limit_bytes=limit_bytes) if not budget else _granted(device, budget)
        )
        if measure:
            self._measure(host, model, shape, chosen, elsewhere=machine is not None)
        given = _Given(context is not None, dtype is not None)
        found = self._fitted(model, host, machine, place, shape, chosen, kept, given)
        if strict and not found.fits:
            smaller = next((one for one in found.choices if one.fits), None)
            asked = {"--context": context, "--batch": batch if batch > 1 else None}
            where = {"--machine": machine, "--device": device, "--budget": budget, "--kv-dtype": kv_dtype}
            raise DoesNotFit(
                f"{found.model} {found.verdict}",
                suggestion=_typed("fit", reference, {**asked, **where, "--dtype": smaller.dtype})
                if smaller
                else _typed("plan", reference, asked),
                fit=found.model_dump(mode="json"),
            )
        return found

    def recommend(
        self,
        task: str,
        *,
        modality: str | None = None,
        quantisation: str | None = None,
        max_memory: str | None = None,
        min_speed: float | None = None,
        machine: str | None = None,
    ) -> Recommendation:
        """Rank the models for a task, with reasons; a model whose headers cannot be read is ranked on what is known.

        Raises Invalid for a task, modality or quantisation that nobody knows, NotFound where no model is known.
        """
        if machine is not None:
            self.machine(machine)  # A name that nobody knows is wrong once, and no flaw of each model.
        limit = parse_bytes(max_memory) if max_memory else None
        wanted = ranking.Wanted(task, modality, quantisation, limit, min_speed)
        ranking.check(wanted)
        rows = []
        candidates = self._candidates(task)
        if not candidates and task not in TASKS.names():
            known = ", ".join(TASKS.names())
            raise Invalid(f"no model is known for {task!r}, and no engine here does it; engines do {known}")
        for candidate in candidates:
            fitted, why = None, ""
            if candidate.here:
                try:
                    fitted = self.fit(candidate.exact, machine=machine, budget=max_memory, strict=False)
                except AccelError as error:
                    why = error.detail
            rows.append((candidate, fitted, why))
        models = ranking.some(wanted, ranking.rank(wanted, rows), self._bring(task))
        return Recommendation(task=task, machine=machine or HERE, models=models)

    def note_speed(self, folder: Path, pace: Pace) -> None:
        """Keep how fast a run was on this machine; `hw fit` shows it from then on."""
        model = headers.describe(str(folder), self._folder)
        self._measured.speeds.record(measurements.identity(self._machines(None)), model.identity, pace)

    def measured(self, reference: str | Path) -> list[Figure]:
        """Return all that was measured of a model on this home's machines: speeds, the newest first, then memory.

        `reference` is a registered name or CID, a file, or a folder.
        """
        model = headers.describe(str(reference), self._folder)
        return self._measured.all(measurements.identity(self._machines(None)), model.identity)

    def plan(
        self,
        reference: str,
        *,
        target_tps: float | None,
        context: int | None,
        batch: int,
        machines: Sequence[str] = (),
    ) -> Planned:
        """Say which machines, this one and all known ones or those named, run a model so; the smallest first."""
        model = judging.model_of(headers.describe(reference, self._folder))
        shape = Shape(context or min(judging.ASSUMED_CONTEXT, model.limit or judging.ASSUMED_CONTEXT), batch)
        if machines:
            return planning.plan(model, shape, target_tps, {one: self.machine(one) for one in machines}, self._rates)
        hosts, unread = {HERE: self._machines(None)}, {}
        for name in self._known():
            try:
                hosts[name] = self._machines(name)
            except AccelError as error:  # One damaged file must not hide the other machines.
                unread[name] = error.detail
        return planning.plan(model, shape, target_tps, hosts, self._rates, unread)

    def require(self, wanted: requiring.Wanted, *, machine: str | None = None) -> Required:
        """Check a machine against requirements; raises DoesNotFit that lists each, met or unmet, when one is unmet."""
        return requiring.judged(requiring.check(wanted, self.machine(machine)), machine)

    def machine(self, name: str | None) -> Machine:
        """Return a machine by name or from a file that `hw info --json` wrote; None is this one."""
        if name is None or not reading.is_file(name):
            return self._machines(name)
        return reading.machine_of_file(name)[0]

    def _measure(self, host: Machine, model: Model, shape: Shape, dtype: str, *, elsewhere: bool) -> None:
        folder = model.described.folder
        if elsewhere or folder is None or model.described.format != "safetensors":
            raise Invalid("--measure runs a safetensors model of this machine on this machine")
        if dtype not in judging.FLOATS:
            raise Invalid(f"torch does not load {dtype}; measure {', '.join(judging.FLOATS)}")
        took = measurements.run(folder, context=shape.context, batch=shape.batch, dtype=dtype)
        here, known = measurements.identity(host), model.described.identity
        increment = took["increment_bytes"]
        self._measured.record(here, known, dtype, shape.context, shape.batch, increment_bytes=increment)
        if took["tokens_s"]:
            self._measured.speeds.record(here, known, pace_of_run(model, shape, dtype, took["tokens_s"]))

    def _fitted(
        self,
        model: Model,
        host: Machine,
        name: str | None,
        place: Room,
        shape: Shape,
        dtype: str,
        kv_dtype: str,
        given: _Given,
    ) -> Fitted:
        where = name or HERE
        parts, budget = judging.need(model, shape, dtype, kv_dtype), place.size_bytes
        here, identity = measurements.identity(host), model.described.identity
        known = self._measured.of(here, identity, dtype, shape.context, shape.batch) if place.device == "cpu" else None
        total = known.increment_bytes if known else parts.total
        lasting = total - parts.loading
        pace = self._measured.nearest(
            *(here, identity),
            device=place.device,
            dtype=dtype,
            context=shape.context,
            batch=shape.batch,
            any_dtype=not given.dtype,
        )
        rates = self._rates(where, host, place.device, dtype)
        if lasting > budget:
            why = Rate(None, reason=f"it does not fit into {place.device}, and what lies elsewhere is read more slowly")
            rates = (why, why)
        options = judging.choices(model, shape, kv_dtype, budget)
        context, batch = judging.largest(model, shape, dtype, kv_dtype, budget)
        whole = lasting <= budget
        placed, by, told = placing.placed_parts(model, host, place, dtype, now=name is None, whole=whole)
        return Fitted(
            model=model.described.name,
            fits=whole,
            verdict=judging.verdict(lasting, budget, place.device, [one for one in options if one.dtype != dtype]),
            format=model.described.format,
            machine=where,
            device=place.device,
            dtype=dtype,
            kv_dtype=kv_dtype,
            context=shape.context,
            batch=shape.batch,
            parameters=model.parameters,
            weights_bytes=parts.weights,
            kv_cache_bytes=parts.kv_cache,
            activations_bytes=parts.activations,
            base_bytes=parts.base,
            loading_bytes=parts.loading,
            total_bytes=total,
            budget_bytes=budget,
            basis="measured" if known else "estimate",
            parts=_parts(parts, budget),
            largest_context=context,
            largest_batch=batch,
            best_dtype=next((one.dtype for one in options if one.fits), None),
            choices=options,
            speed=speeds.told(pace) if pace else speed(model, parts, shape, *rates),
            device_map=placed,
            placed_by=by,
            read_bytes=model.described.read_bytes,
            notes=[*judging.notes(model, context_given=given.context, context=shape.context), *told],
        )

    def _rates(self, name: str, host: Machine, device: str, dtype: str) -> tuple[Rate, Rate]:
        """Return how fast a device reads and multiplies; what was measured is true of this machine alone."""
        read = self._bandwidth() if name == HERE else None
        return rate(host, device, read, name=name), products(device, dtype, self._products, name=name)


def _typed(command: str, reference: str, options: Mapping[str, object]) -> str:
    """Return the command line that asks again, with the options that were given."""
    given = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    return shlex.join(["ipfs-accel", "hw", command, reference, *given])


def _granted(device: str | None, budget: str) -> Room:
    return Room(device or "cpu", parse_bytes(budget), alone=True)


def _parts(need: Need, budget: int) -> list[Part]:
    sizes = {
        "weights": need.weights,
        "kv-cache": need.kv_cache,
        "activations": need.activations,
        "base": need.base,
        "free": max(0, budget - need.lasting),
    }
    return [
        Part.model_validate({"part": part, "size_bytes": size, "share": round(size / budget if budget else 0.0, 4)})
        for part, size in sizes.items()
    ]
