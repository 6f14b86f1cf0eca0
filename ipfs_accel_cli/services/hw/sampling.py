"""What this machine does at the moment, again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pydantic import Field

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.probes.base import Finding
from ipfs_accel_cli.probes.counters import Counters
from ipfs_accel_cli.services.hw.results import Accelerator, share_used

ASKED = ("memory", "cuda", "rocm", "xpu")
FIRST_SECONDS = 0.25  # So that something is seen soon; rates are per second however long was looked.


class DiskRate(Result):
    """How fast one disk is read and written."""

    name: str
    read_bytes_s: int | None = Field(default=None, description="Null when it has just appeared.")
    written_bytes_s: int | None = None


class NetworkRate(Result):
    """How fast one interface receives and sends."""

    name: str
    received_bytes_s: int | None = Field(default=None, description="Null when it has just appeared.")
    sent_bytes_s: int | None = None


class Sample(Result):
    """What the machine did in one interval."""

    columns = ("cpu_share", "cores", "memory_used", "memory_available_bytes", "accelerators", "disks", "networks")
    essence = "cpu_share"
    bars = ("cpu_share", "cores", "memory_used")

    seconds: float = Field(description="How long was looked.")
    cpu_share: float | None = Field(description="Share of the time in which the cores worked, 0 to 1.")
    cores: list[float | None] = Field(description="The same of each core.")
    memory_usable_bytes: int | None = None
    memory_available_bytes: int | None = None
    accelerators: list[Accelerator] = Field(default_factory=list, description="Those that are there.")
    disks: list[DiskRate] = Field(default_factory=list)
    networks: list[NetworkRate] = Field(default_factory=list)

    @property
    def memory_used(self) -> float | None:
        """The share of the usable memory that is taken."""
        return share_used(self.memory_usable_bytes, self.memory_available_bytes)


def samples(
    read: Callable[[], Counters],
    ask: Callable[[], Sequence[Finding]],
    devices: Callable[[Finding], Sequence[Accelerator]],
    *,
    interval: float,
    count: int | None,
) -> Iterator[Sample]:
    """Yield a sample after each interval, `count` of them or without end; stops when the call is stopped."""
    stopped = current().stopped
    before, made = read(), 0
    while count is None or made < count:
        if stopped.wait(interval if made else min(interval, FIRST_SECONDS)):
            return
        after = read()
        yield sample(before, after, ask(), devices)
        before, made = after, made + 1


def sample(
    before: Counters, after: Counters, found: Sequence[Finding], devices: Callable[[Finding], Sequence[Accelerator]]
) -> Sample:
    """Compare two readings; a counter that is new or went backwards gives no rate."""
    seconds = after.at - before.at
    memory = next((finding.facts for finding in found if finding.name == "memory"), {})
    shares = [_share(*pair) for pair in zip(before.cores, after.cores, strict=False)]
    known = [share for share in shares if share is not None]
    rows = [row for finding in found if finding.name != "memory" for row in devices(finding)]
    return Sample(
        seconds=round(seconds, 3),
        cpu_share=round(sum(known) / len(known), 4) if known else None,
        cores=shares,
        memory_usable_bytes=memory.get("usable_bytes"),
        memory_available_bytes=memory.get("available_bytes"),
        accelerators=[row for row in rows if row.state == "present"],
        disks=[
            DiskRate(name=name, read_bytes_s=one, written_bytes_s=other)
            for name, one, other in _rates(before.disks, after.disks, seconds)
        ],
        networks=[
            NetworkRate(name=name, received_bytes_s=one, sent_bytes_s=other)
            for name, one, other in _rates(before.networks, after.networks, seconds)
        ],
    )


def _share(before: tuple[float, float], after: tuple[float, float]) -> float | None:
    busy, whole = after[0] - before[0], after[1] - before[1]
    return round(min(1.0, max(0.0, busy / whole)), 4) if whole > 0 else None


def _rates(
    before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]], seconds: float
) -> Iterator[tuple[str, int | None, int | None]]:
    for name, (one, other) in sorted(after.items()):
        known = before.get(name)
        if known is None or seconds <= 0:
            yield name, None, None
        else:
            yield name, _rate(known[0], one, seconds), _rate(known[1], other, seconds)


def _rate(before: int, after: int, seconds: float) -> int | None:
    return round((after - before) / seconds) if after >= before else None
