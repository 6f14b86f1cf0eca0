"""Headers of large models without their weights, and what the shell says of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.surfaces.cli.main import run

# Shapes of Llama 3.1, https://arxiv.org/abs/2407.21783, table 3.
SHAPES = {"8b": (4096, 32, 14336), "70b": (8192, 80, 28672)}


def llama(folder: Path, size: str, *, model_type: str | None = None) -> str:
    """Lay out a model with true headers over holes: nothing but the header is ever read of it."""
    hidden, layers, inner = SHAPES[size]
    config = {
        **{"architectures": ["LlamaForCausalLM"], "hidden_size": hidden, "num_hidden_layers": layers},
        **{"num_attention_heads": hidden // 128, "num_key_value_heads": 8, "intermediate_size": inner},
        **{"vocab_size": 128256, "max_position_embeddings": 131072, "hidden_act": "silu", "rms_norm_eps": 1e-5},
        **({"model_type": model_type} if model_type else {}),
    }
    shapes = {"model.embed_tokens.weight": (128256, hidden), "model.norm.weight": (hidden,)}
    for layer in range(layers):
        at = f"model.layers.{layer}"
        shapes |= {f"{at}.self_attn.{name}_proj.weight": (hidden, hidden) for name in "qo"}
        shapes |= {f"{at}.self_attn.{name}_proj.weight": (1024, hidden) for name in "kv"}
        shapes |= {f"{at}.mlp.{name}_proj.weight": (inner, hidden) for name in ("gate", "up")}
        shapes |= {f"{at}.mlp.down_proj.weight": (hidden, inner), f"{at}.input_layernorm.weight": (hidden,)}
        shapes |= {f"{at}.post_attention_layernorm.weight": (hidden,)}
    shapes["lm_head.weight"] = (128256, hidden)
    header, end = {}, 0
    for name, shape in shapes.items():
        size_bytes = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [end, end + size_bytes]}
        end += size_bytes
    text = json.dumps(header).encode()
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config))
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return str(folder)


def asked(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    assert run([*arguments, "--json"]) == status
    caught = capsys.readouterr()
    answer: dict[str, Any] = json.loads(caught.out or caught.err)
    return answer.get("error", answer)
