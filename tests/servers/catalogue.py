"""A catalogue of the test's own, in place of the one that ships."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from ipfs_accel_cli.sources.catalogue import entries


@contextmanager
def catalogue(folder: Path) -> Iterator[None]:
    """Let the pages in a folder be the catalogue for the block."""
    entries.entries.cache_clear()
    with mock.patch.object(entries, "files", return_value=folder):
        yield
    entries.entries.cache_clear()


def write_page(folder: Path, name: str, package: str, files: Mapping[str, bytes], *, prefix: str = "pkg/") -> None:
    """Write the page of a model whose files lie in a wheel below a prefix, the text in it being small and literal."""
    page = f'name = "{name}"\nabout = "A tiny model."\ntasks = ["embed"]\nlicence = "MIT"\norigin = "us"\n'
    page += 'quality = "none"\n'
    for path, data in files.items():
        page += f'[[files]]\npath = "{path}"\nsize = {len(data)}\nsha256 = "{hashlib.sha256(data).hexdigest()}"\n'
        page += f'parts = [{{ package = "{package}", member = "{prefix}{path}" }}]\n'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.toml").write_text(page)
    entries.entries.cache_clear()
