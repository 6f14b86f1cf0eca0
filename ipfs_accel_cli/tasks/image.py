"""The tasks of pictures: labels, vectors, boxes, regions and lines of text, one answer for each picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.image import Boxes, FindOptions, ImageOptions, Images, Lines, Regions
from ipfs_accel_cli.engines.exchange.text import Scores, Vectors

LARGEST_BATCH = 256
Found = TypeVar("Found", Boxes, Regions, Lines)
Rows = TypeVar("Rows", Scores, Vectors)


class ImageClassify:
    """Pictures in, a score of each label out."""

    name = "image-classify"

    def prepare(self, inputs: Images, options: ImageOptions) -> Request:
        """Return a request for one or more pictures."""
        return _request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Scores:
        """Return all scores, float32, shape (pictures, labels)."""
        parts = _parts(chunks, Scores)
        return Scores(*_rows(parts), parts[0].labels)


class ImageEmbed:
    """Pictures in, one vector each out."""

    name = "image-embed"

    def prepare(self, inputs: Images, options: ImageOptions) -> Request:
        """Return a request for one or more pictures."""
        return _request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Vectors:
        """Return all vectors, float32, shape (pictures, dimensions)."""
        parts = _parts(chunks, Vectors)
        return Vectors(*_rows(parts), parts[0].pooling)


class ImageDetect:
    """Pictures in, boxes around things out."""

    name = "image-detect"

    def prepare(self, inputs: Images, options: FindOptions) -> Request:
        """Return a request for one or more pictures."""
        return _finding(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Boxes:
        """Return the boxes of all pictures."""
        return _found(chunks, Boxes)


class ImageSegment:
    """Pictures in, the pixels that show things out."""

    name = "image-segment"

    def prepare(self, inputs: Images, options: FindOptions) -> Request:
        """Return a request for one or more pictures."""
        return _finding(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Regions:
        """Return the regions of all pictures."""
        return _found(chunks, Regions)


class ImageOcr:
    """Pictures in, the lines of text in them out."""

    name = "image-ocr"

    def prepare(self, inputs: Images, options: FindOptions) -> Request:
        """Return a request for one or more pictures."""
        return _finding(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Lines:
        """Return the lines of all pictures."""
        return _found(chunks, Lines)


def _finding(name: str, inputs: Images, options: FindOptions) -> Request:
    if not 0 <= options.threshold <= 1:
        raise Invalid(f"a threshold lies between 0 and 1, not at {options.threshold}")
    return _request(name, inputs, options)


def _request(name: str, inputs: Images, options: ImageOptions | FindOptions) -> Request:
    if not inputs.images:
        raise Invalid("there is no picture")
    if not 1 <= options.batch <= LARGEST_BATCH:
        raise Invalid(f"a batch holds 1 to {LARGEST_BATCH} pictures, not {options.batch}")
    return Request(name, inputs, options)


T = TypeVar("T")


def _parts(chunks: Iterable[Chunk], kind: type[T]) -> list[T]:
    parts = [chunk.data for chunk in chunks if isinstance(chunk.data, kind)]
    if not parts:
        raise ValueError(f"no chunk holds {kind.__name__}")
    return parts


def _rows(parts: list[Rows]) -> tuple[tuple[int, ...], numpy.ndarray]:
    positions = numpy.concatenate([numpy.array(part.positions, dtype=numpy.int64) for part in parts])
    rows = numpy.concatenate([part.rows for part in parts])[numpy.argsort(positions)]
    return tuple(range(len(rows))), rows


def _found(chunks: Iterable[Chunk], kind: type[Found]) -> Found:
    pairs = sorted(
        ((at, one) for part in _parts(chunks, kind) for at, one in zip(part.positions, part.found, strict=True)),
        key=lambda pair: pair[0],
    )
    return kind(tuple(at for at, _ in pairs), tuple(one for _, one in pairs))
