"""What macOS says of itself through sysctlbyname, which starts no process."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable

Read = Callable[[str], bytes | None]


def read(name: str) -> bytes | None:
    """Return the raw value of a name such as `hw.memsize`; None off macOS and for a name that does not exist."""
    if platform.system() != "Darwin":
        return None
    import ctypes

    library = ctypes.CDLL(None)
    size = ctypes.c_size_t(0)
    if library.sysctlbyname(name.encode(), None, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return None
    value = ctypes.create_string_buffer(size.value)
    if library.sysctlbyname(name.encode(), value, ctypes.byref(size), None, ctypes.c_size_t(0)) != 0:
        return None
    return value.raw[: size.value]


def number(raw: bytes | None) -> int | None:
    """Return a value of four or eight bytes as a whole number; None for anything else."""
    if raw is None or len(raw) not in (4, 8):
        return None
    return int.from_bytes(raw, sys.byteorder, signed=True)


def word(raw: bytes | None) -> str | None:
    """Return a value as text, up to its zero byte; None when there is none."""
    text = (raw or b"").split(b"\0")[0].decode("utf-8", "replace").strip()
    return text or None
