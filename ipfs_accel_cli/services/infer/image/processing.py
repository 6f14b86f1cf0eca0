"""Pictures changed without a model: turned, cut, resized, in grey, in another format."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import AccelError, Invalid, LimitReached
from ipfs_accel_cli.services.infer.failures import Failures
from ipfs_accel_cli.services.infer.image.asked import Change
from ipfs_accel_cli.services.infer.image.colours import has_alpha, in_colour
from ipfs_accel_cli.services.infer.image.reading import decoding, opened, seek, shrink, transposed
from ipfs_accel_cli.services.infer.image.results import PictureWritten
from ipfs_accel_cli.services.infer.image.writing import FORMATS, Targets, write

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_WRITTEN = 16384
_ORIENTATION = 0x0112
_QUALITY = ("JPEG", "WEBP")
_WITH_ALPHA = ("PNG", "WEBP", "TIFF")


def check(change: Change) -> None:
    """Raise Invalid for what makes no sense whatever the picture."""
    if change.resize is not None:
        size_for(change.resize, 100, 100)
    if change.crop is not None:
        _edges(change.crop)
    if not math.isfinite(change.rotate):
        raise Invalid(f"--rotate takes degrees, not {change.rotate}")
    if change.quality is not None and not 1 <= change.quality <= 100:
        raise Invalid(f"--quality lies between 1 and 100, not at {change.quality}")
    if change.format is not None and change.format.lower() not in FORMATS:
        raise Invalid(f"--to {change.format} is not written here; {', '.join(FORMATS)} are")


def processed(
    files: Sequence[Path], targets: Targets, change: Change, call: Call, *, frame: int
) -> Iterator[PictureWritten]:
    """Change each picture and write it; raises SomeFailed at the end, and a single one's error at once."""
    failures = Failures()
    for file in files:
        call.check()
        problem: AccelError | None = None
        try:
            yield _one(file, targets, change, call, frame)
        except AccelError as error:
            if len(files) == 1:
                raise
            problem = error
        failures.usable(str(file), problem)
        call.progress(failures.count, len(files), "pictures")
    failures.end()


def changed(image: Image, change: Change, name: str) -> Image:
    """Return the picture as asked for; raises Invalid for a crop outside of it."""
    from PIL import Image as Images

    made = transposed(image)
    mixable = made.mode in ("RGB", "L", "RGBA", "LA") and "transparency" not in made.info
    made = made if mixable else _plain(made, name)
    if change.crop is not None:
        left, top, right, bottom = _edges(change.crop)
        if right > made.width or bottom > made.height:
            raise Invalid(f"--crop {change.crop} reaches beyond {name}, which has {made.width} x {made.height} pixels")
        made = made.crop((left, top, right, bottom))
    if change.rotate % 360:
        ground = (255,) * (4 if made.mode == "RGBA" else 3)
        turned = made if made.mode in ("RGB", "RGBA") else in_colour(made, name)
        made = turned.rotate(
            -change.rotate, expand=True, resample=Images.Resampling.BICUBIC, fillcolor=ground[: len(turned.getbands())]
        )
    if change.resize is not None:
        made = made.resize(size_for(change.resize, made.width, made.height), Images.Resampling.LANCZOS)
    return made.convert("LA" if has_alpha(made) else "L") if change.grey else made


def size_for(asked: str, width: int, height: int) -> tuple[int, int]:
    """Return width and height for WxH, Wx, xH or N%; raises Invalid, and LimitReached beyond 16384 pixels a side."""
    share = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)%", asked)
    sides = re.fullmatch(r"(\d{0,6})x(\d{0,6})", asked)
    if share:
        factor = float(share[1]) / 100
        wide, high = max(1, round(width * factor)), max(1, round(height * factor))
    elif sides and (sides[1] or sides[2]):
        wide = int(sides[1]) if sides[1] else max(1, round(width * int(sides[2]) / height))
        high = int(sides[2]) if sides[2] else max(1, round(height * int(sides[1]) / width))
    else:
        raise Invalid(f"--resize {asked} is not understood: 640x480, 640x or x480 to keep the shape, or 50%")
    if min(wide, high) < 1:
        raise Invalid(f"--resize {asked} leaves nothing of the picture")
    if max(wide, high) > LONGEST_WRITTEN:
        raise LimitReached(f"--resize {asked} makes a side longer than {LONGEST_WRITTEN} pixels")
    return wide, high


def _one(file: Path, targets: Targets, change: Change, call: Call, frame: int) -> PictureWritten:
    with opened(file, call) as (image, name):
        seek(image, name, frame)
        shrink(image, name, max(image.size))
        path, format_ = targets.of("picture" if str(file) == "-" else str(file), image.format or "PNG")
        if change.quality is not None and format_ not in _QUALITY:
            raise Invalid(f"--quality is for JPEG and WebP; {format_} loses nothing")
        with decoding(name):
            image.load()
            made = changed(image, change, name)
            if has_alpha(made) and format_ not in _WITH_ALPHA:
                made = in_colour(made, name)
        # Only now: what says how it was held is taken out of it.
        kept = _metadata(image, made.mode) if change.metadata else {}
        options = {"quality": change.quality} if change.quality is not None else {}
        size = write(made, path, format_, options | kept)
        return PictureWritten(
            file=name,
            output=str(path),
            format=format_,
            width=made.width,
            height=made.height,
            size_bytes=size,
            metadata=bool(kept),
        )


def _plain(image: Image, name: str) -> Image:
    """Return a picture that can be mixed and resized: transparency is kept, everything else becomes RGB or grey."""
    if has_alpha(image):
        return image.convert("RGBA")
    made = in_colour(image, name)
    return made.convert("L") if image.mode.startswith(("I", "F", "1")) else made


def _metadata(image: Image, mode: str) -> dict[str, Any]:
    """Return EXIF and colour profile; the picture is upright now, so that nothing is to be turned any more."""
    exif = image.getexif()
    exif.pop(_ORIENTATION, None)
    found: dict[str, Any] = {"exif": exif.tobytes()} if len(exif) else {}
    profile = image.info.get("icc_profile")
    # A profile of inks says nothing of red, green and blue, nor one of these of grey.
    if profile and image.mode != "CMYK" and image.mode.startswith("L") == mode.startswith("L"):
        found["icc_profile"] = profile
    return found


def _edges(asked: str) -> tuple[int, int, int, int]:
    parts = re.fullmatch(r"(\d{1,6}),(\d{1,6}),(\d{1,6}),(\d{1,6})", asked)
    if parts is None:
        raise Invalid(f"--crop {asked} is not understood: left,top,right,bottom in pixels, such as 10,10,200,150")
    left, top, right, bottom = (int(parts[at]) for at in range(1, 5))
    if left >= right or top >= bottom:
        raise Invalid(f"--crop {asked} leaves nothing of the picture")
    return left, top, right, bottom
