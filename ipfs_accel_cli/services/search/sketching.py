"""What is kept of content so that its kin are found."""

from __future__ import annotations

from ipfs_accel_cli.extractors.base import Content, Document


def sketches_of(document: Document, content: Content) -> tuple[tuple[str, bytes], ...]:
    """Return the sketches of a document by kind."""
    return ()
