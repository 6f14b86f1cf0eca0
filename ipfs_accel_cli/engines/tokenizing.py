"""Tokenizers from a local folder through transformers, which needs no torch for them: no code, no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer
from transformers.utils import logging

from ipfs_accel_cli.core.errors import UnsupportedContent

_VOCABULARIES = ("tokenizer.json", "vocab.*", "*.model", "*.tiktoken", "tekken.json")


def load_tokenizer(folder: Path) -> Any:
    """Load the tokenizer of a folder.

    Raises UnsupportedContent for a folder without one: transformers would make up an empty vocabulary.
    """
    if not any(next(folder.glob(pattern), None) for pattern in _VOCABULARIES):
        raise UnsupportedContent(f"no tokenizer in {folder.name}")
    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' warnings and progress bars off the terminal for the block; ours say what matters."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
