"""One request that fails in a session harms none of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy
import pytest

from ipfs_accel_cli.core.errors import AccelError, MalformedContent, Unavailable
from ipfs_accel_cli.engines.base import Request, RequestId, Session
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.stepwise import StepwiseSession
from ipfs_accel_cli.engines.vision import VisionSession


def _look(positions: tuple[int, ...], images: Sequence[numpy.ndarray], _options: object) -> object:
    if images[0].shape[0] == 1:
        raise ValueError("the library cannot\nbear one row")
    if images[0].shape[0] == 2:
        raise MalformedContent("values that are no numbers")
    return positions


def _vision() -> Session:
    return VisionSession("eyes", "image-classify", _look)


def _stepwise() -> Session:
    return StepwiseSession(
        "eyes", "image-classify", (Images, ImageOptions), lambda asked, _: [lambda: _look((0,), asked.images, None)]
    )


def _request(rows: int) -> Request:
    return Request("image-classify", Images((numpy.zeros((rows, 4, 3), numpy.uint8),)), ImageOptions())


@pytest.mark.parametrize("make", [_vision, _stepwise])
@pytest.mark.parametrize(("rows", "kind"), [(1, Unavailable), (2, MalformedContent)])
def test_a_request_that_fails_ends_alone(make: type[Session], rows: int, kind: type[AccelError]) -> None:
    session, bad, good = make(), _request(rows), _request(8)
    for request in (bad, good):
        session.submit(request)
    answers: dict[RequestId, object] = {request: chunk.data for request, chunk in session.step() if chunk.finished}
    assert isinstance(answers[bad.id], kind)
    assert "\n" not in answers[bad.id].detail
    assert answers[good.id] == (0,)
    assert not session.step()
