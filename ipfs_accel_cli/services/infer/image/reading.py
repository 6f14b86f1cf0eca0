"""Pictures from files and standard input, as red, green and blue of 8 bits, upright, within stated bounds."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import AccelError, Invalid, LimitReached, MalformedContent, NotFound
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.infer.image.colours import has_alpha, in_colour

if TYPE_CHECKING:
    from PIL.Image import Image

    from ipfs_accel_cli.engines.exchange.image import Pixels

# Those whose decoders in Pillow are fuzzed and kept; none of them runs a program or follows a link.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
LARGEST_FILE_BYTES = 256 << 20
# What Pillow would hold of a picture before it can be made smaller; a JPEG is decoded smaller at once.
LARGEST_DECODED_BYTES = 512 << 20
# Models look at a few hundred pixels; a longer side only costs memory.
LONGEST_SIDE = 4096
STANDARD_INPUT = "-"
_PREFIX_BYTES = 16
_BYTES_A_PIXEL = {"1": 5, "L": 1, "P": 5, "I;16": 2, "I;16B": 2, "I;16L": 2, "LA": 4, "PA": 4}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was read: `width` and `height` are those of the file, upright; `pixels` may have fewer."""

    name: str
    pixels: Pixels
    width: int
    height: int
    format: str
    frames: int = 1

    @property
    def scale(self) -> tuple[float, float]:
        """What to multiply places in `pixels` with, across and down, to get places in the file's picture."""
        return self.width / self.pixels.shape[1], self.height / self.pixels.shape[0]


@dataclass(frozen=True, slots=True)
class Unread:
    """A picture that could not be read, and why."""

    name: str
    error: AccelError


def open_pictures(
    files: Sequence[Path], call: Call, *, frame: int = 0, longest: int = LONGEST_SIDE
) -> Iterator[Picture | Unread]:
    """Yield the pictures of files, of standard input for `-`, or of the caller's input where no file is given.

    Raises Invalid when there is neither. What is wrong with one of several is yielded in its place; a single one
    raises.
    """
    names = list(files) or ([Path(STANDARD_INPUT)] if call.input is not None else [])
    if not names:
        raise Invalid(
            "there is no picture: name files, or give one on standard input",
            suggestion="ipfs-accel infer image classify photo.jpg",
        )

    def read() -> Iterator[Picture | Unread]:
        for name in names:
            call.check()
            try:
                yield read_picture(name, call, frame=frame, longest=longest)
            except AccelError as error:
                if len(names) == 1:
                    raise
                yield Unread(str(name), error)

    return read()


def read_picture(file: Path, call: Call, *, frame: int = 0, longest: int = LONGEST_SIDE) -> Picture:
    """Return one picture, no side longer than `longest`; `-` is the caller's input.

    Raises NotFound; MalformedContent for what is damaged or no picture; LimitReached before anything is decoded that
    would take more than 512 MiB; and Invalid for a frame that it does not have.
    """
    with opened(file, call) as (image, name):
        return _picture(image, name, frame, longest)


def picture_in(stream: BinaryIO, name: str, *, longest: int = LONGEST_SIDE) -> Picture:
    """Return the picture, or the first one, that a file holds; raises as `read_picture`."""
    _bound(stream.seek(0, io.SEEK_END), name)
    stream.seek(0)
    with closing(identified(stream, name)) as image:
        return _picture(image, name, 0, longest)


def _picture(image: Image, name: str, frame: int, longest: int) -> Picture:
    import numpy

    frames = seek(image, name, frame)
    turned = orientation(image) >= _FIRST_TURNED
    width, height = (image.height, image.width) if turned else image.size
    shrink(image, name, longest)
    with decoding(name):
        image.load()
        upright = in_colour(transposed(smaller(image, longest)), name)
    return Picture(name, numpy.asarray(upright), width, height, image.format or "", frames)


@contextmanager
def opened(file: Path, call: Call) -> Iterator[tuple[Image, str]]:
    """Open a picture, of which no pixel is decoded yet, for the block; raises as `read_picture`."""
    name = "standard input" if str(file) == STANDARD_INPUT else str(file)
    with _bytes(file, call, name) as stream:
        image = identified(stream, name)
        try:
            yield image, name
        finally:
            image.close()


def identified(stream: BinaryIO, name: str) -> Image:
    """Return what a file holds by its first bytes, its size checked; raises as `read_picture`.

    Pillow's own `open` refuses by the number of pixels, which says nothing of a JPEG that is decoded smaller.
    """
    from PIL import Image

    Image.init()
    prefix = stream.read(_PREFIX_BYTES)
    stream.seek(0)
    if not prefix:
        raise MalformedContent(f"{name} is empty")
    with decoding(name):
        for format_ in FORMATS:
            factory, accepts = Image.OPEN[format_]
            # A decoder that Pillow was built without says so in words.
            if accepts is not None and accepts(prefix) not in (False, None) and not isinstance(accepts(prefix), str):
                return factory(stream, "")
    raise MalformedContent(
        f"{name} is no picture of a kind that is read here: {', '.join(FORMATS)}",
        suggestion="convert it to PNG or JPEG",
    )


