"""Requests about pictures and their answers, without any engine."""

from __future__ import annotations

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk
from ipfs_accel_cli.engines.exchange.image import Box, Boxes, FindOptions, ImageOptions, Images
from ipfs_accel_cli.engines.exchange.text import Scores
from ipfs_accel_cli.tasks import TASKS

PICTURE = numpy.zeros((2, 2, 3), dtype=numpy.uint8)
NAMES = ("image-classify", "image-embed", "image-detect", "image-segment", "image-ocr")


@pytest.mark.parametrize("name", NAMES)
def test_no_picture_and_no_batch_are_invalid(name: str) -> None:
    task = TASKS.load(name)()
    options = ImageOptions if name in NAMES[:2] else FindOptions
    assert task.prepare(Images((PICTURE,)), options()).kind == name
    with pytest.raises(Invalid, match="no picture"):
        task.prepare(Images(()), options())
    with pytest.raises(Invalid, match="batch"):
        task.prepare(Images((PICTURE,)), options(batch=0))


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_has_bounds(threshold: float) -> None:
    with pytest.raises(Invalid, match="threshold"):
        TASKS.load("image-detect")().prepare(Images((PICTURE,)), FindOptions(1, threshold))


def test_answers_come_back_in_the_order_of_the_pictures() -> None:
    boxes = [(Box(str(at), 1.0, 0, 0, 1, 1),) for at in range(3)]
    chunks = [Chunk(Boxes((2,), (boxes[2],))), Chunk(Boxes((0, 1), (boxes[0], boxes[1])), finished=True)]
    assert TASKS.load("image-detect")().collect(chunks).found == tuple(boxes)
    rows = numpy.array([[2.0], [0.0], [1.0]], dtype=numpy.float32)
    parts = [Chunk(Scores((2, 0), rows[:2], ("a",))), Chunk(Scores((1,), rows[2:], ("a",)), finished=True)]
    assert TASKS.load("image-classify")().collect(parts).rows.ravel().tolist() == [0, 1, 2]
