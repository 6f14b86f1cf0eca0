"""The header of a safetensors file: tensors and metadata."""

from __future__ import annotations

from ipfs_accel_cli.extractors import tensors, words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits
from ipfs_accel_cli.extractors.contents import ContentReader
from ipfs_accel_cli.formats import safetensors

# Metadata key to the fact: those of the Stability model specification and of trainers of adapters.
_KNOWN = {
    **{"format": "framework", "modelspec.architecture": "architecture", "modelspec.author": "author"},
    **{"modelspec.license": "licence", "modelspec.date": "date", "modelspec.resolution": "resolution"},
    **{"ss_base_model_version": "base_model", "ss_network_module": "adapter"},
}


class SafetensorsExtractor:
    """Weights in safetensors; the weights themselves are not read."""

    name = "safetensors"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a header; raises MalformedContent."""
        with content.open() as file:
            header = safetensors.header(ContentReader(content, file))
        said = {words.line(key): str(value) for key, value in list(header.metadata.items())[: limits.items]}
        facts: dict[str, Fact] = {"media_type": "application/vnd.safetensors", "size_bytes": content.size_bytes}
        facts |= tensors.facts(header.tensors)
        facts |= {name: words.line(said[key]) for key, name in _KNOWN.items() if said.get(key)}
        lines = [f"{key}: {words.clean(value)}" for key, value in said.items()]
        text = "\n".join([*lines, tensors.names(header.tensors, limits)])
        title = words.line(said.get("modelspec.title") or content.name)
        return Document("safetensors", title, text, facts)
