"""What is kept of content so that its kin are found: of texts a sketch; how pictures look is one of their facts."""

from __future__ import annotations

from ipfs_accel_cli.extractors.base import Document
from ipfs_accel_cli.services.search.sketches import minhash

TEXT = "minhash"
_LEAST_CHARS = 200
# Names of tensors, keys of settings and columns of tables are alike without being copies.
_TEXTS = frozenset({"text", "markdown", "html", "pdf", "docx", "model-card", "code", "model"})


def sketches_of(document: Document) -> tuple[tuple[str, bytes], ...]:
    """Return the sketches of a document by kind."""
    if document.kind not in _TEXTS or len(document.text) < _LEAST_CHARS:
        return ()
    sketch = minhash(document.text)
    return ((TEXT, sketch),) if sketch else ()
