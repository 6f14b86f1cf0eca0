"""Pipelines of diffusers from a local folder: tensors only, no code but that of the libraries, no network."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import diffusers
import torch

from ipfs_accel_cli.core.errors import MalformedContent, UnsafeContent, UnsupportedContent

_LIBRARIES = frozenset({"diffusers", "transformers"})
# A filter of contents has weights of its own, and none is fetched: what is drawn is not looked at.
_LEFT_OUT = ("safety_checker", "feature_extractor", "image_encoder")
_LARGEST_INDEX_BYTES = 1 << 20


def load_pipeline(files: Path, dtype: str, device: str) -> Any:
    """Load a pipeline that draws what words say.

    Raises UnsafeContent for one that brings programs, MalformedContent for an index that is damaged, and
    UnsupportedContent for one that takes no words.
    """
    index = read_index(files)
    kind = pipeline_of(index)
    left_out: dict[str, Any] = {
        name: None for name in _LEFT_OUT if name in inspect.signature(kind.__init__).parameters and name in index
    }
    if "requires_safety_checker" in inspect.signature(kind.__init__).parameters:
        left_out["requires_safety_checker"] = False
    try:
        made: Any = kind.from_pretrained(
            files, dtype=getattr(torch, dtype), local_files_only=True, use_safetensors=True, **left_out
        )
    except OSError as error:
        # What safetensors says of a damaged file comes so.
        if "Unable to load weights" in str(error):
            raise MalformedContent(f"the weights in {files.name} are damaged: {str(error).splitlines()[0]}") from error
        raise
    made.set_progress_bar_config(disable=True)
    return made.to(device)


def read_index(files: Path) -> dict[str, Any]:
    """Return the index of a pipeline; raises UnsafeContent where a part of it is no part of the libraries."""
    path = files / "model_index.json"
    if not path.is_file() or path.stat().st_size > _LARGEST_INDEX_BYTES:
        raise UnsupportedContent(f"no model_index.json of moderate size in {files.name}")
    try:
        index = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise MalformedContent(f"model_index.json is not JSON: {error}") from error
    if not isinstance(index, dict):
        raise MalformedContent("model_index.json holds no object")
    for name, part in index.items():
        if name in _LEFT_OUT or not isinstance(part, list) or part == [None, None]:
            continue
        if name.startswith("_") or len(part) != 2 or part[0] not in _LIBRARIES:
            raise UnsafeContent(f"the part {name!r} of the pipeline is {part!r}: it would run a program of its own")
    return index


def pipeline_of(index: dict[str, Any]) -> Any:
    """Return the class of diffusers that an index names; raises UnsupportedContent for one that takes no words."""
    name = index.get("_class_name")
    found = getattr(diffusers, name, None) if isinstance(name, str) else None
    if not (inspect.isclass(found) and issubclass(found, diffusers.DiffusionPipeline)):
        raise UnsupportedContent(f"diffusers has no pipeline {name!r}")
    takes = inspect.signature(found.__call__).parameters
    wanted = {"prompt", "height", "width", "num_inference_steps", "generator", "callback_on_step_end"}
    if not wanted <= takes.keys():
        raise UnsupportedContent(f"the pipeline {name} does not draw from words alone")
    return found
