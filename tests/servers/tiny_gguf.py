"""A GGUF model of 37,280 random weights that llama.cpp loads: llama, with every byte as a token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy

WIDTH, HEADS, INNER, LAYERS = 32, 4, 64, 2
CHATML = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<|a|>{% endif %}"
)


def write(path: Path, *, context: int = 256, template: str = CHATML) -> Path:
    """Write the model and return its path."""
    writer = gguf.GGUFWriter(str(path), "llama")
    tokens = ["<s>", "</s>", *_bytes(), "th", "he"]
    for name, value in (
        ("context_length", context),
        ("embedding_length", WIDTH),
        ("block_count", LAYERS),
        ("feed_forward_length", INNER),
        ("head_count", HEADS),
        ("head_count_kv", HEADS),
        ("layer_norm_rms_eps", 1e-5),
        ("rope_dimension_count", WIDTH // HEADS),
        ("file_type", 0),
        ("vocab_size", len(tokens)),
        ("tokenizer_model", "gpt2"),
        ("tokenizer_pre", "gpt-2"),
        ("token_list", tokens),
        ("token_types", [3, 3] + [1] * (len(tokens) - 2)),
        ("token_merges", ["t h", "h e"]),
        ("bos_token_id", 0),
        ("eos_token_id", 1),
        ("add_bos_token", True),
    ):
        getattr(writer, f"add_{name}")(value)
    if template:
        writer.add_chat_template(template)
    chance = numpy.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        return (chance.standard_normal(shape) * 0.3).astype(numpy.float32)

    ones = numpy.ones(WIDTH, numpy.float32)
    tensors = {"token_embd": drawn(len(tokens), WIDTH), "output_norm": ones, "output": drawn(len(tokens), WIDTH)}
    for layer in range(LAYERS):
        at = f"blk.{layer}"
        tensors |= {f"{at}.attn_{name}": drawn(WIDTH, WIDTH) for name in ("q", "k", "v", "output")}
        tensors |= {f"{at}.attn_norm": ones, f"{at}.ffn_norm": ones, f"{at}.ffn_down": drawn(WIDTH, INNER)}
        tensors |= {f"{at}.ffn_{name}": drawn(INNER, WIDTH) for name in ("gate", "up")}
    for name, tensor in tensors.items():
        writer.add_tensor(f"{name}.weight", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _bytes() -> list[str]:
    """Return the characters that stand for the 256 bytes in the vocabulary of GPT-2."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    names = {byte: chr(byte) for byte in shown} | {byte: chr(256 + at) for at, byte in enumerate(hidden)}
    return [names[byte] for byte in range(256)]
