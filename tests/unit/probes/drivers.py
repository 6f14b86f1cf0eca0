"""NVIDIA's management library as a test wants it: the functions that the probe calls, on devices made up here."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, GPU_IS_LOST, VERSION_MISMATCH = 9, 12, 15, 18


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


class Driver:
    """A working driver."""

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
