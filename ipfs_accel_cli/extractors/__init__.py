"""Extractors: bytes of one kind of file become a document that can be searched."""
