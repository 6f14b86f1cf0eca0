"""What Whisper hears, beside transformers' own extractor."""

from __future__ import annotations

import numpy
import pytest

from ipfs_accel_cli.engines.ctranslate2.mel import RATE, features


@pytest.mark.models
@pytest.mark.parametrize("bands", [80, 128])
@pytest.mark.parametrize("seconds", [0.01, 1.7, 30.0])
def test_it_is_what_transformers_hears(bands: int, seconds: float) -> None:
    from transformers import WhisperFeatureExtractor

    samples = numpy.random.default_rng(0).standard_normal(int(seconds * RATE)).astype(numpy.float32) * 0.1
    theirs = WhisperFeatureExtractor(feature_size=bands)(samples, sampling_rate=RATE, return_tensors="np")
    ours = features(samples, bands)
    assert ours.shape == (bands, 3000)
    assert numpy.abs(ours - theirs.input_features[0]).max() < 1e-3


def test_silence_is_even_and_finite() -> None:
    heard = features(numpy.zeros(RATE, numpy.float32), 80)
    assert numpy.isfinite(heard).all()
    assert numpy.ptp(heard) == 0
