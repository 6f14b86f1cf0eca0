"""The dimensions of a model that memory depends on, from its config.json or GGUF metadata. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ipfs_accel_cli.formats.tensors import Tensor

MAX_DIMENSION = 1 << 31


@dataclass(frozen=True, slots=True)
class Stack:
    """One tower of transformer layers.

    `tokens` is fixed for images and sound, 0 where the context says. `window` is the sliding window of `windowed` of
    the layers. `latent` is the width of MLA's compressed cache (0: keys and values are kept). `experts` are those that
    work on one token. `cross` is how many positions of an encoder are kept, -1 for the context. `copies` of the inner
    product live while its function is computed. `biased` attention adds a matrix to the scores.
    """

    role: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    vocabulary: int = 0
    tokens: int = 0
    context: int = 0
    gated: bool = False
    causal: bool = False
    cross: int = 0
    window: int = 0
    windowed: int = 0
    latent: int = 0
    experts: int = 1
    copies: int = 2
    biased: bool = False


def stacks(config: Mapping[str, Any], metadata: Mapping[str, Any]) -> tuple[Stack, ...]:
    """Return the towers that the files describe; none when they do not."""
    if metadata.get("general.architecture"):
        return _of_gguf(metadata)
    if not config:
        return ()
    if isinstance(config.get("vision_config"), dict):
        text = config.get("text_config")
        vision = _vision(config["vision_config"])
        below = _text(text if isinstance(text, dict) else config)
        return tuple(one for one in (vision, below) if one)
    if "num_mel_bins" in config:
        return _speech(config)
    if _whole(config, "num_decoder_layers", "decoder_layers") and config.get("is_encoder_decoder"):
        return _pair(config)
    found = _vision(config) if "patch_size" in config else _text(config)
    return (found,) if found else ()


def _text(config: Mapping[str, Any]) -> Stack | None:
    hidden, layers = _whole(config, "hidden_size", "n_embd", "d_model", "dim"), _layers(config)
    if not hidden or not layers:
        return None
    heads = _whole(config, "num_attention_heads", "n_head", "n_heads", "num_heads") or 1
    names = _names(config)
    causal = "CausalLM" in names or "LMHead" in names or config.get("model_type") in _DECODERS
    rank = _whole(config, "kv_lora_rank")
    window, windowed = _windows(config, layers)
    return Stack(
        role="decoder" if causal else "encoder",
        layers=layers,
        hidden=hidden,
        heads=heads,
        kv_heads=_whole(config, "num_key_value_heads", "n_head_kv", "num_kv_heads") or heads,
        head_dim=_whole(config, "head_dim", "d_kv") or max(1, hidden // heads),
        inner=_whole(config, "moe_intermediate_size", "intermediate_size", "n_inner", "d_ff", "ffn_dim", "hidden_dim")
        or 4 * hidden,
        vocabulary=_whole(config, "vocab_size") if causal or "MaskedLM" in names else 0,
        context=_whole(config, "max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length"),
        gated=config.get("hidden_act") in ("silu", "swiglu", "geglu")
        or config.get("hidden_act") == "gelu_pytorch_tanh",
        causal=causal,
        window=window,
        windowed=windowed,
        latent=rank + _whole(config, "qk_rope_head_dim") if rank else 0,
        experts=_whole(config, "num_experts_per_tok") or 1,
        copies=_copies(config),
    )


_GATED = ("silu", "swiglu", "geglu", "gelu_pytorch_tanh")
# Tensors that live at once in transformers' activations.py: written out in Python, each step of a formula makes one.
# 2 is a function computed in one go: what goes in and what comes out.
_COPIES = {"gelu_new": 4, "gelu_fast": 5, "gelu_python": 3, "quick_gelu": 3, "relu2": 3}
_BIASED = ("t5", "mt5", "umt5", "longt5")
_DECODERS = ("gpt2", "llama", "mistral", "mixtral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3")


def _windows(config: Mapping[str, Any], layers: int) -> tuple[int, int]:
    """Return the sliding window and how many layers keep only that much."""
    window = _whole(config, "sliding_window")
    if not window or config.get("use_sliding_window") is False:
        return 0, 0
    kinds = config.get("layer_types")
    if isinstance(kinds, list):
        return window, sum(kind == "sliding_attention" for kind in kinds[:layers])
    pattern = _whole(config, "sliding_window_pattern")
    return window, layers - layers // pattern if pattern > 1 else layers


def _vision(config: Mapping[str, Any]) -> Stack | None:
    hidden, layers = _whole(config, "hidden_size", "embed_dim"), _layers(config)
    image, patch = _whole(config, "image_size"), _whole(config, "patch_size")
    if not hidden or not layers:
        return None
    heads = _whole(config, "num_attention_heads", "num_heads") or 1
    inner = _whole(config, "intermediate_size") or 4 * hidden
    tokens = (image // patch) ** 2 + 1 if image and patch else 0
    dim = max(1, hidden // heads)
    return Stack("vision", layers, hidden, heads, heads, dim, inner, tokens=tokens, copies=_copies(config))


def _speech(config: Mapping[str, Any]) -> tuple[Stack, ...]:
    hidden, source = _whole(config, "d_model"), _whole(config, "max_source_positions")
    heads = _whole(config, "encoder_attention_heads") or 1
    inner = _whole(config, "encoder_ffn_dim") or 4 * hidden
    if not hidden:
        return ()
    dim = max(1, hidden // heads)
    # The first convolution works on two frames for each position of the encoder.
    front = Stack("audio", _whole(config, "encoder_layers"), hidden, heads, heads, dim, inner, tokens=source)
    return front, _decoder_half(config, hidden, heads, dim, source)


def _pair(config: Mapping[str, Any]) -> tuple[Stack, ...]:
    front = _text({**config, "architectures": [], "model_type": ""})
    if front is None:
        return ()
    front = replace(front, biased=config.get("model_type") in _BIASED)
    return front, _decoder_half(config, front.hidden, front.heads, front.head_dim, front.tokens)


def _decoder_half(config: Mapping[str, Any], hidden: int, heads: int, dim: int, source: int) -> Stack:
    layers = _whole(config, "num_decoder_layers", "decoder_layers")
    return Stack(
        role="decoder-half",
        layers=layers,
        hidden=hidden,
        heads=_whole(config, "decoder_attention_heads") or heads,
        kv_heads=_whole(config, "decoder_attention_heads") or heads,
        head_dim=dim,
        inner=_whole(config, "decoder_ffn_dim", "d_ff") or 4 * hidden,
        vocabulary=_whole(config, "vocab_size"),
        context=_whole(config, "max_target_positions", "n_positions"),
        causal=True,
        # -1: as many as the encoder reads, which the context says.
        cross=source or -1,
    )


def _of_gguf(metadata: Mapping[str, Any]) -> tuple[Stack, ...]:
    name = str(metadata["general.architecture"])

    def of(key: str) -> int:
        value = metadata.get(f"{name}.{key}")
        # Some models give a number for each layer; the largest is on the safe side.
        value = max(value, default=0) if isinstance(value, list) and all(type(one) is int for one in value) else value
        return value if type(value) is int and 0 < value < MAX_DIMENSION else 0

    hidden, layers, heads = of("embedding_length"), of("block_count"), of("attention.head_count") or 1
    if not hidden or not layers:
        return ()
    window = of("attention.sliding_window")
    vocabulary = of("vocab_size") or metadata.get("tokenizer.ggml.tokens.length") or 0
    return (
        Stack(
            role="decoder",
            layers=layers,
            hidden=hidden,
            heads=heads,
            kv_heads=of("attention.head_count_kv") or heads,
            head_dim=of("attention.key_length") or max(1, hidden // heads),
            inner=of("feed_forward_length") or 4 * hidden,
            vocabulary=vocabulary if type(vocabulary) is int else 0,
            context=of("context_length"),
            gated=True,
            causal="bert" not in name,
            # llama.cpp keeps the whole context unless told otherwise, so a window saves nothing there.
            window=window,
            latent=of("attention.kv_lora_rank") + of("rope.dimension_count") if of("attention.kv_lora_rank") else 0,
            experts=of("expert_used_count") or 1,
        ),
    )


def tied_bytes(config: Mapping[str, Any], tensors: tuple[Tensor, ...]) -> int:
    """Return the bytes of an output head that is saved although it is the input embedding: it is loaded once.

    accelerate's `find_tied_parameters` counts tied tensors once; config.json says whether they are tied.
    """
    text = config.get("text_config")
    tied = config.get("tie_word_embeddings", text.get("tie_word_embeddings") if isinstance(text, dict) else None)
    if tied is not True:
        return 0
    heads = [tensor for tensor in tensors if tensor.name in ("lm_head.weight", "proj_out.weight")]
    shapes = {
        tensor.shape for tensor in tensors if "embed" in tensor.name or "wte" in tensor.name or "shared" in tensor.name
    }
    return sum(tensor.size_bytes for tensor in heads if tensor.shape in shapes)


def laid_out_bytes(config: Mapping[str, Any], tensors: tuple[Tensor, ...]) -> int:
    """Return the bytes of float32 matrices that torch lays out anew for a decoder; the file's stay mapped beside them.

    Those are of linear layers with more rows than columns (`engines/torch/decoding/layout.py`), the head among them,
    also where it is the input embedding; GPT-2's kin has layers of another kind, and only its head is one of these.
    """
    names = _names(config)
    if not names.endswith(("ForCausalLM", "LMHeadModel")):
        return 0
    tall = [one for one in tensors if one.dtype == "float32" and len(one.shape) == 2]
    tall = [one for one in tall if one.shape[0] > one.shape[1]]
    heads = [one for one in tall if "lm_head" in one.name]
    tables = [one for one in tall if any(word in one.name for word in ("embed", "wte", "wpe", "shared"))]
    tied = max(tables, key=lambda one: one.size_bytes, default=None) if not heads else None
    inner = (
        []
        if names.startswith(("GPT2", "OpenAIGPT", "ImageGPT"))
        else [one for one in tall if one not in tables and one not in heads]
    )
    return sum(one.size_bytes for one in (*heads, *inner)) + (tied.size_bytes if tied else 0)


def _copies(config: Mapping[str, Any]) -> int:
    stated = (config.get(key) for key in ("hidden_act", "activation_function", "hidden_activation", "dense_act_fn"))
    return next((_COPIES.get(name, 2) for name in stated if isinstance(name, str)), 2)


def _names(config: Mapping[str, Any]) -> str:
    stated = config.get("architectures")
    return " ".join(str(name) for name in stated) if isinstance(stated, list) else ""


def _layers(config: Mapping[str, Any]) -> int:
    return _whole(config, "num_hidden_layers", "n_layer", "num_layers", "n_layers")


def _whole(config: Mapping[str, Any], *keys: str) -> int:
    found = (config.get(key) for key in keys)
    return next((value for value in found if type(value) is int and 0 < value < MAX_DIMENSION), 0)
