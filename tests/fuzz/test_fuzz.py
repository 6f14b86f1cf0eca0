"""Replay the corpus, then try bytes that no one thought of.

IPFS_ACCEL_FUZZ_EXAMPLES sets how many new inputs each target gets (300). An input that once broke a reader is kept:
put it into corpus/<target>/ under a name that says what it is.
"""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS
from tests.unit.content.damage import damaged

CORPUS = Path(__file__).parent / "corpus"
EXAMPLES = int(os.environ.get("IPFS_ACCEL_FUZZ_EXAMPLES", "300"))
FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())

# A byte of input may become a Python object with a few fields, and tests read it several times over.
FIXED_BYTES, BYTES_PER_INPUT_BYTE = 4 << 20, 1000


def kept(target: str) -> list[bytes]:
    return [path.read_bytes() for path in FILES if path.parent.name == target]


def test_each_target_has_a_corpus_and_each_corpus_a_target() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_is_in_the_corpus_is_read_or_refused_in_bounded_memory(path: Path) -> None:
    data = path.read_bytes()
    tracemalloc.start()
    try:
        TARGETS[path.parent.name](data)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < FIXED_BYTES + BYTES_PER_INPUT_BYTE * len(data)


@pytest.mark.parametrize("name", TARGETS)
def test_random_and_damaged_bytes_are_read_or_refused(name: str) -> None:
    corpus = st.sampled_from(kept(name))
    pairs = st.builds(bytes.__add__, corpus, corpus)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.binary(max_size=300) | damaged(corpus) | damaged(damaged(corpus)) | pairs)
    def run(data: bytes) -> None:
        TARGETS[name](data)

    run()
