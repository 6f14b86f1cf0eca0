"""Passes of one token, compiled by torch for this machine: caches of fixed size, one request a pass."""

from __future__ import annotations

import os
import shutil
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import StaticCache

from ipfs_accel_cli.core.errors import MissingExtra, UnsupportedContent

# Every size of cache is compiled for by itself, so there are few: each twice the one before.
_LEAST_TOKENS = 256
_COMPILERS = ("g++", "clang++", "c++")


class Compiled:
    """The compiled network and its caches, which are used again: another one could mean compiling again.

    What torch makes it keeps in its own folder (TORCHINDUCTOR_CACHE_DIR), so that another process only loads it.
    """

    def __init__(self, model: Any, name: str) -> None:
        check_compiler()
        if not getattr(model, "_can_compile_fullgraph", False):
            raise UnsupportedContent(f"{name}: transformers cannot compile {type(model).__name__} as a whole")
        self._config = model.config
        self.forward = torch.compile(model.forward, dynamic=False, fullgraph=True)
        self._free: dict[int, list[StaticCache]] = {}

    def take(self, tokens: int) -> Static:
        """Return a cache for so many tokens."""
        size = _LEAST_TOKENS
        while size < tokens:
            size *= 2
        waiting = self._free.setdefault(size, [])
        cache = waiting.pop() if waiting else StaticCache(config=self._config, max_cache_len=size)
        return Static(cache, waiting)


class Static:
    """The cache of one request in room of a fixed size."""

    def __init__(self, cache: StaticCache, home: list[StaticCache]) -> None:
        self.cache, self._home = cache, home
        self.tokens = 0

    def inputs(self, count: int, device: torch.device) -> dict[str, Tensor]:
        """Return the positions of the next tokens."""
        return {"position_ids": torch.arange(self.tokens, self.tokens + count, device=device).unsqueeze(0)}

    def prepare(self, count: int) -> None:
        """Do nothing: the room was made for the whole answer."""

    def advance(self, count: int, _cache: Any) -> None:
        """Note that a pass has written `count` tokens."""
        self.tokens += count

    def close(self) -> None:
        """Give the cache back for another request."""
        if self.cache is not None:
            self.cache.reset()
            self._home.append(self.cache)
            self.cache = None


def check_compiler() -> None:
    """Raise MissingExtra where there is no C++ compiler, which torch needs to compile for a processor."""
    wanted = os.environ.get("CXX")
    if not any(shutil.which(name) for name in ((wanted,) if wanted else _COMPILERS)):
        raise MissingExtra(
            f"--compile needs a C++ compiler, and there is no {wanted or ' or '.join(_COMPILERS)}",
            suggestion="apt-get install g++",
        )
