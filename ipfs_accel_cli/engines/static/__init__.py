"""Vectors of texts from a table of vectors of tokens: no network to go through, so thousands of texts a second."""
