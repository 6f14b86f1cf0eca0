"""How content would get to places that take it in parts, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from ipfs_accel_cli.core.parts import Parts, to_read, to_send
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.store.placement.results import Travel
from ipfs_accel_cli.services.store.placement.wants import Candidate, Want


def travel(candidates: Iterable[Candidate], names: Sequence[str], want: Want) -> list[Travel]:
    """Return both ways of the largest file for each named place that takes parts, in the order of the names."""
    largest = want.size_bytes if want.largest_bytes is None else want.largest_bytes
    known = {one.name: one for one in candidates}
    found = []
    for name in names:
        one = known[name]
        if one.in_parts is None:
            continue
        pace = one.pace
        found.append(_shown(name, "send", to_send(largest, pace, one.in_parts), pace.latency_s, pace.write_bytes_s))
        found.append(_shown(name, "fetch", to_read(largest, pace), pace.latency_s, pace.read_bytes_s))
    return found


def _shown(
    name: str, way: Literal["send", "fetch"], cut: Parts, latency_s: float | None, bytes_s: float | None
) -> Travel:
    if latency_s is None or not bytes_s:
        said = "not measured; ipfs-accel store probe " + name
    else:
        said = f"{1000 * latency_s:.3g} ms to an answer, {human_bytes(round(bytes_s))}/s"
    whole = "" if cut.parallel > 1 else "in one piece; "
    return Travel(backend=name, way=way, part_bytes=cut.part_bytes, parallel=cut.parallel, said=whole + said)
