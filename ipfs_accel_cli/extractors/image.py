"""Pictures: size, what the camera and the author wrote into them, and a hash of how they look."""

from __future__ import annotations

import re
import warnings
from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits

# A picture is decoded for its hash, which takes four bytes a pixel; the bound on memory is the last resort.
_PIXELS = 64_000_000
_SIDE, _KEPT = 32, 8
# EXIF 2.32, tables 4 to 8: tag to fact.
_TAGS = {
    0x010F: "maker",
    0x0110: "camera",
    0x0131: "software",
    0x013B: "author",
    0x8298: "copyright",
    0x010E: "description",
}
_TAKEN, _EXIF, _GPS = 0x9003, 0x8769, 0x8825
_DETAILS = {0xA434: "lens", 0x8827: "iso"}
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")
_TEXTS = 64


class ImageExtractor:
    """A picture of any kind that Pillow reads. Text in it and what it shows are the work of models, not done here."""

    name = "image"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a picture; raises MalformedContent."""
        from PIL import Image, UnidentifiedImageError

        # Only sizes are read here unless the picture is small enough.
        Image.MAX_IMAGE_PIXELS = None
        with content.open() as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                picture = Image.open(file)
                facts = _facts(picture, content)
                said = _texts(picture)
                if picture.width * picture.height <= _PIXELS:
                    facts["perceptual_hash"] = f"{perceptual_hash(picture):016x}"
            except UnidentifiedImageError as error:
                raise MalformedContent(f"{content.name} is no picture that is read here") from error
            except (OSError, SyntaxError, ValueError, KeyError, TypeError, IndexError, ArithmeticError) as error:
                raise MalformedContent(f"{content.name} is no sound picture: {words.line(error)}") from error
        written = [str(facts[key]) for key in ("description", "author", "copyright", "camera") if key in facts]
        text = "\n".join(dict.fromkeys([*written, *said]))
        return Document("image", content.name, text, facts)


def perceptual_hash(picture: Any) -> int:
    """Return 64 bits that stay nearly the same when a picture is scaled, recompressed or slightly recoloured.

    The signs of its 8 x 8 lowest frequencies against their median. Source: Zauner, "Implementation and benchmarking of
    perceptual image hash functions", 2010, section 3.2.1.
    """
    import numpy as np
    from PIL import Image

    picture.draft("L", (_SIDE * 4, _SIDE * 4))  # JPEG is decoded small at once.
    small = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    points = np.arange(_SIDE)
    waves = np.cos(np.pi / _SIDE * np.outer(np.arange(_KEPT), points + 0.5))
    low = (waves @ np.asarray(small, dtype=np.float64) @ waves.T).round(6).ravel()
    bits = low > np.median(low[1:])
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _facts(picture: Any, content: Content) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "media_type": picture.get_format_mimetype() or "image/" + str(picture.format).lower(),
        "size_bytes": content.size_bytes,
        "format": str(picture.format).lower(),
        "width": picture.width,
        "height": picture.height,
        "mode": picture.mode,
    }
    frames = getattr(picture, "n_frames", 1)
    if frames > 1:
        facts["frames"] = frames
    return facts | _exif(picture)


def _exif(picture: Any) -> dict[str, Fact]:
    """Return what EXIF says; a broken part of it costs that part only."""
    try:
        exif = picture.getexif()
        details, place = exif.get_ifd(_EXIF), exif.get_ifd(_GPS)
    except Exception:  # Pillow raises whatever its struct and TIFF readers do.
        return {}
    found: dict[str, Fact] = {}
    for tags, values in ((_TAGS, exif), (_DETAILS, details)):
        for tag, name in tags.items():
            value = values.get(tag)
            if isinstance(value, str) and (said := words.line(value, 400)):
                found[name] = said
            elif type(value) is int:
                found[name] = value
    if taken := _DATE.match(str(details.get(_TAKEN, ""))):
        found["taken"] = f"{taken[1]}-{taken[2]}-{taken[3]}T{taken[4]}"
    for name, reference, value in (("latitude", 1, 2), ("longitude", 3, 4)):
        degrees = _degrees(place.get(value), place.get(reference))
        if degrees is not None:
            found[name] = degrees
    return found


def _degrees(value: Any, reference: Any) -> float | None:
    try:
        whole, minutes, seconds = (float(one) for one in value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    degrees = whole + minutes / 60 + seconds / 3600
    if not -180 <= degrees <= 180:
        return None
    return round(-degrees if str(reference).upper() in ("S", "W") else degrees, 6)


def _texts(picture: Any) -> list[str]:
    """Return the texts of a PNG, such as the prompt it was made with, and the comment of a JPEG or GIF."""
    found = list[str]()
    for key, value in list(picture.info.items())[:_TEXTS]:
        text = value.decode("utf-8", "replace") if key == "comment" and isinstance(value, bytes) else value
        if isinstance(text, str) and isinstance(key, str):
            found.append(words.clean(f"{key}: {text}"))
    return found
