"""Things in pictures: boxes around them, and the pixels that show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import torch
from torch.nn.functional import interpolate
from transformers import (
    AutoConfig,
    AutoModelForObjectDetection,
    AutoModelForSemanticSegmentation,
    AutoModelForUniversalSegmentation,
)

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan
from ipfs_accel_cli.engines.exchange.image import Box, Boxes, FindOptions, Region, Regions
from ipfs_accel_cli.engines.seeing import processor_of
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model
from ipfs_accel_cli.engines.vision import Options, VisionSession

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

# Labels whose probabilities are brought to the picture's size at once: 150 together would take gigabytes.
_LABELS_AT_ONCE = 8


def detector(model: ModelFacts, files: Path, plan: Plan, device: Device) -> VisionSession:
    """Load a detector; raises as `Engine.load`."""
    processor, where = processor_of(files), torch.device(device.name)
    module = load_model(AutoModelForObjectDetection, files, plan, spread=short(model, plan, device))
    names = module.config.id2label

    def look(positions: tuple[int, ...], images: Sequence[Pixels], options: Options) -> Boxes:
        sizes = [image.shape[:2] for image in images]
        with torch.inference_mode(), computing(model.name):
            answer = module(**_inputs(processor, images, where))
            _checked(model.name, answer.logits)
            found = processor.post_process_object_detection(answer, _threshold(options), target_sizes=sizes)
        return Boxes(positions, tuple(tuple(_boxes(one, names, size)) for one, size in zip(found, sizes, strict=True)))

    return VisionSession(model.name, plan.task, look)


def segmenter(model: ModelFacts, files: Path, plan: Plan, device: Device) -> VisionSession:
    """Load a segmenter, of kinds of things or of single things; raises as `Engine.load`."""
    config = AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False)
    single = any(name.endswith("ForUniversalSegmentation") for name in config.architectures or ())
    auto = AutoModelForUniversalSegmentation if single else AutoModelForSemanticSegmentation
    processor, where = processor_of(files), torch.device(device.name)
    module = load_model(auto, files, plan, spread=short(model, plan, device))
    names = module.config.id2label
    kinds = _singles if single else _kinds

    def look(positions: tuple[int, ...], images: Sequence[Pixels], options: Options) -> Regions:
        with torch.inference_mode(), computing(model.name):
            answer = module(**_inputs(processor, images, where))
            _checked(model.name, answer.class_queries_logits if single else answer.logits)
            sizes = [image.shape[:2] for image in images]
            found = kinds(processor, answer, sizes, _threshold(options), names)
            return Regions(positions, tuple(tuple(sorted(one, key=lambda region: -region.mask.sum())) for one in found))

    return VisionSession(model.name, plan.task, look)


def _inputs(processor: Any, images: Sequence[Pixels], device: torch.device) -> dict[str, torch.Tensor]:
    made = processor(list(images), return_tensors="pt", input_data_format="channels_last")
    return {key: value.to(device) for key, value in made.items() if isinstance(value, torch.Tensor)}


def _kinds(
    _: Any, answer: Any, sizes: Sequence[tuple[int, ...]], threshold: float, names: Any
) -> Iterator[list[Region]]:
    """Yield, for each picture, the pixels that each label is the likeliest of; `threshold` is for their mean."""
    for logits, size in zip(answer.logits.softmax(dim=1), sizes, strict=True):
        best = torch.zeros(size)
        which = torch.zeros(size, dtype=torch.int64)
        for begin in range(0, len(logits), _LABELS_AT_ONCE):
            some = logits[None, begin : begin + _LABELS_AT_ONCE]
            likely, label = interpolate(some, size=size, mode="bilinear", align_corners=False)[0].cpu().max(dim=0)
            which = torch.where(likely > best, label + begin, which)
            best = torch.maximum(likely, best)
        masks = [(label, which == label) for label in which.unique().tolist()]
        scored = [(label, float(best[mask].mean()), mask) for label, mask in masks]
        yield [Region(names[label], score, mask.numpy()) for label, score, mask in scored if score >= threshold]


def _singles(
    processor: Any, answer: Any, sizes: Sequence[tuple[int, ...]], threshold: float, names: Any
) -> Iterator[list[Region]]:
    """Yield, for each picture, the pixels of each thing that scores at least `threshold`."""
    for one in processor.post_process_panoptic_segmentation(answer, threshold=threshold, target_sizes=list(sizes)):
        which = one["segmentation"].cpu().numpy()
        masks = [(segment, which == segment["id"]) for segment in one["segments_info"]]
        yield [
            Region(names[segment["label_id"]], float(segment["score"]), mask) for segment, mask in masks if mask.any()
        ]


def _boxes(found: Any, names: Any, size: tuple[int, ...]) -> Iterator[Box]:
    """Yield boxes, the surest first, cut at the edges of the picture."""
    high, wide = size
    scores, labels = found["scores"].tolist(), found["labels"].tolist()
    edges = numpy.clip(found["boxes"].float().cpu().numpy(), 0, numpy.array([wide, high, wide, high])).tolist()
    for at in numpy.argsort(-numpy.array(scores), kind="stable").tolist():
        yield Box(str(names[labels[at]]), scores[at], *edges[at])


def _checked(name: str, logits: torch.Tensor) -> None:
    if not torch.isfinite(logits).all():
        raise MalformedContent(f"{name} answers with values that are no numbers; its weights are damaged")


def _threshold(options: Options) -> float:
    return options.threshold if isinstance(options, FindOptions) else 0.0
