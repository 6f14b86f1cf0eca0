"""Pictures into files: whole or not at all, and nothing that is there is lost unasked."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.core.files import replacing, writing_into

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF"}
_ALSO = {"tif": "TIFF"}


def format_of(path: Path, asked: str | None = None) -> str:
    """Return the format by its name, else by the ending of a file's name; raises Invalid for others."""
    name = (asked or path.suffix.removeprefix(".")).lower()
    found = (FORMATS | _ALSO).get(name)
    if found is None:
        what = f"--to {asked}" if asked else f"the ending of {path.name!r}"
        raise Invalid(f"{what} names no format that is written here: {', '.join(FORMATS)}")
    return found


def refuse_existing(path: Path, *, force: bool) -> None:
    """Raise Conflict where there is a file already, NotFound where there is no folder to write into."""
    if path.is_dir():
        raise Conflict(f"{path} is a folder", suggestion="name a file")
    if path.exists() and not force:
        raise Conflict(f"{path} exists already; --force replaces it", suggestion="choose another name")
    if not path.parent.is_dir():
        raise NotFound(f"no folder {str(path.parent)!r}", suggestion=f"mkdir -p {path.parent}")


def write(image: Image, path: Path, format_: str, options: Mapping[str, Any] | None = None) -> int:
    """Write a picture and return how many bytes it takes; the file appears whole or not at all.

    Raises Invalid for a picture that the format cannot hold, such as WebP one of more than 16383 pixels a side.
    """
    encoded = io.BytesIO()
    try:
        _bare(image).save(encoded, format_, **(options or {}))
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise Invalid(
            f"{path.name} cannot be written as {format_} with {image.width} x {image.height} pixels: {error}"
        ) from error
    data = encoded.getvalue()
    with writing_into(path.parent), replacing(path) as file:
        file.write(data)
    return len(data)


def _bare(image: Image) -> Image:
    """Return the pixels alone: Pillow writes tags of the file that a picture was read from, such as where it was."""
    from PIL import Image as Images

    bare = Images.new(image.mode, image.size)
    bare.im = image.im
    return bare


class Targets:
    """Where the outcome of each of several pictures goes: one file, or a folder that keeps their names."""

    def __init__(self, output: Path, count: int, format_: str | None, *, force: bool) -> None:
        self._output, self._format, self._force = output, format_, force
        self._folder = output.is_dir() or count > 1
        self._given: set[Path] = set()
        if self._folder and not output.is_dir():
            raise NotFound(
                f"several pictures go into a folder, and there is no folder {str(output)!r}",
                suggestion=f"mkdir -p {output}",
            )
        if not self._folder:
            refuse_existing(output, force=force)
            format_of(output, format_)

    def of(self, name: str, known: str = "PNG") -> tuple[Path, str]:
        """Return the file for a picture and its format; `known` is the picture's own."""
        if not self._folder:
            return self._output, format_of(self._output, self._format)
        source, known = Path(name), "JPEG" if known == "MPO" else known
        chosen = format_of(source, self._format) if self._format else known
        ending = source.suffix if not self._format and source.suffix else f".{self._format or known.lower()}"
        path = self._output / f"{source.stem if source.suffix else source.name.replace(' ', '-')}{ending}"
        refuse_existing(path, force=self._force)
        if path in self._given:
            raise Conflict(f"another of the pictures is called {path.name} as well", suggestion="rename one of them")
        self._given.add(path)
        return path, chosen
