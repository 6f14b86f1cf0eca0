"""What torch, transformers and safetensors raise, said in our own errors."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from safetensors import SafetensorError

from ipfs_accel_cli.core.errors import (
    AccelError,
    DoesNotFit,
    MalformedContent,
    MissingExtra,
    UnsafeContent,
    UnsupportedContent,
)

_NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


@contextmanager
def loading(name: str, architecture: str) -> Iterator[None]:
    """Translate what goes wrong while the model `name` is loaded."""
    try:
        with _within_memory(name):
            yield
    except (AccelError, KeyboardInterrupt):
        raise
    except pickle.UnpicklingError as error:
        raise UnsafeContent(f"{name}: the weights hold more than tensors and were not loaded") from error
    except SafetensorError as error:
        raise MalformedContent(f"{name}: damaged safetensors file: {error}") from error
    except ImportError as error:
        raise MissingExtra(
            f"{name} needs {error.name or _first_line(error)}", suggestion=f"pip install {error.name or 'transformers'}"
        ) from error
    except RuntimeError as error:
        raise MalformedContent(f"{name}: the weights do not match {architecture}: {_first_line(error)}") from error
    except OSError as error:
        raise UnsupportedContent(f"{name}: {architecture} lacks a file: {_first_line(error)}") from error
    except Exception as error:
        # Configurations and tokenizers fail in any way they like: KeyError, TypeError, a bare Exception from Rust.
        raise UnsupportedContent(f"{name}: {architecture} cannot be loaded: {_first_line(error)}") from error


@contextmanager
def computing(name: str) -> Iterator[None]:
    """Translate running out of memory or of vocabulary while the model `name` runs; everything else passes."""
    try:
        with _within_memory(name):
            yield
    except IndexError as error:
        raise MalformedContent(f"{name}: a token lies outside of the vocabulary of the weights") from error


@contextmanager
def _within_memory(name: str) -> Iterator[None]:
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _does_not_fit(name, error) from error
    except RuntimeError as error:
        if any(words in str(error).lower() for words in _NO_MEMORY):
            raise _does_not_fit(name, error) from error
        raise


def _does_not_fit(name: str, error: BaseException) -> DoesNotFit:
    return DoesNotFit(
        f"{name}: memory ran out: {_first_line(error)}",
        suggestion="ask for less at a time (--batch, --max-tokens), or choose a smaller model",
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
