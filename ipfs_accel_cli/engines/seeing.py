"""From pictures to the numbers that a network takes, for every engine alike and without torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import UnsupportedContent

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

LITE0 = "efficientnet-lite0"
# float32, shape (pictures, channels, height, width).
Values = NDArray[numpy.float32]
See = Callable[["Sequence[Pixels]"], Values]

_SIDE, _MEAN, _SPREAD = 224, numpy.float32(127 / 255), numpy.float32(128 / 255)


def seer(files: Path, model_type: str) -> See:
    """Return what turns pictures of any sizes into the input of a model; raises as `processor_of`."""
    if model_type == LITE0:
        return _middles
    processor = processor_of(files)

    def see(images: Sequence[Pixels]) -> Values:
        made = processor(list(images), return_tensors="np", input_data_format="channels_last")
        return numpy.ascontiguousarray(made["pixel_values"], dtype=numpy.float32)

    return see


def processor_of(folder: Path) -> Any:
    """Return what a model's preprocessor_config.json says is done to pictures; raises UnsupportedContent without."""
    if not (folder / "preprocessor_config.json").exists():
        raise UnsupportedContent("no preprocessor_config.json says how the model wants its pictures")
    from transformers import AutoImageProcessor

    from ipfs_accel_cli.engines.tokenizing import quiet

    with quiet():
        # The other one needs torchvision.
        return AutoImageProcessor.from_pretrained(folder, backend="pil", local_files_only=True, trust_remote_code=False)


def _middles(images: Sequence[Pixels]) -> Values:
    """Return the square in the middle of each picture as EfficientNet-Lite0 takes it, (pictures, 3, 224, 224)."""
    return numpy.stack([_middle(image) for image in images])


def _middle(pixels: Pixels) -> Values:
    from PIL import Image

    high, wide = pixels.shape[:2]
    side = min(high, wide)
    left, top = (wide - side) // 2, (high - side) // 2
    middle = Image.fromarray(pixels[top : top + side, left : left + side])
    small = numpy.array(middle.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
    return (small.transpose(2, 0, 1).astype(numpy.float32) / numpy.float32(255) - _MEAN) / _SPREAD
