"""Models of the catalogue with their real weights: fetched once for all checkouts, by the program itself."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from ipfs_accel_cli.sources.catalogue.entries import find
from tests.servers.cache import cache, locked


def folder_of(name: str) -> Path:
    """Return a folder with the files of a model; skips the test, with the reason, where it cannot be had."""
    base = cache("catalogue")
    folder = base / find(name).revision / name
    with locked(base / f"{name}.lock"):
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as home:
                for line in (["pull", f"catalogue:{name}"], ["export", name, "-o", str(folder), "--layout", "plain"]):
                    _model(name, line, home)
    return folder


def _model(name: str, line: list[str], home: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ipfs_accel_cli", "model", *line],
        env=os.environ | {"IPFS_ACCEL_HOME": home},
        capture_output=True,
        text=True,
    )
    # 5, 6: it cannot be reached; anything else is a mistake of ours.
    if done.returncode in (5, 6):
        pytest.skip(f"{name} cannot be had here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
