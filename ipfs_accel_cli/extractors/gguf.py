"""The header of a GGUF file: what it says of the model, and its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipfs_accel_cli.extractors import tensors, words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits
from ipfs_accel_cli.extractors.contents import ContentReader
from ipfs_accel_cli.formats import gguf

_GENERAL = {
    **{"general.architecture": "architecture", "general.license": "licence", "general.type": "model_type"},
    **{"general.size_label": "size_label", "general.organization": "organisation", "general.author": "author"},
    **{"general.finetune": "finetune", "general.basename": "base_name", "tokenizer.ggml.model": "tokenizer"},
}
_OF_ARCHITECTURE = {
    **{"context_length": "context_tokens", "block_count": "layers", "embedding_length": "hidden_size"},
    **{"attention.head_count": "attention_heads", "attention.head_count_kv": "key_value_heads"},
    **{"expert_count": "experts"},
}
_LISTS = {"general.tags": "tags", "general.languages": "language"}


class GgufExtractor:
    """Weights in GGUF; neither the weights nor the words of the tokenizer are read."""

    name = "gguf"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a header; raises MalformedContent and UnsupportedContent."""
        with content.open() as file:
            header = gguf.header(ContentReader(content, file))
        said = header.metadata
        facts: dict[str, Fact] = {"media_type": "application/vnd.gguf", "size_bytes": content.size_bytes}
        facts |= tensors.facts(header.tensors) | _facts(said)
        lines = [f"{words.line(key)}: {words.clean(str(value))}" for key, value in said.items()][: limits.items]
        text = "\n".join([*lines, tensors.names(header.tensors, limits)])
        title = words.line(said.get("general.name") or content.name)
        return Document("gguf", title, text, facts)


def _facts(said: Mapping[str, Any]) -> dict[str, Fact]:
    found: dict[str, Fact] = {
        name: words.line(said[key]) for key, name in _GENERAL.items() if isinstance(said.get(key), str) and said[key]
    }
    architecture = found.get("architecture", "")
    for key, name in _OF_ARCHITECTURE.items():
        value = said.get(f"{architecture}.{key}")
        if type(value) is int:
            found[name] = value
    for key, name in _LISTS.items():
        if isinstance(several := said.get(key), list) and several:
            found[name] = tuple(words.line(one) for one in several)
    if type(vocabulary := said.get("tokenizer.ggml.tokens.length")) is int:
        found["vocabulary_size"] = vocabulary
    return found
