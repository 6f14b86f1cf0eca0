"""EfficientNet-Lite0 (Liu, 2020; Tan and Le, arXiv:1905.11946): 4.7 M parameters, 1000 kinds of things.

The names of the tensors are those of the weights that TensorFlow published, as they were carried over to torch.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, relu6

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.seeing import LITE0, seer
from ipfs_accel_cli.engines.torch.vision.parts import Parts, Rows

WEIGHTS, LABELS = "pytorch_model.bin", "labels.json"
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


def parts(model: ModelFacts, files: Path, plan: Plan) -> Parts:
    """Load the network for labels or for vectors, which are what its last layer reads; raises as `Engine.load`."""
    labels = Labels(_names(files / LABELS, model.name))
    module = EfficientNetLite0().eval()
    module.load_state_dict(torch.load(files / WEIGHTS, map_location="cpu", weights_only=True))
    module.to(plan.device)
    see = seer(files, LITE0)
    if plan.task == "image-embed":
        return Parts(see, Rows(module, lambda network, pixels: (network.features(pixels), "mean")))
    return Parts(see, Rows(module, lambda network, pixels: (network.head(network.features(pixels)), "")), labels)


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


def _names(path: Path, model: str) -> tuple[str, ...]:
    names = json.loads(path.read_text("utf-8"))
    if not isinstance(names, list) or len(names) != _CLASSES:
        raise MalformedContent(f"{model}: {LABELS} is no list of {_CLASSES} names")
    return tuple(str(name) for name in names)
