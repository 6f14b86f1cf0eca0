"""Which module runs a task on ONNX Runtime, which one makes its graph, and which models bring a graph of their own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan, Session

# `plan.derived` is the graph: the one that was made, or the one that the model brings.
Load = Callable[[ModelFacts, Path, Plan], Session]
# Writes the graph of a model, for a task, to a path; returns what is to be kept on record of it.
Export = Callable[[ModelFacts, Path, str, Path], dict[str, str | int | float]]

_ROOM = "ipfs_accel_cli.engines.onnx"
SESSIONS = {
    "embed": f"{_ROOM}.encoder:load",
    "classify": f"{_ROOM}.encoder:load",
    "image-classify": f"{_ROOM}.encoder:load",
    "image-embed": f"{_ROOM}.encoder:load",
    "speak": f"{_ROOM}.kokoro:load",
    "voice-detect": f"{_ROOM}.voice:load",
}
# Tasks whose graphs can be made from the weights of a model.
EXPORTS = {
    "embed": f"{_ROOM}.export:export",
    "classify": f"{_ROOM}.export:export",
    "image-classify": f"{_ROOM}.export:export",
    "image-embed": f"{_ROOM}.export:export",
}
SEEING = frozenset({"image-classify", "image-embed"})
SCORING = frozenset({"classify", "image-classify"})
# Models of other kinds that consist of graphs: by `model_type`, the graph that tells that one is whole.
GRAPHS: dict[str, str] = {
    "kokoro": "model.onnx",
    "silero-vad": "model.onnx",
}


def loader(task: str) -> Load:
    """Return what loads a graph for a task; raises UnsupportedContent for a task that is not run here."""
    return cast(Load, _found(SESSIONS, task))


def exporter(task: str) -> Export:
    """Return what makes a graph for a task; raises UnsupportedContent for a task without, and ImportError."""
    return cast(Export, _found(EXPORTS, task))


def _found(table: dict[str, str], task: str) -> object:
    if task not in table:
        raise UnsupportedContent(f"the onnx engine knows no task {task!r}")
    module, _, name = table[task].partition(":")
    return getattr(import_module(module), name)
