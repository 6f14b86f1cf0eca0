"""The caches of backends: a bounded folder each, and how often what was asked for was there."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path

from ipfs_accel_cli.backends.wrap.shelf import Shelf
from ipfs_accel_cli.core.errors import HomeUnusable
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.services.store.backends.results import CacheCleared, CacheShown

_COUNTS = "counts.json"


class Caches:
    """The caches of one home, each opened once in this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shelves: dict[str, Shelf] = {}

    def shelf(self, name: str, max_bytes: int) -> Shelf:
        """Return the cache of a backend, made where it is missing."""
        if name not in self._shelves:
            self._shelves[name] = Shelf(self._folder / name / "cache", max_bytes)
        return self._shelves[name]

    def shown(self, name: str, max_bytes: int) -> CacheShown:
        """Say how full a cache is, and which share of all that was ever asked for it had."""
        hits, misses = self._counts(name)
        folder = self._folder / name / "cache"
        files = [path for path in folder.glob("*") if path.is_file() and not path.name.startswith(".")]
        return CacheShown(
            name=name,
            max_bytes=max_bytes,
            size_bytes=sum(path.stat().st_size for path in files),
            entries=len(files),
            hits=hits,
            misses=misses,
            hit_rate=round(hits / (hits + misses), 4) if hits + misses else None,
        )

    def clear(self, name: str) -> CacheCleared:
        """Empty a cache, and begin to count anew."""
        folder = self._folder / name / "cache"
        freed = sum(path.stat().st_size for path in folder.glob("*") if path.is_file())
        if name in self._shelves:
            self._shelves.pop(name).close()
        shutil.rmtree(folder, ignore_errors=True)
        (self._folder / name / _COUNTS).unlink(missing_ok=True)
        return CacheCleared(name=name, freed_bytes=freed)

    def close(self) -> None:
        """Keep the counts and let go of the folders."""
        for name, shelf in self._shelves.items():
            hits, misses = self._counts(name)
            with suppress(HomeUnusable, OSError), replacing(self._folder / name / _COUNTS, 0o600) as file:
                file.write(json.dumps([hits, misses]).encode())
            shelf.close()
        self._shelves.clear()

    def _counts(self, name: str) -> tuple[int, int]:
        hits = misses = 0
        with suppress(OSError, ValueError, TypeError):
            hits, misses = map(int, json.loads((self._folder / name / _COUNTS).read_text()))
        shelf = self._shelves.get(name)
        return (hits, misses) if shelf is None else (hits + shelf.hits, misses + shelf.misses)
