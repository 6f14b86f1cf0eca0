"""Sessions of models that put pictures and texts into one space."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModel

from ipfs_accel_cli.core.errors import Invalid, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Device, ModelFacts, Plan, Request, RequestId
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.exchange.multimodal import Paired
from ipfs_accel_cli.engines.exchange.text import Texts
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.multimodal.inputs import context_of, load_eyes, read_config, seen
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model


@dataclass(slots=True)
class _Work:
    payload: Texts | Images
    left: deque[int]
    batch: int
    truncated: int = 0


class PairSession:
    """One loaded pair of encoders. A step takes one batch of each request."""

    def __init__(self, model: Any, eyes: Any, tokenizer: Any, device: torch.device, name: str) -> None:
        self._model: Any = model
        self._eyes, self._tokenizer, self._device, self._name = eyes, tokenizer, device, name
        self._context = context_of(model.config)
        # SigLIP was trained on texts that fill its context, each judged for itself (Zhai et al. 2023).
        self._several = hasattr(model, "logit_bias")
        self._scale = float(model.logit_scale.detach().exp())
        self._bias = float(model.logit_bias.detach()) if self._several else 0.0
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Take texts or pictures on; raise Invalid for anything else."""
        payload, options = request.payload, request.options
        if not isinstance(payload, Texts | Images) or not isinstance(options, ImageOptions):
            raise Invalid(f"{self._name} was loaded to pair pictures and texts, not to {request.kind}")
        count = len(payload.texts if isinstance(payload, Texts) else payload.images)
        self._active[request.id] = _Work(payload, deque(range(count)), options.batch)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Run one batch of each request."""
        done = []
        for request, work in list(self._active.items()):
            batch = tuple(work.left.popleft() for _ in range(min(work.batch, len(work.left))))
            with torch.inference_mode(), computing(self._name):
                rows = self._rows(work, batch)
            if not numpy.isfinite(rows).all():
                raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
            if not work.left:
                del self._active[request]
            found = Paired(batch, rows, self._scale, self._bias, self._several, work.truncated)
            done.append((request, Chunk(found, finished=not work.left)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._model = None

    def _rows(self, work: _Work, batch: Sequence[int]) -> NDArray[numpy.float32]:
        if self._model is None:
            raise Invalid(f"{self._name} was closed")
        if isinstance(work.payload, Images):
            inputs = seen(self._eyes, [work.payload.images[at] for at in batch], self._device)
            made = self._model.get_image_features(**inputs)
        else:
            made = self._model.get_text_features(**self._read(work, [work.payload.texts[at] for at in batch]))
        rows: Tensor = made if isinstance(made, Tensor) else made.pooler_output
        unit: NDArray[numpy.float32] = torch.nn.functional.normalize(rows.float(), dim=-1).cpu().numpy()
        return unit

    def _read(self, work: _Work, texts: list[str]) -> dict[str, Tensor]:
        limit = self._context
        full = [len(row) for row in self._tokenizer(texts)["input_ids"]]
        work.truncated += sum(length > (limit or 1 << 30) for length in full)
        padding: str | bool = "max_length" if self._several else True
        encoded = self._tokenizer(
            texts, padding=padding, truncation=limit is not None, max_length=limit, return_tensors="pt"
        )
        names = ("input_ids",) if self._several else ("input_ids", "attention_mask")
        return {name: encoded[name].to(self._device) for name in names}


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> PairSession:
    """Load a pair of encoders; raises as `Engine.load`."""
    read_config(files)
    pair = load_model(AutoModel, files, plan, spread=short(model, plan, device))
    if not all(hasattr(pair, name) for name in ("get_image_features", "get_text_features", "logit_scale")):
        raise UnsupportedContent(f"{model.name} does not put pictures and texts into one space")
    return PairSession(pair, load_eyes(files), load_tokenizer(files), torch.device(device.name), model.name)
