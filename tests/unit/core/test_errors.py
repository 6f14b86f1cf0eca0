from __future__ import annotations

import errno

import pytest

from ipfs_accel_cli.content.errors import Malformed, Mismatch
from ipfs_accel_cli.core import errors

EXITS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 130}


def test_every_code_is_used_by_one_class_only() -> None:
    classes = [errors.AccelError]
    for error in classes:
        classes.extend(error.__subclasses__())
    codes = [error.code for error in classes if error.__module__ == errors.__name__]
    assert len(codes) == len(set(codes)) == len(errors.error_kinds())


@pytest.mark.parametrize("error", errors.error_kinds().values(), ids=lambda error: error.code)
def test_an_error_has_a_known_exit_a_meaning_and_a_remedy(error: type[errors.AccelError]) -> None:
    assert error.exit_code in EXITS
    assert 200 <= error.status < 600
    assert error.__doc__
    assert error.__doc__.strip().endswith(".")
    assert error.remedy.endswith(".")


def test_codes_and_exits_have_not_changed() -> None:
    assert {code: error.exit_code for code, error in errors.error_kinds().items()} == {
        "internal": 1,
        "remote-failed": 1,
        "invalid-input": 2,
        "not-found": 3,
        "malformed-content": 4,
        "unsafe-content": 4,
        "verification-failed": 4,
        "regressed": 4,
        "not-good-enough": 4,
        "try-again": 5,
        "home-unusable": 6,
        "missing-extra": 6,
        "offline": 6,
        "unavailable": 6,
        "unsupported": 6,
        "not-authorised": 7,
        "disk-full": 8,
        "does-not-fit": 8,
        "limit-reached": 8,
        "nothing-to-do": 9,
        "conflict": 10,
        "some-failed": 11,
        "cancelled": 130,
    }


def test_a_problem_leaves_out_what_is_not_known() -> None:
    problem = errors.NotFound("no model", suggestion="ipfs-accel model ls", name="x").problem()
    assert problem == {
        "type": "urn:ipfs-accel:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "no model",
        "code": "not-found",
        "retryable": False,
        "suggestion": "ipfs-accel model ls",
        "context": {"name": "x"},
    }


def test_foreign_errors_of_certain_meaning_become_ours() -> None:
    assert isinstance(errors.classified(Malformed("a CID")), errors.MalformedContent)
    full = errors.classified(OSError(errno.ENOSPC, "no space", "file"))
    assert isinstance(full, errors.DiskFull)
    assert "file" in full.detail
    assert isinstance(errors.classified(KeyboardInterrupt()), errors.Cancelled)
    missing = errors.classified(ModuleNotFoundError("No module named 'no_such'", name="no_such.part"))
    assert isinstance(missing, errors.MissingExtra)
    assert missing.suggestion == "pip install no-such"
    assert errors.classified(ModuleNotFoundError("ours", name="ipfs_accel_cli.gone")) is None
    assert errors.classified(ValueError("x")) is None
    assert issubclass(Mismatch, ValueError)
