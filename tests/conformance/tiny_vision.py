"""Random-weight models of pictures, saved as real ones are: noise, but exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli.engines.base import Loadable
from tests.conformance.tiny_models import loadable, write_json

SIDE = 32
_BLOCK = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
_LABELS = {0: "cat", 1: "dog", 2: "bird"}


def classifier(folder: Path) -> Loadable:
    """Save a tiny ViT with a head of three labels."""
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(11)
    config = ViTConfig(image_size=SIDE, patch_size=8, id2label=_LABELS, **_BLOCK)
    return _saved(ViTForImageClassification(config), folder, "ViTImageProcessor", "image-classify")


def convolutions(folder: Path) -> Loadable:
    """Save a tiny ResNet with a head of three labels: planes instead of tokens, no matrices but the head's."""
    import torch
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(14)
    config = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", id2label=_LABELS, num_labels=3
    )
    return _saved(ResNetForImageClassification(config), folder, "ViTImageProcessor", "image-classify")


def detector(folder: Path) -> Loadable:
    """Save a tiny YOLOS."""
    import torch
    from transformers import YolosConfig, YolosForObjectDetection

    torch.manual_seed(12)
    config = YolosConfig(image_size=[SIDE, SIDE], patch_size=8, num_detection_tokens=5, id2label=_LABELS, **_BLOCK)
    return _saved(YolosForObjectDetection(config), folder, "YolosImageProcessor", "image-detect")


def segmenter(folder: Path) -> Loadable:
    """Save a tiny SegFormer."""
    import torch
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    torch.manual_seed(13)
    config = SegformerConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[8, 8, 16, 16],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        id2label=_LABELS,
    )
    return _saved(SegformerForSemanticSegmentation(config), folder, "SegformerImageProcessor", "image-segment")


def _saved(model: Any, folder: Path, processor: str, task: str) -> Loadable:
    model.save_pretrained(folder)
    seen = {
        "image_processor_type": processor,
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "resample": 2,
        "do_rescale": True,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "do_pad": False,
    }
    write_json(folder / "preprocessor_config.json", seen)
    return loadable(folder, task)
