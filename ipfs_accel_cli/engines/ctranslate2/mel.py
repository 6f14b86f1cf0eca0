"""What Whisper hears: the logarithm of the energy in mel bands, a hundred times a second.

As in https://github.com/openai/whisper, whisper/audio.py; the bands are those of librosa (Slaney, area 1).
"""

from __future__ import annotations

from functools import lru_cache

import numpy
from numpy.typing import NDArray

RATE = 16_000
WINDOW_S = 30
_WIDTH, _HOP = 400, 160
_SAMPLES = RATE * WINDOW_S
_FLOOR = 1e-10
_LINEAR_HZ, _LOG_FROM_HZ, _LOG_STEP = 200.0 / 3, 1000.0, numpy.log(6.4) / 27


def features(samples: NDArray[numpy.float32], bands: int) -> NDArray[numpy.float32]:
    """Return shape (bands, 3000) for up to 30 s of sound of 16,000 samples a second; the rest is silence."""
    sound = numpy.zeros(_SAMPLES, numpy.float64)
    sound[: len(samples)] = samples
    sound = numpy.pad(sound, _WIDTH // 2, mode="reflect")
    frames = numpy.lib.stride_tricks.sliding_window_view(sound, _WIDTH)[::_HOP][:-1]
    window = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(_WIDTH) / _WIDTH)
    power = numpy.abs(numpy.fft.rfft(frames * window, axis=1)) ** 2
    energy = numpy.log10(numpy.maximum(_bank(bands) @ power.T, _FLOOR))
    energy = numpy.maximum(energy, energy.max() - 8.0)
    scaled: NDArray[numpy.float32] = ((energy + 4.0) / 4.0).astype(numpy.float32)
    return scaled


@lru_cache(maxsize=2)
def _bank(bands: int) -> NDArray[numpy.float64]:
    """Return the weights of the bands, shape (bands, frequencies)."""
    frequencies = numpy.linspace(0, RATE / 2, _WIDTH // 2 + 1)
    edges = _hertz(numpy.linspace(0, _mel(RATE / 2), bands + 2))
    widths = numpy.diff(edges)
    slopes = edges[:, None] - frequencies[None]
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    weights = numpy.maximum(0.0, numpy.minimum(rising, falling))
    scaled: NDArray[numpy.float64] = weights * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return scaled


def _mel(hertz: float) -> float:
    return float(_LOG_FROM_HZ / _LINEAR_HZ + numpy.log(hertz / _LOG_FROM_HZ) / _LOG_STEP)


def _hertz(mels: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    bent = _LOG_FROM_HZ * numpy.exp(_LOG_STEP * (mels - _LOG_FROM_HZ / _LINEAR_HZ))
    return numpy.where(mels < _LOG_FROM_HZ / _LINEAR_HZ, mels * _LINEAR_HZ, bent)
