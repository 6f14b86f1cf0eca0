"""The fastText engine: labels of texts, a hundred thousand of them in a few seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fasttext

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.fasttext.session import TextSession

WORKING_BYTES = 32 << 20
SUFFIXES = (".ftz", ".bin")
TYPE = "fasttext"
# fasttext.cc: FASTTEXT_FILEFORMAT_MAGIC_INT32, and the versions that are read.
_MAGIC, _VERSIONS = 793712314, (11, 12)


class FastTextEngine:
    """Runs classifiers that fastText trained, on one thread."""

    name = "fasttext"

    def devices(self) -> tuple[Device, ...]:
        """Return the processor, the only device that fastText knows."""
        return (Device("cpu"),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 1 in memory, for nothing else runs it, else 0."""
        if model.model_type != TYPE or not _weights(model):
            what = ", ".join(model.architectures) or model.model_type or "the model"
            return Fit(
                0, 0, f"{what} is no classifier of fastText (model_type {TYPE} and a .ftz file)", supported=False
            )
        needed, free = model.weight_bytes + WORKING_BYTES, machine.memory_available_bytes
        reason = f"{human_bytes(needed)} are needed, {human_bytes(free)} are free"
        return Fit(1.0 if needed <= free else 0.0, needed, reason, dtype=model.dtype or "as stored")

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Read the model; see the contract for what it raises."""
        choose_device(plan.device, self.devices())
        path = files / _weights(model)
        with path.open("rb") as file:
            head = file.read(8)
        # What does not begin so, the library reads as an old format, with whatever lengths the bytes make.
        if int.from_bytes(head[:4], "little") != _MAGIC or int.from_bytes(head[4:], "little") not in _VERSIONS:
            raise MalformedContent(f"{model.name}: {path.name} is no model of fastText")
        try:
            found: Any = fasttext.load_model(str(path))
            labels, _ = found.predict("", k=-1, threshold=-1.0)
        except (ValueError, RuntimeError, MemoryError) as error:
            raise MalformedContent(f"{model.name}: {path.name} cannot be loaded: {error}") from error
        if not labels or not all(label.startswith("__label__") for label in labels):
            raise UnsupportedContent(f"{model.name} has no labels: it was not trained to classify")
        return TextSession(model.name, found, tuple(sorted(label.removeprefix("__label__") for label in labels)))


def _weights(model: ModelFacts) -> str:
    return next((file for suffix in SUFFIXES for file in sorted(model.files) if file.endswith(suffix)), "")
