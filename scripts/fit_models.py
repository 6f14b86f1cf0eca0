"""Models of different kinds with random weights, each of 64 MiB or more, written by transformers itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SHAPES = {
    "text": ((128, 1), (512, 2), (256, 8)),
    "decoder": ((128, 1), (512, 2), (1024, 4)),
    "image": ((1, 1), (1, 4), (1, 16)),
    "speech": ((1, 1), (1, 2), (1, 4)),
    "both": ((64, 1), (64, 4), (64, 16)),
}


def build(name: str, folder: Path) -> str:
    """Write a model and return the kind of its shapes."""
    import torch
    import transformers as t

    torch.manual_seed(0)
    kind, config, auto = _made(t)[name]
    auto.from_config(config).save_pretrained(folder)
    return kind


NAMES = ("bert", "llama", "gpt2", "t5", "whisper", "vit", "clip", "mixtral")


def _made(t: Any) -> dict[str, tuple[str, Any, Any]]:
    causal = t.AutoModelForCausalLM
    return {
        "bert": (
            "text",
            t.BertConfig(hidden_size=512, num_hidden_layers=8, num_attention_heads=8, intermediate_size=2048),
            t.AutoModel,
        ),
        "llama": (
            "decoder",
            t.LlamaConfig(
                hidden_size=576,
                num_hidden_layers=8,
                num_attention_heads=9,
                num_key_value_heads=3,
                intermediate_size=1536,
                vocab_size=32000,
            ),
            causal,
        ),
        "gpt2": ("decoder", t.GPT2Config(n_embd=512, n_layer=8, n_head=8), causal),
        "t5": (
            "text",
            t.T5Config(
                d_model=512,
                num_layers=6,
                num_decoder_layers=6,
                num_heads=8,
                d_kv=64,
                d_ff=2048,
                decoder_start_token_id=0,
            ),
            t.AutoModelForSeq2SeqLM,
        ),
        "whisper": (
            "speech",
            t.WhisperConfig(
                d_model=512,
                encoder_layers=6,
                decoder_layers=6,
                encoder_attention_heads=8,
                decoder_attention_heads=8,
                encoder_ffn_dim=2048,
                decoder_ffn_dim=2048,
            ),
            t.AutoModelForSpeechSeq2Seq,
        ),
        "vit": (
            "image",
            t.ViTConfig(hidden_size=512, num_hidden_layers=12, num_attention_heads=8, intermediate_size=2048),
            t.AutoModel,
        ),
        "clip": (
            "both",
            t.CLIPConfig(
                text_config={"num_hidden_layers": 6},
                vision_config={
                    "hidden_size": 512,
                    "num_hidden_layers": 8,
                    "num_attention_heads": 8,
                    "intermediate_size": 2048,
                },
            ),
            t.AutoModel,
        ),
        "mixtral": (
            "decoder",
            t.MixtralConfig(
                hidden_size=512,
                num_hidden_layers=4,
                num_attention_heads=8,
                num_key_value_heads=2,
                intermediate_size=1024,
                num_local_experts=8,
                vocab_size=16000,
            ),
            causal,
        ),
    }
