"""What hardware a target speed and context need, over the machines that are known. Pure but for the callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.fit import judging
from ipfs_accel_cli.services.hw.fit.arithmetic import Shape, bits
from ipfs_accel_cli.services.hw.fit.bandwidth import Rate
from ipfs_accel_cli.services.hw.fit.budget import Room, rooms
from ipfs_accel_cli.services.hw.fit.judging import Model
from ipfs_accel_cli.services.hw.fit.pace import active_share, speed
from ipfs_accel_cli.services.hw.fit.results import Planned, PlanRow
from ipfs_accel_cli.services.hw.results import Machine


def plan(
    model: Model,
    shape: Shape,
    target_tps: float | None,
    machines: Mapping[str, Machine],
    rates: Callable[[str, Machine, str, str], tuple[Rate, Rate]],
    unread: Mapping[str, str] = MappingProxyType({}),
) -> Planned:
    """Judge every machine, on all its memory and not on what happens to be free; the smallest that meets it first.

    `rates` gives what a device of a named machine reads and multiplies in a dtype; `unread` are further machines of
    which nothing is known, with the reason.
    """
    need = judging.need(model, shape, model.stored, _kv(model.stored))
    read = need.weights * active_share(model, shape.batch) + need.kv_cache
    wanted = target_tps * read / shape.batch if target_tps and model.causal else None
    rows = [_judge(model, shape, target_tps, name, machine, rates) for name, machine in machines.items()]
    rows += [_unknown(name, model.stored, reason) for name, reason in unread.items()]
    rows.sort(key=lambda row: ({True: 0, None: 1, False: 2}[row.meets], row.budget_bytes, row.machine))
    return Planned(
        model=model.described.name,
        context=shape.context,
        batch=shape.batch,
        target_tps=target_tps,
        memory_bytes=need.lasting,
        bandwidth_bytes_s=wanted,
        machines=rows,
    )


def _judge(
    model: Model,
    shape: Shape,
    target: float | None,
    name: str,
    machine: Machine,
    rates: Callable[[str, Machine, str, str], tuple[Rate, Rate]],
) -> PlanRow:
    found = rooms(machine, now=False)
    if not found:
        return _unknown(name, model.stored, "how much memory it has is not known")
    place, dtype = _smallest(model, shape, found)
    need = judging.need(model, shape, dtype, _kv(dtype))
    found_speed = speed(model, need, shape, *rates(name, machine, place.device, dtype))
    meets, reason = _met(need.lasting, place, dtype, model.stored, found_speed.tokens_s, found_speed.reason, target)
    return PlanRow(
        machine=name,
        meets=meets,
        device=place.device,
        dtype=dtype,
        total_bytes=need.lasting,
        budget_bytes=place.size_bytes,
        tokens_s=found_speed.tokens_s if need.lasting <= place.size_bytes else None,
        reason=reason,
    )


def _unknown(name: str, dtype: str, reason: str) -> PlanRow:
    return PlanRow(machine=name, meets=None, device="", dtype=dtype, total_bytes=0, budget_bytes=0, reason=reason)


def _smallest(model: Model, shape: Shape, found: list[Room]) -> tuple[Room, str]:
    """Return the first device, accelerators before main memory, that takes the widest dtype possible.

    Eight bits on an accelerator come before more of them in main memory: they answer nearly alike, and far sooner.
    """
    ladder = list(dict.fromkeys((model.stored, *(one.dtype for one in judging.choices(model, shape, "float16", 0)))))
    needs = {dtype: judging.need(model, shape, dtype, _kv(dtype)).lasting for dtype in ladder}
    ways = [(place, dtype) for dtype in ladder for place in found if needs[dtype] <= place.size_bytes]
    near = [way for way in ways if way[0].device != "cpu" and bits(way[1]) >= 8]
    return next(iter(near + ways), (max(found, key=lambda one: one.size_bytes), model.stored))


def _met(
    total: int, place: Room, dtype: str, stored: str, tokens_s: float | None, unknown: str, target: float | None
) -> tuple[bool | None, str]:
    if total > place.size_bytes:
        return False, f"{human_bytes(total)} do not fit into {human_bytes(place.size_bytes)}"
    held = f"{human_bytes(total)} fit" + ("" if dtype == stored else f" as {dtype}")
    if target is None:
        return True, held
    if tokens_s is None:
        return None, f"{held}; the speed is not known: {unknown}"
    return tokens_s >= target, f"{held}; {tokens_s:g} tokens/s (estimate) for {target:g}"


def _kv(dtype: str) -> str:
    return dtype if dtype in judging.FLOATS else "float16"
