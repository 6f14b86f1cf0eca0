"""What the installed OpenVINO can compute on: the processor, Intel's GPUs and NPUs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.core.distributions import installed
from ipfs_accel_cli.probes import child
from ipfs_accel_cli.probes.base import Finding, Question


class OpenVinoProbe:
    """Asks OpenVINO, in a process of its own, for its devices.

    Facts: version, computes_on (each as `GPU.0: its full name`).
    """

    name = "openvino"

    def __init__(
        self, devices: Callable[[], Mapping[str, str]] | None = None, seconds: float = child.CHILD_SECONDS
    ) -> None:
        self._devices = devices
        self._question = Question(self.name, self._ask, seconds + 1)
        self._seconds = seconds

    def read(self) -> Finding:
        """Return the devices; absent when it is not installed."""
        return self._question.answer()

    def glance(self) -> Finding:
        """Say which version is installed, devices unknown."""
        return self._missing() or Finding(
            self.name, "present", "its devices are told by `hw info --full`", self._facts()
        )

    def _missing(self) -> Finding | None:
        if self._devices is not None or find_spec("openvino") is not None:
            return None
        return Finding(self.name, "absent", "not installed (pip install openvino)")

    def _facts(self) -> dict[str, Any]:
        return {"package": "openvino", "version": installed().get("openvino")}

    def _ask(self) -> Finding:
        missing = self._missing()
        if missing is not None:
            return missing
        try:
            told = self._devices() if self._devices is not None else self._asked()
        except child.NoAnswer as error:
            return Finding(self.name, "unknown", f"OpenVINO does not answer ({error})", self._facts())
        named = [f"{device}: {name}" if name else device for device, name in told.items()]
        return Finding(self.name, "present", facts={**self._facts(), "computes_on": named})

    def _asked(self) -> Mapping[str, str]:
        found: Mapping[str, str] = child.ask("ipfs_accel_cli.probes.openvino:devices", seconds=self._seconds)
        return found


def devices() -> dict[str, str]:
    """Return OpenVINO's devices with their names; runs in a process of its own."""
    import openvino

    core = openvino.Core()
    return {str(device): str(core.get_property(device, "FULL_DEVICE_NAME")) for device in core.available_devices}
