"""The slices that an NVIDIA device is cut into (MIG), and the driver's CUDA version: what py3nvml has no function for.

Modules with functions of these names are called as they are; of py3nvml its own way into the library is used.
"""

from __future__ import annotations

import ctypes
from typing import Any


def cuda_version(nvml: Any) -> str:
    """Return the highest CUDA version that the driver runs, such as 12.8."""
    known = getattr(nvml, "nvmlSystemGetCudaDriverVersion", None)
    number = int(known() if known is not None else _number(nvml, "nvmlSystemGetCudaDriverVersion"))
    return f"{number // 1000}.{number % 1000 // 10}"


def enabled(nvml: Any, device: Any) -> bool:
    """Say whether a device is cut into slices; then only these can compute."""
    known = getattr(nvml, "nvmlDeviceGetMigMode", None)
    if known is not None:
        return bool(known(device)[0])
    pending = ctypes.c_uint(0)
    return bool(_number(nvml, "nvmlDeviceGetMigMode", device, after=(ctypes.byref(pending),)))


def slices(nvml: Any, device: Any) -> list[Any]:
    """Return the handles of the slices that have been made."""
    known = getattr(nvml, "nvmlDeviceGetMaxMigDeviceCount", None)
    count = int(known(device) if known is not None else _number(nvml, "nvmlDeviceGetMaxMigDeviceCount", device))
    found = []
    for index in range(count):
        try:
            found.append(_slice(nvml, device, index))
        except Exception:  # noqa: S112 - Places in between that hold no slice are answered with an error.
            continue
    return found


def _slice(nvml: Any, device: Any, index: int) -> Any:
    known = getattr(nvml, "nvmlDeviceGetMigDeviceHandleByIndex", None)
    if known is not None:
        return known(device, index)
    handle = nvml.c_nvmlDevice_t()
    call = nvml._nvmlGetFunctionPointer("nvmlDeviceGetMigDeviceHandleByIndex")
    nvml._nvmlCheckReturn(call(device, ctypes.c_uint(index), ctypes.byref(handle)))
    return handle


def _number(nvml: Any, name: str, *before: Any, after: tuple[Any, ...] = ()) -> int:
    value = ctypes.c_uint(0)
    call = nvml._nvmlGetFunctionPointer(name)
    nvml._nvmlCheckReturn(call(*before, ctypes.byref(value), *after))
    return value.value
