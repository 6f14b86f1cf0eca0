"""Which NVIDIA devices there are, as the driver's management library tells it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ipfs_accel_cli.probes import mig
from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question, described

T = TypeVar("T")

LIBRARY = "libnvidia-ml.so.1"
LIBRARY_NOT_FOUND = 12  # NVML_ERROR_LIBRARY_NOT_FOUND of nvml.h.


class CudaProbe:
    """Asks NVML through py3nvml, or through a module with the same functions.

    Facts: driver, cuda (the highest version that the driver runs). Each device: index, name, state, reason,
    memory_total_bytes, memory_free_bytes, compute_capability, busy_share, processes (how many compute there), mig
    (whether it is cut into slices) and slices (of each its name and memory).
    """

    name = "cuda"

    def __init__(self, nvml: Any = None, proc: Path = Path("/proc"), seconds: float = ANSWER_SECONDS) -> None:
        self._nvml = nvml
        self._proc = proc
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return the devices; absent without a driver, unknown when there is one that does not answer well."""
        return self._question.answer()

    def _ask(self) -> Finding:
        if self._nvml is None and not _library_loads():
            return self._without_library()
        try:
            nvml = self._nvml or _py3nvml()
        except ImportError as error:
            return Finding(self.name, "unknown", f"py3nvml cannot be imported ({described(error)})")
        try:
            nvml.nvmlInit()
        except Exception as error:
            if getattr(error, "value", None) == LIBRARY_NOT_FOUND:
                return self._without_library()
            return Finding(self.name, "unknown", f"the NVIDIA driver does not answer ({described(error)})")
        try:
            return self._devices(nvml)
        finally:
            with suppress(Exception):
                nvml.nvmlShutdown()

    def _without_library(self) -> Finding:
        if (self._proc / "driver" / "nvidia" / "version").exists():
            reason = "the NVIDIA kernel driver is loaded, but its library libnvidia-ml.so.1 is not to be found here"
            return Finding(self.name, "unknown", reason)
        return Finding(self.name, "absent", "no NVIDIA driver: its library libnvidia-ml.so.1 is not installed")

    def _devices(self, nvml: Any) -> Finding:
        facts = {
            "driver": _asked(lambda: _word(nvml.nvmlSystemGetDriverVersion())),
            "cuda": _asked(lambda: mig.cuda_version(nvml)),
        }
        try:
            count = int(nvml.nvmlDeviceGetCount())
        except Exception as error:
            return Finding(self.name, "unknown", f"the NVIDIA driver does not answer ({described(error)})", facts)
        devices = tuple(_device(nvml, index) for index in range(count))
        if not devices:
            return Finding(self.name, "absent", "the NVIDIA driver lists no device", facts)
        working = [device for device in devices if device["state"] == "present"]
        reason = "" if len(working) == count else f"{count - len(working)} of {count} devices do not answer"
        return Finding(self.name, "present" if working else "unknown", reason, facts, devices)


def _library_loads() -> bool:
    """Say whether the driver's library is here; py3nvml takes long to import and could do nothing without it."""
    import ctypes

    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True


def _py3nvml() -> Any:
    from py3nvml import py3nvml

    return py3nvml


def _device(nvml: Any, index: int) -> dict[str, Any]:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        name = _word(nvml.nvmlDeviceGetName(handle))
    except Exception as error:
        return {"index": index, "state": "unknown", "reason": described(error)}
    cut = _asked(lambda: mig.enabled(nvml, handle))
    slices = [_slice(nvml, one) for one in _asked(lambda: mig.slices(nvml, handle)) or []] if cut else []
    return {
        "index": index,
        "name": name,
        **_memory(nvml, handle),
        "compute_capability": _asked(lambda: f"{nvml.nvmlDeviceGetCudaComputeCapability(handle):.1f}"),
        "busy_share": _asked(lambda: min(100, max(0, int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu))) / 100),
        "processes": _asked(lambda: len(nvml.nvmlDeviceGetComputeRunningProcesses(handle))),
        "mig": cut,
        "slices": slices,
        "state": "present",
        "reason": "cut into slices (MIG); only these can compute, and none has been made" if cut and not slices else "",
    }


def _slice(nvml: Any, handle: Any) -> dict[str, Any]:
    return {"name": _asked(lambda: _word(nvml.nvmlDeviceGetName(handle))), **_memory(nvml, handle)}


def _memory(nvml: Any, handle: Any) -> dict[str, int | None]:
    # Devices that share the machine's memory have no memory figures of their own.
    memory: Any = _asked(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    return {
        "memory_total_bytes": _asked(lambda: int(memory.total)),
        "memory_free_bytes": _asked(lambda: int(memory.free)),
    }


def _asked(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except Exception:  # One figure that a device does not give must not cost the others.
        return None


def _word(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
