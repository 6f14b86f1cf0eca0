"""Pictures as cameras, scanners and accidents make them, each made here."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy
from PIL import Image

ORIENTATION = 0x0112


def quarters() -> Image.Image:
    """Return 40 x 20 pixels: red and green above, blue and white below."""
    image = Image.new("RGB", (40, 20), "white")
    image.paste("red", (0, 0, 20, 10))
    image.paste("lime", (20, 0, 40, 10))
    image.paste("blue", (0, 10, 20, 20))
    return image


def turned(path: Path, orientation: int) -> Path:
    """Save `quarters` as a camera held in one of eight ways would."""
    upright = quarters()
    undone = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010E] = "a secret place"
    (upright if undone is None else upright.transpose(undone)).save(path, exif=exif)
    return path


def wide_grey(path: Path) -> Path:
    """Save 256 steps from black to white in 16 bits."""
    steps = numpy.linspace(0, 65535, 256).round().astype(numpy.uint16)
    Image.fromarray(numpy.repeat(steps[None], 4, axis=0)).save(path)
    return path


def animation(path: Path) -> Path:
    """Save a red, a green and a blue frame."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    return path


def bomb(path: Path, width: int, height: int) -> Path:
    """Save a PNG of a few bytes that claims so many pixels of three bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


def cut(path: Path, format_: str, share: float = 0.6) -> Path:
    """Save a noisy picture and cut its file short."""
    noise = numpy.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=numpy.uint8)
    data = io.BytesIO()
    Image.fromarray(noise).save(data, format_)
    path.write_bytes(data.getvalue()[: int(len(data.getvalue()) * share)])
    return path