def seek(image: Image, name: str, frame: int) -> int:
    """Go to a frame of an animation, counted from 0; returns how many there are."""
    with decoding(name):
        frames: int = getattr(image, "n_frames", 1)
        if not 0 <= frame < frames:
            raise Invalid(f"{name} has {frames} frame{'s' if frames > 1 else ''}; there is no --frame {frame}")
        _check(image, name)
        if frame:
            image.seek(frame)
    return frames


def shrink(image: Image, name: str, longest: int) -> None:
    """Have a JPEG decoded at a fraction of its size, still no side shorter than it will be; then check the bound."""
    factor = max(image.size) / longest
    if image.format == "JPEG" and factor > 1:
        # `draft` keeps both sides at least as long as asked for.
        image.draft(None, (math.ceil(image.width / factor), math.ceil(image.height / factor)))
    _check(image, name, drafted=True)


def smaller(image: Image, longest: int) -> Image:
    """Return the picture with no side longer than `longest`."""
    if max(image.size) <= longest:
        return image
    # Between the numbers of a palette there is nothing to mix.
    found = image.convert("RGBA" if has_alpha(image) else "RGB") if image.mode in ("P", "PA", "1") else image
    found.thumbnail((longest, longest), reducing_gap=2.0)
    return found


def orientation(image: Image) -> int:
    """Return how the camera was held, 1 to 8, as EXIF says it; 1 where it says nothing sensible."""
    found: Any = None
    with suppress(OSError, ValueError, TypeError, SyntaxError, struct.error, KeyError):
        found = image.getexif().get(_ORIENTATION)
    return found if isinstance(found, int) and 1 <= found <= _LAST else 1


def transposed(image: Image) -> Image:
    """Return the picture upright."""
    from PIL.Image import Transpose

    turns = (
        Transpose.FLIP_LEFT_RIGHT,
        Transpose.ROTATE_180,
        Transpose.FLIP_TOP_BOTTOM,
        Transpose.TRANSPOSE,
        Transpose.ROTATE_270,
        Transpose.TRANSVERSE,
        Transpose.ROTATE_90,
    )
    found = orientation(image)
    return image if found == 1 else image.transpose(turns[found - 2])


_ORIENTATION = 0x0112
_FIRST_TURNED, _LAST = 5, 8


@contextmanager
def decoding(name: str) -> Iterator[None]:
    """Say what Pillow's decoders raise in our own errors; they fail in any way they like."""
    try:
        yield
    except AccelError:
        raise
    except MemoryError as error:
        raise LimitReached(f"{name}: memory ran out while it was decoded") from error
    except Exception as error:
        if type(error).__name__ == "DecompressionBombError":
            raise LimitReached(f"{name}: {error}") from error
        raise MalformedContent(f"{name} is damaged: {error or type(error).__name__}") from error


def _check(image: Image, name: str, *, drafted: bool = False) -> None:
    width, height = image.size
    if image.format == "JPEG" and not drafted:
        return
    decoded = width * height * _BYTES_A_PIXEL.get(image.mode, 4)
    if decoded > LARGEST_DECODED_BYTES:
        raise LimitReached(
            f"{name} has {width} x {height} pixels, {human_bytes(decoded)} when decoded; "
            f"at most {human_bytes(LARGEST_DECODED_BYTES)} are",
            suggestion="make it smaller, or a JPEG, which is decoded at a fraction of its size",
        )


@contextmanager
def _bytes(file: Path, call: Call, name: str) -> Iterator[BinaryIO]:
    if str(file) == STANDARD_INPUT:
        if call.input is None:
            raise Invalid("there is nothing on standard input")
        try:
            with call.input() as stream:
                data = stream.read(LARGEST_FILE_BYTES + 1)
        except ValueError as error:  # It was closed when its end was reached.
            raise Invalid("standard input can be read once, and two pictures were to come from it") from error
        _bound(len(data), name)
        yield io.BytesIO(data)
        return
    path = call.path(file)
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"no file {str(path)!r}", suggestion="ls " + str(path.parent)) from error
    except OSError as error:
        raise Invalid(f"cannot read {str(path)!r}: {error.strerror}") from error
    with stream:
        _bound(path.stat().st_size, name)
        yield stream


def _bound(size_bytes: int, name: str) -> None:
    if size_bytes > LARGEST_FILE_BYTES:
        raise LimitReached(f"{name} is larger than {human_bytes(LARGEST_FILE_BYTES)}")
