"""Which module runs a task on torch: named here, imported when a model is loaded for it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan, Session

Load = Callable[[ModelFacts, Path, Plan, Device], Session]

_ROOM = "ipfs_accel_cli.engines.torch"
SESSIONS = {
    "embed": f"{_ROOM}.encoder:load",
    "classify": f"{_ROOM}.encoder:load",
    "generate": f"{_ROOM}.decoder:load",
    "score": f"{_ROOM}.decoder:load",
    "rerank": f"{_ROOM}.encoder:load",
    "fill-mask": f"{_ROOM}.marking:load_filling",
    "token-classify": f"{_ROOM}.marking:load_tagging",
    "answer": f"{_ROOM}.marking:load_answering",
    "summarize": f"{_ROOM}.seq2seq:load",
    "translate": f"{_ROOM}.seq2seq:load",
    "caption": f"{_ROOM}.multimodal.captioning:load",
    "ask": f"{_ROOM}.multimodal.answering:load",
    "pair-embed": f"{_ROOM}.multimodal.pairing:load",
    "image-classify": f"{_ROOM}.vision.whole:load",
    "image-embed": f"{_ROOM}.vision.whole:load",
    "image-detect": f"{_ROOM}.vision.finding:detector",
    "image-segment": f"{_ROOM}.vision.finding:segmenter",
    "transcribe": f"{_ROOM}.audio.transcribe:load",
    "speak": f"{_ROOM}.audio.speak:load",
    "audio-classify": f"{_ROOM}.audio.classify:load",
}
# Architectures that transformers has not, by `model_type`; each loads for all tasks that its configuration states.
OURS = {
    "efficientnet-lite0": f"{_ROOM}.vision.whole:load",
}


def loader(task: str, model_type: str = "") -> Load:
    """Return what loads a model for a task; raises UnsupportedContent for a task that torch does not run here."""
    reference = OURS.get(model_type) or SESSIONS.get(task)
    if reference is None:
        raise UnsupportedContent(f"the torch engine knows no task {task!r}")
    module, _, name = reference.partition(":")
    return cast(Load, getattr(import_module(module), name))
