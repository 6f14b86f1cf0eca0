"""What the installed ONNX Runtime can compute on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.core.distributions import installed
from ipfs_accel_cli.probes import child
from ipfs_accel_cli.probes.base import Finding, Question

INSTALL = "pip install 'ipfs-accel[onnx]'"

# Builds of it for other hardware come as packages of other names, which all bring the module `onnxruntime`.
PACKAGES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-rocm", "onnxruntime-openvino", "onnxruntime-qnn")

# It sends work to a service, so it says nothing of this machine.
NO_HARDWARE = ("AzureExecutionProvider",)


class OnnxProbe:
    """Asks onnxruntime, in a process of its own, for its execution providers.

    Facts: version, package, computes_on (the providers that stand for hardware).
    """

    name = "onnxruntime"

    def __init__(
        self, providers: Callable[[], Sequence[str]] | None = None, seconds: float = child.CHILD_SECONDS
    ) -> None:
        self._providers = providers
        self._question = Question(self.name, self._ask, seconds + 1)
        self._seconds = seconds

    def read(self) -> Finding:
        """Return the providers; absent when it is not installed."""
        return self._question.answer()

    def glance(self) -> Finding:
        """Say which version is installed, providers unknown."""
        return self._missing() or Finding(
            self.name, "present", "its providers are told by `hw info --full`", self._facts()
        )

    def _missing(self) -> Finding | None:
        if self._providers is not None or find_spec("onnxruntime") is not None:
            return None
        return Finding(self.name, "absent", f"not installed ({INSTALL})")

    def _facts(self) -> dict[str, Any]:
        versions = installed()
        package = next((name for name in PACKAGES if name in versions), None)
        return {"package": package, "version": versions.get(package or "")}

    def _ask(self) -> Finding:
        missing = self._missing()
        if missing is not None:
            return missing
        try:
            told = self._providers() if self._providers is not None else self._asked()
        except child.NoAnswer as error:
            return Finding(self.name, "unknown", f"onnxruntime does not answer ({error})", self._facts())
        real = [name.removesuffix("ExecutionProvider") for name in told if name not in NO_HARDWARE]
        return Finding(self.name, "present", facts={**self._facts(), "computes_on": real})

    def _asked(self) -> Sequence[str]:
        found: Sequence[str] = child.ask("ipfs_accel_cli.probes.onnx:providers", seconds=self._seconds)
        return found


def providers() -> list[str]:
    """Return the providers of the installed onnxruntime; runs in a process of its own."""
    import onnxruntime

    return [str(name) for name in onnxruntime.get_available_providers()]
