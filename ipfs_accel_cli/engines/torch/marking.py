"""Labels of tokens, masks and answers on torch: token ids in, logits out."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForTokenClassification,
)

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan
from ipfs_accel_cli.engines.encoder import Ids, inputs_of, longest
from ipfs_accel_cli.engines.marking import AnsweringSession, FillingSession, Logits, Reader, TaggingSession
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.encoder import positions_of
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model

# Logits of a whole vocabulary for every token of a batch can be larger than the model.
_LOGITS_BYTES = 128 << 20


def load_tagging(model: ModelFacts, files: Path, plan: Plan, device: Device) -> TaggingSession:
    """Load a token classifier; raises as `Engine.load`."""
    network, reader, run = _loaded(
        AutoModelForTokenClassification, "ForTokenClassification", model, files, plan, device
    )
    names = network.config.id2label
    labels = [str(names.get(at, f"LABEL_{at}")) for at in range(network.config.num_labels)]

    def compute(inputs: dict[str, Ids], mask: Ids) -> Logits:
        return _plain(run(inputs, mask).logits)

    return TaggingSession(reader, labels, compute)


def load_answering(model: ModelFacts, files: Path, plan: Plan, device: Device) -> AnsweringSession:
    """Load a network that points at answers; raises as `Engine.load`."""
    _, reader, run = _loaded(AutoModelForQuestionAnswering, "ForQuestionAnswering", model, files, plan, device)

    def compute(inputs: dict[str, Ids], mask: Ids) -> Logits:
        output = run(inputs, mask)
        return _plain(torch.stack([output.start_logits, output.end_logits], dim=-1))

    return AnsweringSession(reader, compute)


def load_filling(model: ModelFacts, files: Path, plan: Plan, device: Device) -> FillingSession:
    """Load a masked language model; raises as `Engine.load`."""
    network, reader, run = _loaded(AutoModelForMaskedLM, "ForMaskedLM", model, files, plan, device)
    if reader.tokenizer.mask_token is None:
        raise UnsupportedContent(f"{model.name} has no token for a mask")

    def compute(inputs: dict[str, Ids], mask: Ids, where: Ids) -> Logits:
        each = max(1, _LOGITS_BYTES // (4 * network.config.vocab_size * mask.shape[1]))
        parts = []
        for begin in range(0, len(mask), each):
            part = {key: rows[begin : begin + each] for key, rows in inputs.items()}
            here = where[(where[:, 0] >= begin) & (where[:, 0] < begin + each)]
            if len(here):
                logits = run(part, mask[begin : begin + each]).logits
                parts.append(_plain(logits[torch.from_numpy(here[:, 0] - begin), torch.from_numpy(here[:, 1])]))
        return numpy.concatenate(parts)

    return FillingSession(reader, compute)


def _loaded(auto: Any, ending: str, model: ModelFacts, files: Path, plan: Plan, device: Device) -> Any:
    """Return the network, how it reads, and what runs it."""
    config = AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False)
    if not any(name.endswith(ending) for name in config.architectures or ()):
        raise UnsupportedContent(f"{model.name} cannot {plan.task}: {', '.join(config.architectures or ['it'])}")
    network: Any = load_model(auto, files, plan, spread=short(model, plan, device))
    tokenizer, where = load_tokenizer(files), torch.device(device.name)
    accepted = list(inspect.signature(network.forward).parameters)
    limit = longest(None, positions_of(network), tokenizer)
    reader = Reader(model.name, tokenizer, inputs_of(tokenizer, accepted), limit)

    def run(inputs: dict[str, Ids], mask: Ids) -> Any:
        with torch.inference_mode(), computing(model.name):
            given = {key: torch.from_numpy(rows).to(where) for key, rows in inputs.items()}
            return network(attention_mask=torch.from_numpy(mask).to(where), **given)

    return network, reader, run


def _plain(logits: torch.Tensor) -> NDArray[numpy.float32]:
    found: NDArray[numpy.float32] = logits.float().cpu().numpy()
    return found
