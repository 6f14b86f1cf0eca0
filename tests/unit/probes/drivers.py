"""NVIDIA's management library as a test wants it: the functions that the probe calls, on devices made up here."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

NOT_FOUND, DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, GPU_IS_LOST, VERSION_MISMATCH = 6, 9, 12, 15, 18


class DriverError(Exception):
    """Carries NVML's return code as py3nvml's errors do."""

    def __init__(self, value: int) -> None:
        super().__init__(f"NVML error {value}")
        self.value = value


class SpeechlessError(DriverError):
    """An error that cannot say what it is, as when the broken library itself is asked for its text."""

    def __str__(self) -> str:
        raise DriverError(self.value)


@dataclass(frozen=True)
class Device:
    name: str | bytes
    total_bytes: int | None = None
    free_bytes: int = 0
    capability: float = 8.9
    lost: bool = False
    busy: int = 0
    processes: int = 0
    slices: tuple[Device | None, ...] | None = None


class Driver:
    """A working driver; a place among a device's slices may be empty."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self.devices = devices
        self.open = 0

    def nvmlInit(self) -> None:
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlSystemGetDriverVersion(self) -> bytes:
        return b"570.86.10"

    def nvmlDeviceGetCount(self) -> int:
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Device:
        if self.devices[index].lost:
            raise DriverError(GPU_IS_LOST)
        return self.devices[index]

    def nvmlDeviceGetName(self, device: Device) -> str | bytes:
        return device.name

    def nvmlDeviceGetMemoryInfo(self, device: Device) -> SimpleNamespace:
        if device.total_bytes is None:
            raise DriverError(3)
        return SimpleNamespace(total=device.total_bytes, free=device.free_bytes)

    def nvmlDeviceGetCudaComputeCapability(self, device: Device) -> float:
        return device.capability

    def nvmlSystemGetCudaDriverVersion(self) -> int:
        return 12080

    def nvmlDeviceGetUtilizationRates(self, device: Device) -> SimpleNamespace:
        return SimpleNamespace(gpu=device.busy, memory=0)

    def nvmlDeviceGetComputeRunningProcesses(self, device: Device) -> list[SimpleNamespace]:
        return [SimpleNamespace(pid=number) for number in range(device.processes)]

    def nvmlDeviceGetMigMode(self, device: Device) -> tuple[int, int]:
        return (int(device.slices is not None),) * 2

    def nvmlDeviceGetMaxMigDeviceCount(self, device: Device) -> int:
        return len(device.slices or ())

    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: Device, index: int) -> Device:
        found = (device.slices or ())[index]
        if found is None:
            raise DriverError(NOT_FOUND)
        return found


class OldDriver:
    """The same as py3nvml reaches it: without functions for slices, which its own way into the library leads to."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self._driver = Driver(devices)
        self._made: dict[int, Device] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "c_nvmlDevice_t":
            return ctypes.c_void_p
        if "Mig" in name or ("Cuda" in name and "Version" in name):
            raise AttributeError(name)
        function = getattr(self._driver, name)
        return lambda *given: function(*(self._meant(one) for one in given))

    def _meant(self, given: Any) -> Any:
        return self._made[given.value] if isinstance(given, ctypes.c_void_p) else given

    def _nvmlGetFunctionPointer(self, name: str) -> Any:
        return getattr(self, f"_call_{name}")

    def _nvmlCheckReturn(self, code: int) -> None:
        if code:
            raise DriverError(code)

    def _call_nvmlSystemGetCudaDriverVersion(self, version: Any) -> int:
        version._obj.value = 12080
        return 0

    def _call_nvmlDeviceGetMigMode(self, device: Device, mode: Any, pending: Any) -> int:
        mode._obj.value = pending._obj.value = int(device.slices is not None)
        return 0

    def _call_nvmlDeviceGetMaxMigDeviceCount(self, device: Device, count: Any) -> int:
        count._obj.value = len(device.slices or ())
        return 0

    def _call_nvmlDeviceGetMigDeviceHandleByIndex(self, device: Device, index: Any, handle: Any) -> int:
        found = (device.slices or ())[index.value]
        if found is None:
            return NOT_FOUND
        handle._obj.value = id(found)
        self._made[id(found)] = found
        return 0


class Broken:
    """A driver that refuses to start, with a given error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def nvmlInit(self) -> None:
        raise self.error


class Hanging:
    """A driver that does not come back before it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked = 0

    def nvmlInit(self) -> None:
        self.asked += 1
        self.released.wait(60)
        raise DriverError(LIBRARY_NOT_FOUND)


def h100s(*, cut: bool = False) -> list[Device]:
    """Eight of them at work; with `cut` the first is in three slices, a place between empty, the second in none."""
    one = Device("NVIDIA H100 80GB HBM3", 80 << 30, 30 << 30, 9.0, busy=97, processes=2)
    if not cut:
        return [one] * 8
    part = Device("NVIDIA H100 MIG 1g.10gb", 10 << 30, 9 << 30)
    whole = Device("NVIDIA H100 80GB HBM3", 80 << 30, 50 << 30, 9.0, slices=(part, None, part, part))
    return [whole, Device("NVIDIA H100 80GB HBM3", 80 << 30, 80 << 30, 9.0, slices=()), *[one] * 6]
