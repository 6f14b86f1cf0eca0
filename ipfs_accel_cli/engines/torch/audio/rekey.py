"""Whisper as CTranslate2 keeps it, renamed in memory into a model of transformers; nothing is rounded.

CTranslate2 joins the projections of queries, keys and values in self-attention, and those of keys and values in
cross-attention; Whisper's keys have no bias.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration, WhisperTokenizerFast

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.formats import ctranslate2
from ipfs_accel_cli.formats.reading import FileReader

_HEAD_WIDTH = 64  # In every Whisper.
_MULTILINGUAL_VOCABULARY = 51_865
_POSITIONS = 448


class _Variables:
    """The tensors of a file by their names there, read as they are asked for, in float32."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ctranslate2.FILE
        self.header = ctranslate2.header(FileReader(self._path, ctranslate2.FILE))

    def __call__(self, name: str) -> Tensor:
        found = self.header.variables.get(name)
        if found is None:
            raise MalformedContent(f"{ctranslate2.FILE} lacks {name}")
        if found.dtype not in ("float16", "float32"):
            raise UnsupportedContent(
                f"torch reads a Whisper of CTranslate2 in float16 or float32, not {found.dtype}",
                suggestion="--engine ctranslate2",
            )
        count = found.size_bytes // numpy.dtype(found.dtype).itemsize
        read = numpy.fromfile(self._path, dtype=found.dtype, count=count, offset=found.offset)
        return torch.from_numpy(read.reshape(found.shape)).float()

    def layers(self, side: str) -> int:
        """Count the layers of the encoder or the decoder."""
        return sum(name.startswith(f"{side}/layer_") and name.endswith("/ffn/linear_0/weight") for name in self.names)

    @property
    def names(self) -> list[str]:
        return list(self.header.variables)


def load(folder: Path) -> tuple[Any, Any]:
    """Return model and tokenizer of a folder with model.bin, config.json and tokenizer.json.

    Raises MalformedContent for a file that lacks a variable, UnsupportedContent for weights in 8 bits.
    """
    variables = _Variables(folder)
    said = json.loads((folder / "config.json").read_bytes())
    tokenizer = WhisperTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    vocabulary, width = variables("decoder/embeddings/weight").shape
    start, silent, end = tokenizer.convert_tokens_to_ids(["<|startoftranscript|>", "<|notimestamps|>", "<|endoftext|>"])
    special = {"decoder_start_token_id": start, "eos_token_id": end, "pad_token_id": end, "bos_token_id": end}
    heads = width // _HEAD_WIDTH
    config = WhisperConfig(
        vocab_size=vocabulary,
        num_mel_bins=variables("encoder/conv1/weight").shape[1],
        d_model=width,
        encoder_layers=variables.layers("encoder"),
        decoder_layers=variables.layers("decoder"),
        encoder_attention_heads=heads,
        decoder_attention_heads=heads,
        encoder_ffn_dim=4 * width,
        decoder_ffn_dim=4 * width,
        max_source_positions=1500,
        max_target_positions=_POSITIONS,
        **special,
    )
    with torch.device("meta"):
        model = WhisperForConditionalGeneration(config)
    # Assigned, not copied: no weight is there twice.
    report = model.load_state_dict(_state(variables, config), strict=False, assign=True)
    if report.missing_keys or report.unexpected_keys:
        raise MalformedContent(
            f"{ctranslate2.FILE} lacks {', '.join([*report.missing_keys, *report.unexpected_keys][:3])}"
        )
    model.tie_weights()
    model.generation_config = GenerationConfig(
        **special,
        max_length=_POSITIONS,
        no_timestamps_token_id=silent,
        begin_suppress_tokens=said.get("suppress_ids_begin"),
        suppress_tokens=said.get("suppress_ids"),
        is_multilingual=vocabulary >= _MULTILINGUAL_VOCABULARY,
        max_initial_timestamp_index=50,
        alignment_heads=said.get("alignment_heads"),
    )
    return model.eval(), tokenizer


def _state(variables: _Variables, config: Any) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    for side, layers in (("encoder", config.encoder_layers), ("decoder", config.decoder_layers)):
        for at in range(layers):
            _layer(state, variables, f"{side}/layer_{at}", f"model.{side}.layers.{at}", side == "decoder")
        _norm(state, variables, f"model.{side}.layer_norm", f"{side}/layer_norm")
        state[f"model.{side}.embed_positions.weight"] = variables(f"{side}/position_encodings/encodings")
    for at in (1, 2):
        _linear(state, variables, f"model.encoder.conv{at}", f"encoder/conv{at}")
    state["model.decoder.embed_tokens.weight"] = variables("decoder/embeddings/weight")
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    return state


def _layer(state: dict[str, Tensor], variables: _Variables, source: str, target: str, crossed: bool) -> None:
    _joined(state, variables, f"{source}/self_attention/linear_0", f"{target}.self_attn", "qkv")
    _linear(state, variables, f"{target}.self_attn.out_proj", f"{source}/self_attention/linear_1")
    _norm(state, variables, f"{target}.self_attn_layer_norm", f"{source}/self_attention/layer_norm")
    if crossed:
        _linear(state, variables, f"{target}.encoder_attn.q_proj", f"{source}/attention/linear_0")
        _joined(state, variables, f"{source}/attention/linear_1", f"{target}.encoder_attn", "kv")
        _linear(state, variables, f"{target}.encoder_attn.out_proj", f"{source}/attention/linear_2")
        _norm(state, variables, f"{target}.encoder_attn_layer_norm", f"{source}/attention/layer_norm")
    for at in (0, 1):
        _linear(state, variables, f"{target}.fc{at + 1}", f"{source}/ffn/linear_{at}")
    _norm(state, variables, f"{target}.final_layer_norm", f"{source}/ffn/layer_norm")


def _joined(state: dict[str, Tensor], variables: _Variables, source: str, target: str, parts: str) -> None:
    weights = variables(f"{source}/weight").chunk(len(parts))
    biases = variables(f"{source}/bias").chunk(len(parts))
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        state[f"{target}.{part}_proj.weight"] = weight
        if part != "k":
            state[f"{target}.{part}_proj.bias"] = bias


def _linear(state: dict[str, Tensor], variables: _Variables, target: str, source: str) -> None:
    state[f"{target}.weight"], state[f"{target}.bias"] = variables(f"{source}/weight"), variables(f"{source}/bias")


def _norm(state: dict[str, Tensor], variables: _Variables, target: str, source: str) -> None:
    state[f"{target}.weight"], state[f"{target}.bias"] = variables(f"{source}/gamma"), variables(f"{source}/beta")
