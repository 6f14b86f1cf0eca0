"""What models of pictures and words are given: pictures through their processor, and the tokens they begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from transformers import AutoConfig, AutoImageProcessor, AutoProcessor

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.tokenizing import load_tokenizer

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def read_config(files: Path) -> Any:
    """Return the configuration of a model; raises as `Engine.load`."""
    return AutoConfig.from_pretrained(files, **_LOCAL)


def load_eyes(files: Path) -> Any:
    """Return what makes tensors of pictures; raises UnsupportedContent for a folder that does not say how."""
    if not any((files / name).is_file() for name in ("preprocessor_config.json", "processor_config.json")):
        raise UnsupportedContent(f"no preprocessor_config.json in {files.name}: how it sees pictures is not known")
    return AutoImageProcessor.from_pretrained(files, **_LOCAL)


def load_both(files: Path) -> Any:
    """Return what makes tensors of pictures and words together; raises UnsupportedContent where that is missing."""
    load_tokenizer(files)
    found = AutoProcessor.from_pretrained(files, **_LOCAL)
    if not hasattr(found, "tokenizer") or not hasattr(found, "image_processor"):
        raise UnsupportedContent(f"{files.name} has no processor for pictures and words together")
    return found


def pictures(images: Sequence[Pixels]) -> list[Image.Image]:
    """Return pictures as processors take them."""
    return [Image.fromarray(image) for image in images]


def seen(make: Callable[..., Any], images: Sequence[Pixels], device: torch.device, **words: Any) -> dict[str, Any]:
    """Return the tensors that a processor makes of pictures, and of words where it takes them.

    Raises Invalid for pictures that it makes nothing of, such as one that is a few pixels high and very wide.
    """
    try:
        made = make(images=pictures(images), return_tensors="pt", **words)
    except (ArithmeticError, IndexError, TypeError, ValueError) as error:
        sizes = ", ".join(f"{image.shape[1]} x {image.shape[0]}" for image in images)
        raise Invalid(f"the model's processor makes nothing of a picture of {sizes} pixels: {error}") from error
    return {name: value.to(device) for name, value in made.items() if isinstance(value, torch.Tensor)}


def context_of(config: Any) -> int | None:
    """Return how many tokens the words of a model may have; None when the configuration does not say."""
    for part in (getattr(config, "decoder", None), getattr(config, "text_config", None), config):
        found = getattr(part, "max_position_embeddings", None)
        if isinstance(found, int) and found > 0:
            return found
    return None


def end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer."""
    text = getattr(model.config, "text_config", None) or getattr(model.config, "decoder", None)
    # BLIP ends with the separator of BERT, whatever else its configuration says.
    blip = str(getattr(model.config, "model_type", "")) == "blip"
    sources = [(text, "sep_token_id")] if blip else []
    sources += [(at, "eos_token_id") for at in (getattr(model, "generation_config", None), text, model.config)]
    for source, name in [*sources, (tokenizer, "eos_token_id")]:
        ends = getattr(source, name, None)
        if ends is not None:
            return frozenset([ends] if isinstance(ends, int) else ends)
    return frozenset()
