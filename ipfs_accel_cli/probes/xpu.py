"""Which Intel graphics devices there are, as the kernel's drivers tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli.probes import drm, procfs
from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question

DRIVERS = ("i915", "xe")
INTEGRATED = "0000:00:02.0"  # Where every integrated Intel GPU sits.


class XpuProbe:
    """Reads what i915 and xe show below /sys/class/drm.

    Each device: index, name, state, reason, slot, memory_total_bytes (None for one that shares the machine's memory,
    and where the driver does not tell), shares_memory.
    """

    name = "xpu"

    def __init__(self, sys: Path = Path("/sys"), dev: Path = Path("/dev"), seconds: float = ANSWER_SECONDS) -> None:
        self._sys = sys
        self._dev = dev
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return the devices; absent where the kernel shows none."""
        return self._question.answer()

    def _ask(self) -> Finding:
        cannot = drm.blind(self.name, self._sys)
        if cannot is not None:
            return cannot
        cards = [card for card in drm.nodes(self._sys, "drm", "renderD") if card.vendor == drm.INTEL]
        driven = [card for card in cards if card.driver in DRIVERS]
        if not cards:
            return Finding(self.name, "absent", "the kernel shows no Intel GPU")
        if not driven:
            return Finding(
                self.name, "unknown", f"an Intel GPU is there, but neither {' nor '.join(DRIVERS)} drives it"
            )
        return Finding(self.name, "present", devices=tuple(_device(index, card) for index, card in enumerate(driven)))


def _device(index: int, card: drm.Node) -> dict[str, Any]:
    shares = card.slot == INTEGRATED
    total = None if shares else _memory(card.folder)
    return {
        "index": index,
        "name": f"Intel {'integrated ' if shares else ''}GPU, {card.title} ({card.driver})",
        "slot": card.slot,
        "memory_total_bytes": total,
        "shares_memory": shares,
        "state": "present",
        "reason": "" if shares or total is not None else f"the driver {card.driver} does not tell its memory",
    }


def _memory(folder: Path) -> int | None:
    """Return the memory on the card: xe tells that of each tile, i915 the sum."""
    tiles = [procfs.number(path) for path in folder.glob("tile[0-9]*/physical_vram_size_bytes")]
    sizes = [size for size in tiles if size is not None and size > 0]
    sizes = sizes or [size for path in folder.glob("drm/card[0-9]*/lmem_total_bytes") if (size := procfs.number(path))]
    return sum(sizes) or None
