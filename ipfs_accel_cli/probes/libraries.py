"""Which libraries that matter here are installed, in which versions; none of them is imported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from ipfs_accel_cli.core import distributions
from ipfs_accel_cli.probes import procfs
from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question

NAMES = (
    *("torch", "transformers", "accelerate", "safetensors", "tokenizers", "huggingface-hub", "numpy"),
    *("onnxruntime", "onnxruntime-gpu", "onnxruntime-rocm", "openvino", "ctranslate2", "llama-cpp-python", "vllm"),
    *("bitsandbytes", "torchao", "flash-attn", "triton", "mlx", "wgpu", "py3nvml", "nvidia-ml-py", "amdsmi", "psutil"),
    *("mcp", "ipfs-accel"),
)

_BUILD = re.compile(r"^(cuda|hip|xpu)\b[^=]*=\s*'([^']+)'", re.MULTILINE)


class LibrariesProbe:
    """Reads the versions off the folders of what is installed, and torch's build off its own file.

    Facts: versions (by the name in the package index), torch_build (`cpu`, `cuda 12.8`, `hip 6.4`; None without torch).
    """

    name = "libraries"

    def __init__(
        self,
        installed: Callable[[], Mapping[str, str]] = distributions.installed,
        torch: Path | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._installed = installed
        self._torch = torch
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return the versions; there always are some."""
        return self._question.answer()

    def _ask(self) -> Finding:
        versions = self._installed()
        facts = {
            "versions": {name: versions[name] for name in NAMES if name in versions},
            "torch_build": _torch_build(self._torch or _folder("torch")),
        }
        return Finding(self.name, "present", facts=facts)


def _folder(module: str) -> Path | None:
    try:
        found = find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(found.origin).parent if found is not None and found.origin else None


def _torch_build(folder: Path | None) -> str | None:
    """Return which accelerator this torch was built for; on macOS every build has Metal, and says `cpu` here."""
    text = procfs.text(folder / "version.py") if folder is not None else None
    if text is None:
        return None
    built = _BUILD.search(text)
    return f"{built[1]} {built[2]}" if built else "cpu"
