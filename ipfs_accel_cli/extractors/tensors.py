"""What the headers of safetensors, GGUF and ONNX files have in common: tensors as facts and as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Fact, Limits
from ipfs_accel_cli.formats.tensors import Tensor

_NUMBER = re.compile(r"(?<=\.)\d+(?=\.|$)")


def facts(tensors: tuple[Tensor, ...]) -> dict[str, Fact]:
    """Return counts, and the dtypes with the one that takes most bytes first."""
    dtypes: Counter[str] = Counter()
    for tensor in tensors:
        dtypes[tensor.dtype] += tensor.size_bytes
    ranked = [dtype for dtype, _ in dtypes.most_common()]
    found: dict[str, Fact] = {
        "tensors": len(tensors),
        "parameters": sum(tensor.parameters for tensor in tensors),
        "weight_bytes": sum(tensor.size_bytes for tensor in tensors),
    }
    if ranked:
        found |= {"dtype": ranked[0], "dtypes": tuple(sorted(ranked))}
    return found


def names(tensors: Iterable[Tensor], limits: Limits) -> str:
    """Return the names, those of layers that differ only in their numbers as one, with shape and dtype."""
    found = (f"{_NUMBER.sub('*', words.line(one.name))} {list(one.shape)} {one.dtype}" for one in tensors)
    return "\n".join(list(dict.fromkeys(found))[: limits.items])
