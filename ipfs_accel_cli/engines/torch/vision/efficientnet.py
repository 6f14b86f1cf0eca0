"""EfficientNet-Lite0 (Liu, 2020; Tan and Le, arXiv:1905.11946): 4.7 M parameters, 1000 kinds of things.

The names of the tensors are those of the weights that TensorFlow published, as they were carried over to torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import pad, relu6

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan
from ipfs_accel_cli.engines.exchange.text import Scores, Vectors
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.vision.looking import rows_of
from ipfs_accel_cli.engines.vision import Options, VisionSession

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

WEIGHTS, LABELS = "pytorch_model.bin", "labels.json"
_SIDE, _MEAN, _SPREAD = 224, 127 / 255, 128 / 255
_CLASSES, _WIDTH = 1000, 1280
# Kernel, stride, expansion, channels in and out, repeats.
_STAGES = (
    (3, 1, 1, 32, 16, 1),
    (3, 2, 6, 16, 24, 2),
    (5, 2, 6, 24, 40, 2),
    (3, 2, 6, 40, 80, 3),
    (5, 1, 6, 80, 112, 3),
    (5, 2, 6, 112, 192, 4),
    (3, 1, 6, 192, 320, 1),
)


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> VisionSession:
    """Load the network for labels or for vectors, which are what its last layer reads; raises as `Engine.load`."""
    names = _names(files / LABELS, model.name)
    module = EfficientNetLite0().eval()
    module.load_state_dict(torch.load(files / WEIGHTS, map_location="cpu", weights_only=True))
    module.to(device.name)
    labels, where = Labels(names), torch.device(device.name)

    def look(positions: tuple[int, ...], images: Sequence[Pixels], _: Options) -> Scores | Vectors:
        with torch.inference_mode(), computing(model.name):
            features = module.features(torch.stack([_seen(image) for image in images]).to(where))
            if plan.task == "image-embed":
                return Vectors(positions, rows_of(model.name, features), "mean")
            return Scores(positions, labels.scores(rows_of(model.name, module.head(features))), names)

    return VisionSession(model.name, plan.task, look)


class EfficientNetLite0(nn.Module):  # type: ignore[misc]
    """The network: pictures of 224 x 224 into 1280 features, and these into 1000 logits."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _Same(3, 32, 3, 2), _norm(32)
        self._blocks = nn.ModuleList(
            _Block(kernel, stride if at == 0 else 1, expansion, narrow if at == 0 else wide, wide)
            for kernel, stride, expansion, narrow, wide, repeats in _STAGES
            for at in range(repeats)
        )
        self._conv_head, self._bn1 = _Same(320, _WIDTH, 1), _norm(_WIDTH)
        self._fc = nn.Linear(_WIDTH, _CLASSES)

    def features(self, pixels: Tensor) -> Tensor:
        """Return (pictures, 1280) from (pictures, 3, 224, 224)."""
        states = relu6(self._bn0(self._conv_stem(pixels)))
        for block in self._blocks:
            states = block(states)
        found: Tensor = relu6(self._bn1(self._conv_head(states))).mean((2, 3))
        return found

    def head(self, features: Tensor) -> Tensor:
        """Return logits, (pictures, 1000)."""
        logits: Tensor = self._fc(features)
        return logits


class _Same(nn.Conv2d):  # type: ignore[misc]
    """A convolution with TensorFlow's "same" padding: the odd pixel goes right and below."""

    def __init__(self, narrow: int, wide: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(narrow, wide, kernel, stride, groups=groups, bias=False)

    def forward(self, states: Tensor) -> Tensor:
        """Pad and convolve."""
        kernel, stride = self.kernel_size[0], self.stride[0]
        high, wide = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in states.shape[-2:])
        padded = pad(states, [wide // 2, wide - wide // 2, high // 2, high - high // 2])
        found: Tensor = super().forward(padded)
        return found


class _Block(nn.Module):  # type: ignore[misc]
    """Widen, look at each channel apart, narrow again; what came in is added where the shape stays."""

    def __init__(self, kernel: int, stride: int, expansion: int, narrow: int, wide: int) -> None:
        super().__init__()
        inner = narrow * expansion
        self.expands, self.skips = expansion != 1, stride == 1 and narrow == wide
        if self.expands:
            self._expand_conv, self._bn0 = _Same(narrow, inner, 1), _norm(inner)
        self._depthwise_conv, self._bn1 = _Same(inner, inner, kernel, stride, inner), _norm(inner)
        self._project_conv, self._bn2 = _Same(inner, wide, 1), _norm(wide)

    def forward(self, states: Tensor) -> Tensor:
        """Return states of the same height and width, or of half of both."""
        inner = relu6(self._bn0(self._expand_conv(states))) if self.expands else states
        inner = relu6(self._bn1(self._depthwise_conv(inner)))
        found: Tensor = self._bn2(self._project_conv(inner))
        return states + found if self.skips else found


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


def _seen(pixels: Pixels) -> Tensor:
    """Return the square in the middle at the network's size, (3, 224, 224)."""
    high, wide = pixels.shape[:2]
    side = min(high, wide)
    left, top = (wide - side) // 2, (high - side) // 2
    middle = Image.fromarray(pixels[top : top + side, left : left + side])
    small = numpy.array(middle.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
    return (torch.from_numpy(small).permute(2, 0, 1).float() / 255 - _MEAN) / _SPREAD


def _names(path: Path, model: str) -> tuple[str, ...]:
    names = json.loads(path.read_text("utf-8"))
    if not isinstance(names, list) or len(names) != _CLASSES:
        raise MalformedContent(f"{model}: {LABELS} is no list of {_CLASSES} names")
    return tuple(str(name) for name in names)
