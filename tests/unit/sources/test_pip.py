"""What pip's complaints mean."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import AccelError, MissingExtra, NotAuthorised, NotFound, Offline, TryAgain, Unavailable
from ipfs_accel_cli.core.errors import VerificationFailed as Failed
from ipfs_accel_cli.sources import pip

NOTHING = "ERROR: No matching distribution found for x"
UNFETCHED = "2026-01-01T00:00:00,000 Could not fetch URL http://host/simple/x/: "


@pytest.mark.parametrize(
    ("complaint", "kind"),
    [
        (NOTHING, NotFound),
        (f"{UNFETCHED}404 Client Error: Not Found for url - skipping\n{NOTHING}", NotFound),
        (f"{UNFETCHED}401 Client Error: Unauthorized - skipping\n{NOTHING}", NotAuthorised),
        (f"{UNFETCHED}503 Server Error: Busy - skipping\n{NOTHING}", TryAgain),
        (f"{UNFETCHED}connection error: [Errno 111] Connection refused - skipping\n{NOTHING}", Unavailable),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", Failed),
        ("/bin/python: No module named pip", MissingExtra),
        ("", Unavailable),
    ],
)
def test_a_complaint_becomes_its_error(complaint: str, kind: type[AccelError]) -> None:
    assert type(pip._problem("x", complaint)) is kind


def test_one_index_that_lacks_a_package_does_not_hide_another_that_is_down() -> None:
    complaint = f"{UNFETCHED}404 Client Error - skipping\n{UNFETCHED}connection error: Connection refused\n{NOTHING}"

    assert isinstance(pip._problem("x", complaint), Unavailable)


def test_passwords_are_blotted_out() -> None:
    problem = pip._problem("x", "ERROR: cannot open https://me:secret@host/simple/ at all")

    assert "secret" not in str(problem.problem())


def test_offline_starts_no_program() -> None:
    with using(Call(offline=True)), pytest.raises(Offline):
        pip.find("x")
