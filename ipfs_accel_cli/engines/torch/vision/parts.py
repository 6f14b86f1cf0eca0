"""Networks that make one row of each picture, taken apart: how they see, what they compute, what the rows mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.seeing import See, Values
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.vision import VisionSession, rows_session

# Takes the network and (pictures, channels, height, width); gives rows, and how vectors were made of states.
Answer = Callable[[Any, Tensor], tuple[Tensor, str]]


class Rows(torch.nn.Module):  # type: ignore[misc]
    """A network with what follows it."""

    def __init__(self, model: Any, answer: Answer) -> None:
        super().__init__()
        self.model, self._answer = model, answer

    def answer(self, pixel_values: Tensor) -> tuple[Tensor, str]:
        """Return float32 rows, and how vectors were made."""
        rows, pooling = self._answer(self.model, pixel_values)
        return rows.float(), pooling

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return float32 rows, shape (pictures, width)."""
        return self.answer(pixel_values)[0]


@dataclass(frozen=True, slots=True)
class Parts:
    """A loaded network; `labels` where its rows are logits."""

    see: See
    module: Rows
    labels: Labels | None = None

    def session(self, name: str, task: str, device: torch.device) -> VisionSession:
        """Return a session that runs the module."""
        dtype = next(self.module.parameters()).dtype

        def compute(pixels: Values) -> tuple[NDArray[numpy.float32], str]:
            with torch.inference_mode(), computing(name):
                rows, pooling = self.module.answer(torch.from_numpy(pixels).to(device, dtype))
            return rows.cpu().numpy(), pooling

        return rows_session(name, task, self.see, compute, self.labels)
