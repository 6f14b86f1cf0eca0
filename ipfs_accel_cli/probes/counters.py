"""How much this machine has done since it started: time of cores, bytes of disks and interfaces."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IDLE = ("idle", "iowait")
COUNTED_TWICE = ("guest", "guest_nice")  # Within user and nice already.
NO_DISKS = ("loop", "ram", "zram")


@dataclass(frozen=True, slots=True)
class Counters:
    """Counters at a moment of the monotonic clock.

    Of each core its busy and its whole seconds; of each disk the bytes read and written; of each interface those
    received and sent. What the system does not count is left out.
    """

    at: float
    cores: tuple[tuple[float, float], ...] = ()
    disks: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    networks: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def read(sys: Path = Path("/sys")) -> Counters:
    """Read all counters as psutil tells them; never raises."""
    import psutil

    return Counters(
        at=time.monotonic(),
        cores=tuple(map(_core, _asked(psutil.cpu_times, percpu=True) or ())),
        disks={
            name: (int(one.read_bytes), int(one.write_bytes))
            for name, one in (_asked(psutil.disk_io_counters, perdisk=True) or {}).items()
            if _is_disk(name, sys)
        },
        networks={
            name: (int(one.bytes_recv), int(one.bytes_sent))
            for name, one in (_asked(psutil.net_io_counters, pernic=True) or {}).items()
        },
    )


def _asked(ask: Callable[..., Any], **how: bool) -> Any:
    with suppress(Exception):  # A sandbox may hide any of the files that these are read from.
        return ask(**how)
    return None


def _core(times: Any) -> tuple[float, float]:
    seconds: dict[str, float] = {name: value for name, value in times._asdict().items() if name not in COUNTED_TWICE}
    whole = sum(seconds.values())
    return whole - sum(seconds.get(name, 0.0) for name in IDLE), whole


def _is_disk(name: str, sys: Path) -> bool:
    """Say whether it is a whole disk: a partition's bytes are counted with its disk's."""
    if name.rstrip("0123456789") in NO_DISKS:
        return False
    folder = sys / "block"
    return (folder / name).exists() if folder.is_dir() else True
