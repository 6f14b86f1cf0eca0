"""Trying again: how often, and when not."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import NotFound, TryAgain


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.001)


def attempts(*errors: Exception) -> tuple[list[int], Exception | str]:
    made: list[int] = []

    def work() -> str:
        made.append(len(made))
        if len(made) <= len(errors):
            raise errors[len(made) - 1]
        return "done"

    try:
        return made, retry.patiently(work)
    except Exception as error:
        return made, error


def test_what_works_at_last_is_returned() -> None:
    assert attempts(TryAgain("busy"), TryAgain("busy", retry_after_s=0)) == ([0, 1, 2], "done")


def test_what_stays_busy_is_given_up() -> None:
    made, error = attempts(*(TryAgain("busy") for _ in range(10)))
    assert len(made) == retry.MAX_ATTEMPTS
    assert isinstance(error, TryAgain)


def test_what_a_retry_cannot_help_is_not_tried_again() -> None:
    made, error = attempts(NotFound("gone"))
    assert made == [0]
    assert isinstance(error, NotFound)


def test_a_server_that_asks_for_an_hour_is_not_asked_before() -> None:
    made, error = attempts(TryAgain("busy", retry_after_s=3600))
    assert made == [0]
    assert isinstance(error, TryAgain)
