"""Stretches of files without a copy: mapped, and made present first, so that what cannot be read is no signal."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable
from functools import cache

_MADV_POPULATE_READ = 22  # linux/mman.h, since 5.14: fails with EFAULT where reading a page would end in SIGBUS.


def present(descriptor: int, offset: int, length: int) -> memoryview | None:
    """Return a stretch of a file whose pages are in memory; None where the file has to be read instead.

    That is where the system cannot do it, where a page cannot be read, and where the file ends before. For files of our
    own: one that somebody else cuts short while the stretch is in use ends the process.
    """
    populate = _populate()
    if populate is None or not length:
        return None
    before = offset % mmap.ALLOCATIONGRANULARITY
    size_bytes = before + length
    try:
        # Nothing is written, but only of a private writable map does Python tell the address.
        mapped = mmap.mmap(
            descriptor, size_bytes, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE, offset=offset - before
        )
    except (OSError, ValueError):
        return None
    if not populate(mapped):
        return None
    # The map is released with the last view of it.
    return memoryview(mapped).toreadonly()[before:]


@cache
def _populate() -> Callable[[mmap.mmap], bool] | None:
    """Return what makes a map present; unlike Python's own madvise, it lets other threads run meanwhile."""
    if sys.platform != "linux":
        return None
    import ctypes

    advise = ctypes.CDLL(None).madvise
    advise.argtypes, advise.restype = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int), ctypes.c_int

    def populate(mapped: mmap.mmap) -> bool:
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        return bool(advise(address, len(mapped), _MADV_POPULATE_READ) == 0)

    return populate
