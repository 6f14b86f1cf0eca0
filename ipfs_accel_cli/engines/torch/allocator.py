"""The C library's allocator, told to give large tensors back to the system when they are let go."""

from __future__ import annotations

import ctypes
import platform

# glibc begins at 128 KiB and raises that up to 32 MiB by itself with every large block that is freed. Activations then
# come from a heap that the growing key-value caches cut into pieces: peaks differed by half from run to run. A fixed
# bound costs page faults: at 1 MiB 17 % of the time of an inner product, at 8 MiB 6 %, while a step of one token has
# no tensor of that size.
LARGE_BYTES = 2 << 20
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def return_large_blocks() -> bool:
    """Map blocks of LARGE_BYTES and more on their own, for the whole process; False where the C library is another."""
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    return bool(library.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES) and library.mallopt(_M_TRIM_THRESHOLD, LARGE_BYTES))
