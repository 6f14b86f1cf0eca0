"""Log-mel spectrograms as pictures, of sounds of any length in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import MissingExtra
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.services.infer.audio.reading import Samples

BANDS = 128
WIDEST = 1600
_RANGE_DB = 80.0
_PIXELS_PER_BAND = 2
# From silence to the loudest, in red, green and blue; what lies between is interpolated.
_COLOURS = ((0, 0, 4), (59, 15, 112), (140, 41, 129), (222, 73, 104), (254, 159, 109), (252, 253, 191))

Floats = NDArray[numpy.float64]


def filters(rate: int, size: int, bands: int = BANDS) -> Floats:
    """Return triangles of equal area on the mel scale (Slaney), shape (bands, size // 2 + 1)."""
    edges = _hertz(numpy.linspace(0.0, float(_mel(numpy.array(rate / 2))), bands + 2))
    bins = numpy.linspace(0.0, rate / 2, size // 2 + 1)
    rising = (bins[None] - edges[:-2, None]) / numpy.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins[None]) / numpy.diff(edges)[1:, None]
    triangles: Floats = numpy.maximum(0.0, numpy.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return triangles


def picture(blocks: Iterable[Samples], rate: int, frames: int) -> Floats:
    """Return the mean power of each band over time, in decibels below the loudest, shape (bands, columns).

    `frames` is how many samples there will be about; there are at most 1600 columns, at least 10 ms each.
    """
    size = max(256, 1 << (rate // 25).bit_length() - 1)
    hop = max(1, rate // 100)
    columns = max(1, min(WIDEST, frames // hop))
    weights, window = filters(rate, size), numpy.hanning(size)
    power, count = numpy.zeros((BANDS, columns)), numpy.zeros(columns)
    for first, part in _frames(blocks, size, hop):
        spectrum = numpy.abs(numpy.fft.rfft(part * window, axis=1)) ** 2
        places = numpy.minimum((first + numpy.arange(len(part))) * hop * columns // max(1, frames), columns - 1)
        numpy.add.at(power.T, places, spectrum @ weights.T)
        numpy.add.at(count, places, 1.0)
    power /= numpy.maximum(count, 1.0)
    loud = max(float(power.max()), 1e-10)
    decibels: Floats = numpy.maximum(10.0 * numpy.log10(numpy.maximum(power, 1e-10) / loud), -_RANGE_DB)
    return decibels


def draw(decibels: Floats, path: Path) -> None:
    """Write a picture as PNG, low sounds at the bottom; raises MissingExtra without Pillow."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra(
            "drawing needs pillow, which is not installed", suggestion="pip install 'ipfs-accel[audio]'"
        ) from error
    part = (decibels + _RANGE_DB) / _RANGE_DB * (len(_COLOURS) - 1)
    steps = numpy.arange(len(_COLOURS))
    channels = [numpy.interp(part, steps, [colour[at] for colour in _COLOURS]) for at in range(3)]
    pixels = numpy.stack(channels, axis=-1).round().astype(numpy.uint8)[::-1]
    with writing_into(path.parent), replacing(path) as file:
        Image.fromarray(pixels.repeat(_PIXELS_PER_BAND, axis=0)).save(file, format="PNG")


def _frames(blocks: Iterable[Samples], size: int, hop: int) -> Iterator[tuple[int, NDArray[numpy.float32]]]:
    """Yield (index of the first, windows of the sound as rows); the end is filled up with silence."""
    held, at = numpy.zeros(size // 2, numpy.float32), 0
    for block in _then(blocks, numpy.zeros(size // 2, numpy.float32)):
        held = numpy.concatenate([held, block])
        count = (len(held) - size) // hop + 1
        if count > 0:
            yield at, numpy.lib.stride_tricks.sliding_window_view(held, size)[::hop][:count]
            at, held = at + count, held[count * hop :]


def _then(blocks: Iterable[Samples], last: Samples) -> Iterator[Samples]:
    yield from blocks
    yield last


def _mel(hertz: Floats) -> Floats:
    linear = hertz / (200.0 / 3)
    found: Floats = numpy.where(
        hertz < 1000.0, linear, 15.0 + numpy.log(numpy.maximum(hertz, 1e-3) / 1000.0) * (27.0 / numpy.log(6.4))
    )
    return found


def _hertz(mel: Floats) -> Floats:
    found: Floats = numpy.where(
        mel < 15.0, mel * (200.0 / 3), 1000.0 * numpy.exp((mel - 15.0) * (numpy.log(6.4) / 27.0))
    )
    return found
