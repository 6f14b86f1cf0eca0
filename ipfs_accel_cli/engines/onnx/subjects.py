"""What is exported: models of texts and of pictures on torch, each as one module from its inputs to one row of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan, Session
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.onnx.agreement import TEXTS
from ipfs_accel_cli.engines.onnx.graph import PICTURES
from ipfs_accel_cli.engines.onnx.note import Note
from ipfs_accel_cli.engines.onnx.sessions import SEEING
from ipfs_accel_cli.engines.onnx.tokens import same_tokens
from ipfs_accel_cli.engines.samples import pictures
from ipfs_accel_cli.engines.seeing import See
from ipfs_accel_cli.engines.sentence import read_sentence
from ipfs_accel_cli.engines.torch.encoder import Parts, classifier_parts, sentence_parts
from ipfs_accel_cli.engines.torch.vision import whole

# What tokenizers treat in ways of their own: cases, accents, white space, scripts, their own special words.
TRICKY_TEXTS = (
    "  two  spaces, a\ttab and a\nline ",
    "ÀÉÎ naïve Straße İstanbul",
    "北京欢迎你 こんにちは 안녕하세요 привет",
    "[CLS] [MASK] <s> </s> <mask> <pad> [PAD] ##ing",
    "👩‍👩‍👧 e\u0301 \u200b\ufeff \x00 fi",
    "un" * 40,
)
_MOST_AT_ONCE = 4096
# Of sizes that differ much.
_LOOKED_AT = 5


@dataclass(frozen=True, slots=True)
class Subject:
    """A module that is exported: its inputs by example, which sizes of these vary, and what the graph carries with it.

    `session` answers with the module, as the graph has to.
    """

    module: torch.nn.Module
    examples: Mapping[str, torch.Tensor]
    sizes: Mapping[int, Any]
    note: Note
    session: Session


def subject(model: ModelFacts, files: Path, task: str) -> Subject:
    """Load a model for a task; raises as `Engine.load`."""
    return _of_pictures(model, files, task) if task in SEEING else _of_texts(model, files, task)


def _of_texts(model: ModelFacts, files: Path, task: str) -> Subject:
    makers = {"embed": sentence_parts, "classify": classifier_parts}
    parts = makers[task](files, Plan(task), spread=False)
    _plain_attention(parts.module)
    names = ["attention_mask", *parts.reading.inputs]
    # Each example is a tensor of its own: torch.export takes arguments that are one object for one input.
    examples = {name: torch.ones(2, 7, dtype=torch.long) for name in names}
    examples["input_ids"] = torch.arange(14).reshape(2, 7) % 3 + 1
    limit = parts.reading.max_tokens or 512
    sizes = {
        0: torch.export.Dim("texts", min=1, max=_MOST_AT_ONCE),
        1: torch.export.Dim("tokens", min=1, max=limit),
    }
    session = parts.session(model.name, torch.device("cpu"))
    return Subject(parts.module, examples, sizes, _note(parts, files, task), session)


def _of_pictures(model: ModelFacts, files: Path, task: str) -> Subject:
    parts = whole.parts(model, files, Plan(task), spread=False)
    _plain_attention(parts.module)
    example = _example(model.name, parts.see)
    with torch.inference_mode():
        pooling = parts.module.answer(example)[1]
    labels = parts.labels or Labels(())
    note = Note({}, labels=labels.names, independent=labels.independent, pooling=pooling)
    sizes = {0: torch.export.Dim("pictures", min=1, max=_MOST_AT_ONCE)}
    session = parts.session(model.name, task, torch.device("cpu"))
    return Subject(parts.module, {PICTURES: example}, sizes, note, session)


def _example(name: str, see: See) -> torch.Tensor:
    """Return two pictures as the network takes them; raises UnsupportedContent where sizes differ with the pictures."""
    seen = [see([picture]) for picture in pictures(_LOOKED_AT)]
    if len({one.shape for one in seen}) > 1:
        raise UnsupportedContent(f"{name} takes pictures of many sizes, and a graph takes one")
    return torch.cat([torch.from_numpy(one) for one in seen[:2]])


def _plain_attention(module: torch.nn.Module) -> None:
    """Let attention be computed in plain operations, which every graph runtime has."""
    inner: Any = module.model
    if hasattr(inner, "set_attn_implementation"):
        inner.set_attn_implementation("eager")


def _note(parts: Parts, files: Path, task: str) -> Note:
    folder = files / read_sentence(files).encoder if task == "embed" else files
    limit, inputs = parts.reading.max_tokens, dict(parts.reading.inputs)
    labels = parts.labels or Labels(())
    plain = same_tokens(folder, parts.tokenizer, list(inputs), [*TEXTS, *TRICKY_TEXTS], limit)
    return Note(inputs, limit, labels.names, labels.independent, plain)
