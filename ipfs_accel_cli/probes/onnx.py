"""What the installed ONNX Runtime can compute on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ipfs_accel_cli.core.distributions import installed
from ipfs_accel_cli.probes.base import Finding
from ipfs_accel_cli.probes.library import Library, LibraryProbe

# Builds of it for other hardware come as packages of other names, which all bring the module `onnxruntime`.
PACKAGES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-rocm", "onnxruntime-openvino", "onnxruntime-qnn")

# It sends work to a service, so it says nothing of this machine.
NO_HARDWARE = ("AzureExecutionProvider",)


def providers() -> list[str]:
    """Return the execution providers of the installed onnxruntime; runs in a process of its own."""
    import onnxruntime

    return [str(name) for name in onnxruntime.get_available_providers()]


def _facts() -> dict[str, Any]:
    versions = installed()
    package = next((name for name in PACKAGES if name in versions), None)
    return {"package": package, "version": versions.get(package or "")}


def _read(name: str, told: Sequence[str], facts: Mapping[str, Any]) -> Finding:
    real = [one.removesuffix("ExecutionProvider") for one in told if one not in NO_HARDWARE]
    return Finding(name, "present", facts={**facts, "computes_on": real})


ONNX = Library(
    name="onnxruntime",
    module="onnxruntime",
    called="onnxruntime",
    missing=("absent", "not installed (pip install 'ipfs-accel[onnx]')"),
    unasked=("present", "its providers are told by `hw info --full`"),
    ask=f"{__name__}:providers",
    facts=_facts,
    read=_read,
)
# Facts: version, package, computes_on (the providers that stand for hardware).
OnnxProbe = partial(LibraryProbe, ONNX)
