"""config.json of transformers, adapter_config.json of peft and model_index.json of diffusers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.extractors import values, words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits

# Name of the fact to the keys that different architectures have for it, the usual one first.
_NUMBERS = {
    "hidden_size": ("hidden_size", "d_model", "n_embd", "dim"),
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
    "attention_heads": ("num_attention_heads", "n_head", "n_heads", "encoder_attention_heads"),
    "key_value_heads": ("num_key_value_heads",),
    "vocabulary_size": ("vocab_size",),
    "context_tokens": ("max_position_embeddings", "n_positions", "max_source_positions", "seq_length"),
    "experts": ("num_local_experts", "num_experts", "n_routed_experts"),
    "image_size": ("image_size",),
    "rank": ("r",),
}
_TEXTS = {
    "model_type": ("model_type",),
    "dtype": ("dtype", "torch_dtype"),
    "base_model": ("base_model_name_or_path", "_name_or_path"),
    "adapter": ("peft_type",),
    "task": ("task_type",),
    "library_version": ("transformers_version", "_diffusers_version"),
}


class ModelConfigExtractor:
    """What a configuration says of a model; the parts of a model of several (text, vision) are looked into."""

    name = "model-config"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a configuration; raises MalformedContent and LimitReached."""
        config = values.load(content, limits)
        if not isinstance(config, dict):
            raise MalformedContent(f"{content.name} is no configuration of a model: it is not an object")
        lines = values.Lines(limits)
        lines.add(config)
        facts: dict[str, Fact] = {"media_type": "application/json", "size_bytes": content.size_bytes}
        facts |= _facts(config)
        if labels := _labels(config, limits.items):
            facts["labels"] = labels
        if components := _components(config):
            facts["components"] = components
        title = facts.get("architecture") or facts.get("adapter") or facts.get("model_type") or content.name
        return Document("model-config", str(title), lines.text, facts, truncated=lines.truncated)


def _facts(config: Mapping[str, Any]) -> dict[str, Fact]:
    parts = [config, *(config[key] for key in ("text_config", "llm_config") if isinstance(config.get(key), dict))]
    found: dict[str, Fact] = {}
    for name, keys in _NUMBERS.items():
        said = next((part[key] for part in parts for key in keys if type(part.get(key)) is int), None)
        if said is not None and abs(said) < 1 << 53:
            found[name] = said
    for name, keys in _TEXTS.items():
        told = next((words.line(part[key]) for part in parts for key in keys if isinstance(part.get(key), str)), "")
        if told:
            found[name] = told
    several = config.get("architectures")
    named = [words.line(one) for one in several if isinstance(one, str)] if isinstance(several, list) else []
    if isinstance(config.get("_class_name"), str):
        named.append(words.line(config["_class_name"]))
    if named:
        found["architecture"] = named[0]
    quantised = config.get("quantization_config")
    if isinstance(quantised, dict):
        found["quantisation"] = words.line(quantised.get("quant_method") or "unknown")
    return found


def _labels(config: Mapping[str, Any], items: int) -> tuple[str, ...]:
    labels = config.get("id2label")
    return tuple(words.line(one) for one in list(labels.values())[:items]) if isinstance(labels, dict) else ()


def _components(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parts of a pipeline of diffusers as "name: class"."""
    if "_class_name" not in config:
        return ()
    pairs = ((key, value) for key, value in config.items() if isinstance(value, list) and len(value) == 2)
    return tuple(words.line(f"{key}: {value[1]}") for key, value in pairs if isinstance(value[1], str))[:100]
