"""Encoders and classifiers as one module each: token ids in, vectors or logits out."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoModelForTextEncoding

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan
from ipfs_accel_cli.engines.encoder import Compute, EncoderSession, Ids, Meaning, Reading, inputs_of, longest
from ipfs_accel_cli.engines.labels import Labels, read_labels
from ipfs_accel_cli.engines.sentence import Mode, read_sentence
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.pooling import Step, head, pool
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model


@dataclass(frozen=True, slots=True)
class Parts:
    """A loaded encoder, taken apart: how it reads, what it answers, and the module between the two."""

    tokenizer: Any
    reading: Reading
    meaning: Meaning
    module: torch.nn.Module
    labels: Labels | None = None

    def session(self, name: str, device: torch.device) -> EncoderSession:
        """Return a session that runs the module."""
        compute = _compute(name, self.module, self.labels, device)
        return EncoderSession(name, self.tokenizer, self.reading, self.meaning, compute)


class Vectors(torch.nn.Module):  # type: ignore[misc]
    """An encoder with its pooling and what follows."""

    def __init__(self, model: Any, after: Step, modes: Sequence[Mode]) -> None:
        super().__init__()
        self.model, self.after, self.modes = model, after, modes
        self.masked = "attention_mask" in inspect.signature(model.forward).parameters

    def forward(self, attention_mask: Tensor, input_ids: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Return float32 vectors, shape (texts, dimensions)."""
        inputs = {"input_ids": input_ids}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        states = self.model(**inputs, **({"attention_mask": attention_mask} if self.masked else {}))[0]
        return self.after(pool(states.float(), attention_mask, self.modes))


class Logits(torch.nn.Module):  # type: ignore[misc]
    """A sequence classifier."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, attention_mask: Tensor, input_ids: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
        """Return float32 logits, shape (texts, labels)."""
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        logits: Tensor = self.model(**inputs).logits
        return logits.float()


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> EncoderSession:
    """Load an encoder for vectors, or a classifier; raises as `Engine.load`."""
    make = sentence_parts if plan.task == "embed" else classifier_parts
    parts = make(files, replace(plan, device=device.name), spread=short(model, plan, device))
    return parts.session(model.name, torch.device(device.name))


def sentence_parts(files: Path, plan: Plan, *, spread: bool) -> Parts:
    """Load a sentence encoder, or a plain encoder with mean pooling; raises as `Engine.load`."""
    sentence = read_sentence(files)
    folder = files / sentence.encoder
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    auto = AutoModelForTextEncoding if config.is_encoder_decoder else AutoModel
    encoder = load_model(auto, folder, plan, spare=("pooler",), spread=spread)
    tokenizer = load_tokenizer(folder)
    limit = longest(sentence.max_tokens, positions_of(encoder), tokenizer)
    reading = Reading(_inputs(tokenizer, encoder), limit, sentence.lower_case, sentence.prompt)
    after = head(sentence.layers, files, torch.device(plan.device))
    return Parts(tokenizer, reading, Meaning("embed", sentence.pooling), Vectors(encoder, after, sentence.modes))


def classifier_parts(files: Path, plan: Plan, *, spread: bool) -> Parts:
    """Load a sequence classifier; raises as `Engine.load`."""
    config = AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False)
    if not any(name.endswith("ForSequenceClassification") for name in config.architectures or ()):
        raise UnsupportedContent(f"{', '.join(config.architectures or ['this model'])} cannot classify texts")
    labels = read_labels(config, plan.task)
    classifier = load_model(AutoModelForSequenceClassification, files, plan, spread=spread)
    tokenizer = load_tokenizer(files)
    limit = longest(None, positions_of(classifier), tokenizer)
    reading = Reading(_inputs(tokenizer, classifier), limit)
    return Parts(tokenizer, reading, Meaning(plan.task, labels=labels.names), Logits(classifier), labels)


def _inputs(tokenizer: Any, model: Any) -> dict[str, int]:
    return inputs_of(tokenizer, list(inspect.signature(model.forward).parameters))


def positions_of(model: Any) -> int | None:
    """Return how many tokens a model has positions for; in RoBERTa's kin they begin after that of the padding."""
    stated = getattr(model.config, "max_position_embeddings", None)
    tables = (module for name, module in model.named_modules() if name.endswith("position_embeddings"))
    before = next((table.padding_idx + 1 for table in tables if getattr(table, "padding_idx", None) is not None), 0)
    return stated - before if isinstance(stated, int) else None


def _compute(name: str, module: torch.nn.Module, labels: Labels | None, device: torch.device) -> Compute:
    def compute(inputs: dict[str, Ids], mask: Ids) -> NDArray[numpy.float32]:
        with torch.inference_mode(), computing(name):
            given = {key: torch.from_numpy(rows).to(device) for key, rows in inputs.items()}
            rows: NDArray[numpy.float32] = module(torch.from_numpy(mask).to(device), **given).cpu().numpy()
        return rows if labels is None else labels.scores(rows)

    return compute
