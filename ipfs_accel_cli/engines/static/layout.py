"""Where a table of token vectors lies in a folder, in either of the two layouts that are in use.

sentence-transformers (versions 3 to 6): a module StaticEmbedding whose folder has `model.safetensors` with
`embedding.weight` and `tokenizer.json`. model2vec (versions 0.3 to 0.8): the same with `embeddings`, and maybe a
weight for each token and the row of each token (`weights`, `mapping`), as where several tokens share one row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.sentence import modules_of

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
MODULE = "StaticEmbedding"
_TABLES = ("embedding.weight", "embeddings")


@dataclass(frozen=True, slots=True)
class Table:
    """A vector for each token: float32, shape (tokens, dimensions).

    `known_only` leaves tokens out that stand for what the tokenizer does not know; `unit` scales to length 1.
    """

    rows: NDArray[numpy.float32]
    tokenizer: Path
    unit: bool
    known_only: bool


def read_table(folder: Path, name: str) -> Table:
    """Read the table of a model's folder; raises UnsupportedContent and MalformedContent."""
    modules = modules_of(folder) or [(MODULE, "")]
    first, *rest = modules
    unknown = [module for module, _ in rest if module != "Normalize"]
    if first[0] != MODULE or unknown:
        names = ", ".join(module for module, _ in modules)
        raise UnsupportedContent(f"{name}: the modules {names}; only {MODULE} and Normalize are known")
    place = folder / first[1]
    found = _tensors(place / WEIGHTS, name)
    key = next((key for key in _TABLES if key in found), None)
    if key is None or found[key].ndim != 2:
        raise MalformedContent(f"{name}: {WEIGHTS} has no table of vectors ({' or '.join(_TABLES)})")
    rows = _weighted(found[key].astype(numpy.float32), found, name)
    config = _config(place) if key == "embeddings" else {}
    unit = bool(rest) or bool(config.get("normalize"))
    return Table(rows, place / TOKENIZER, unit, known_only=key == "embeddings")


def _weighted(rows: NDArray[numpy.float32], found: dict[str, NDArray[Any]], name: str) -> NDArray[numpy.float32]:
    mapping, weights = found.get("mapping"), found.get("weights")
    if mapping is not None:
        places = mapping.astype(numpy.int64)
        if places.ndim != 1 or (len(places) and not 0 <= places.min() <= places.max() < len(rows)):
            raise MalformedContent(f"{name}: the mapping of its tokens leads out of the table")
        rows = rows[places]
    if weights is not None:
        if weights.shape != (len(rows),):
            raise MalformedContent(f"{name}: it has {len(rows)} tokens and weights for {weights.shape}")
        rows = rows * weights.astype(numpy.float32)[:, None]
    return rows


def _tensors(path: Path, name: str) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found: dict[str, NDArray[Any]] = load_file(path)
    except FileNotFoundError as error:
        raise UnsupportedContent(f"{name} has no {WEIGHTS}") from error
    except (SafetensorError, TypeError, KeyError) as error:
        raise MalformedContent(f"{name}: {WEIGHTS} cannot be read: {error}") from error
    return found


def _config(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "config.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise MalformedContent(f"config.json is not JSON: {error}") from error
    return found if isinstance(found, dict) else {}
