"""What servers' answers mean, and where callers other than the owner may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from ipfs_accel_cli.core import http
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Invalid

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
    ],
)
def test_a_server_asks_to_wait_in_seconds_or_until_a_date(value: str, seconds: int | None) -> None:
    assert http.retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:7f00:1::", False),
    ],
)
def test_what_is_no_address_of_the_public_internet_is_known_in_every_disguise(address: str, public: bool) -> None:
    assert http.is_public(address) is public


def test_a_netrc_file_that_cannot_be_read_is_named_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine example.org login me password hush\nhush2 hush3\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    with pytest.raises(Invalid, match="line") as raised:
        http.client(guarded=True)
    assert "hush" not in str(raised.value.problem())


def test_passwords_are_the_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine example.org login me password hush\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    with http.client(guarded=True) as own, using(Call(folders=())), http.client(guarded=True) as other:
        assert own.auth is not None
        assert other.auth is None
