"""What can read files here."""

from __future__ import annotations

import importlib.util

import pytest

from ipfs_accel_cli.extractors.registry import EXTRACTORS
from ipfs_accel_cli.services.search.adapters import adapters


def test_every_extractor_says_what_it_reads() -> None:
    found = {one.name: one for one in adapters()}

    assert list(found) == EXTRACTORS.names()
    assert all(one.ready and one.reads.endswith(".") and one.version for one in found.values())
    assert found["pdf"].apart
    assert not found["text"].apart


def test_where_a_library_is_missing_the_line_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "ipfs_accel_cli.services.search.adapters.find_spec", lambda name: None if name == "pypdf" else real(name)
    )

    found = {one.name: one for one in adapters()}
    assert (found["pdf"].ready, found["pdf"].version) == (False, None)
    assert found["pdf"].install == "pip install 'ipfs-accel[search]'"
    assert found["docx"].ready
