"""From pictures to what a model of transformers takes, without torchvision; and what all its sessions share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import torch
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels


def processor_of(folder: Path) -> Any:
    """Return what a model's preprocessor_config.json says is done to pictures; raises UnsupportedContent without."""
    if not (folder / "preprocessor_config.json").exists():
        raise UnsupportedContent("no preprocessor_config.json says how the model wants its pictures")
    from transformers import AutoImageProcessor

    # The other one needs torchvision.
    return AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True, trust_remote_code=False)


def inputs(processor: Any, images: Sequence[Pixels], device: torch.device) -> dict[str, torch.Tensor]:
    """Return the inputs of a model for pictures of any sizes."""
    made = processor(list(images), return_tensors="pt", input_data_format="channels_last")
    return {key: value.to(device) for key, value in made.items() if isinstance(value, torch.Tensor)}


def rows_of(name: str, values: torch.Tensor) -> NDArray[numpy.float32]:
    """Return float32 rows; raises MalformedContent for values that are no numbers."""
    rows: NDArray[numpy.float32] = values.float().cpu().numpy()
    if not numpy.isfinite(rows).all():
        raise MalformedContent(f"{name} answers with values that are no numbers; its weights are damaged")
    return rows
