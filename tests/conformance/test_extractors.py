"""Every extractor against the one suite."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.extractors.registry import EXTRACTORS
from tests.conformance.extractor_samples import SAMPLES, sample
from tests.conformance.extractor_suite import ExtractorSuite


@pytest.mark.parametrize("file", SAMPLES)
class TestExtractors(ExtractorSuite):
    @pytest.fixture
    def extractor(self, file: str) -> str:
        return SAMPLES[file][0]

    @pytest.fixture
    def named(self, file: str) -> tuple[str, bytes]:
        return file, sample(file)


def test_every_extractor_has_a_sample() -> None:
    assert {extractor for extractor, _ in SAMPLES.values()} == set(EXTRACTORS.names())
