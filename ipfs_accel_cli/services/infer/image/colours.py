"""Whatever a picture's pixels are made of, as red, green and blue of 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipfs_accel_cli.core.errors import UnsupportedContent

if TYPE_CHECKING:
    from PIL.Image import Image

_WIDEST_16 = 65535
# 65535 / 255: the value that is white becomes white, and what lies between keeps its place.
_TO_8_BITS = 257


def in_colour(image: Image, name: str) -> Image:
    """Return a picture in mode RGB: wide values scaled, transparency over white, inks as they would print.

    Raises UnsupportedContent for floating-point pixels outside of 0 to 1, of which nobody knows what is white.
    """
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16") or image.mode == "I":
        return _grey(_narrowed(image))
    if image.mode == "F":
        return _grey(_from_floats(image, name))
    if has_alpha(image):
        return _over_white(image)
    return image.convert("RGB")


def has_alpha(image: Image) -> bool:
    """Say whether some pixels may be transparent."""
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _over_white(image: Image) -> Image:
    from PIL import Image as Images

    seen = image.convert("RGBA")
    ground = Images.new("RGBA", seen.size, "white")
    return Images.alpha_composite(ground, seen).convert("RGB")


def _narrowed(image: Image) -> Image:
    """Return 16 bits, or 32, as 8: scaled, for Pillow would cut off what is above 255."""
    import numpy
    from PIL import Image as Images

    values = numpy.asarray(image).astype(numpy.int64)
    whole = values.max(initial=0)
    step = _TO_8_BITS if whole <= _WIDEST_16 else (2**32 - 1) // 255
    narrow = numpy.clip((values + step // 2) // step, 0, 255).astype(numpy.uint8)
    return Images.fromarray(narrow)


def _from_floats(image: Image, name: str) -> Image:
    import numpy
    from PIL import Image as Images

    values = numpy.asarray(image)
    if not numpy.isfinite(values).all() or values.min(initial=0) < 0 or values.max(initial=0) > 1:
        raise UnsupportedContent(f"{name} has floating-point pixels outside of 0 to 1: which of them is white?")
    return Images.fromarray(numpy.rint(values * 255).astype(numpy.uint8))


def _grey(image: Image) -> Image:
    return image.convert("RGB")
