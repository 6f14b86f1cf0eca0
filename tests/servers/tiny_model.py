"""A sentence-transformers folder of a few kilobytes with true headers and noise for weights; no library is needed."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from pathlib import Path

CARD = b"---\nlicense: apache-2.0\n---\n# Noise, for tests\n"


def safetensors(tensors: Mapping[str, tuple[int, ...]], seed: int = 0) -> bytes:
    """Return a safetensors file with float32 noise of these shapes."""
    header: dict[str, object] = {}
    end = 0
    for name, shape in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [end, end + 4 * math.prod(shape)]}
        end += 4 * math.prod(shape)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + random.Random(seed).randbytes(end)


def tiny_model(seed: int = 0, weights: int = 4096) -> dict[str, bytes]:
    """Return the files of a model by their paths; another seed gives other weights."""
    return {
        "README.md": CARD,
        "config.json": json.dumps(
            {"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 8, "max_position_embeddings": 64}
        ).encode(),
        "model.safetensors": safetensors({"embeddings.weight": (weights // 8, 8), "norm.bias": (8,)}, seed),
        "modules.json": json.dumps([{"idx": 0, "name": "0", "path": "", "type": "Transformer"}]).encode(),
        "sentence_bert_config.json": b'{"max_seq_length": 32}',
        "tokenizer.json": b"{}",
        "1_Pooling/config.json": b'{"pooling_mode_mean_tokens": true}',
    }


def lay_out(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files under a folder and return it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
