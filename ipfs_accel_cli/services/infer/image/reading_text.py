"""Text in pictures by a program that is not of ours."""

from __future__ import annotations

from collections.abc import Iterator

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.engines import tesseract
from ipfs_accel_cli.services.infer.failures import Failures
from ipfs_accel_cli.services.infer.image.answering import text_of
from ipfs_accel_cli.services.infer.image.reading import Picture, Unread
from ipfs_accel_cli.services.infer.image.results import PictureText
from ipfs_accel_cli.services.infer.image.run import seen
from ipfs_accel_cli.services.infer.image.writing import Targets


def by_tesseract(
    pictures: Iterator[Picture | Unread], languages: str, least: float, *, targets: Targets | None, boxes: bool
) -> Iterator[PictureText]:
    """Yield the text of every picture; raises as `tesseract.read_lines`, and SomeFailed at the end."""
    failures = Failures()
    for picture in pictures:
        if seen(picture, failures):
            lines = tesseract.read_lines(picture.pixels, languages, least)
            index = failures.count - 1
            yield text_of(index, picture, lines, targets, boxes=boxes, model=tesseract.NAME)
            current().progress(failures.count, None, "pictures")
    failures.end()
