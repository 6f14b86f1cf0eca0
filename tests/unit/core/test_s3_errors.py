"""What S3 servers answer when they refuse, and what is told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotAuthorised, NotFound, TryAgain, Unavailable
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_errors import of_page
from ipfs_accel_cli.core.s3_places import Keys, Place


def page(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>SECRET</Message></Error>".encode()


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (404, "NoSuchKey", NotFound, "404 NoSuchKey"),
        (404, "NoSuchBucket", NotFound, "no bucket 'models'"),
        (412, "PreconditionFailed", Conflict, "412"),
        (400, "BadDigest", TryAgain, "changed on their way"),
        (400, "ExpiredToken", NotAuthorised, "login has ended"),
        (403, "SignatureDoesNotMatch", NotAuthorised, "credentials are not valid"),
        (403, "AccessDenied", NotAuthorised, "403 AccessDenied"),
        (409, "ConditionalRequestConflict", TryAgain, "409"),
        (503, "SlowDown", TryAgain, "503 SlowDown"),
        (501, "NotImplemented", Unavailable, "501 NotImplemented"),
        (301, "PermanentRedirect", Unavailable, "another endpoint or region"),
    ],
)
def test_an_answer_means_one_of_our_errors(status: int, code: str, kind: type[AccelError], says: str) -> None:
    error = of_page(status, {}, page(code), "one", "models")

    assert type(error) is kind
    assert says in error.detail
    assert "SECRET" not in error.detail
    assert error.context.get("answer") == code


def test_a_wrong_clock_is_told_even_where_the_answer_has_no_words() -> None:
    then = {"date": format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)}
    error = of_page(403, then, b"", "one", "models")

    assert "the clock of this machine is wrong by 60 minutes" in error.detail
    assert error.suggestion == "date -u"


def test_a_busy_server_says_how_long_to_wait() -> None:
    assert of_page(503, {"retry-after": "7"}, page("SlowDown"), "one", "models").context["retry_after_s"] == 7


@pytest.mark.parametrize(
    ("endpoint", "keys", "command"),
    [
        (None, None, "aws configure"),
        ("https://s3.eu-west-1.amazonaws.com", None, "aws configure"),
        ("https://s3.example.org", None, "ours"),
        (None, "access:secret", "ours"),
    ],
)
def test_a_login_of_aws_alone_is_mended_by_its_own_tool(endpoint: str | None, keys: str | None, command: str) -> None:
    bucket = Bucket(Place("models", endpoint), lambda: Keys.of(keys) if keys else None, command="ours")

    assert bucket.login() == command
    assert of_page(403, {}, page("AccessDenied"), "one", "models", bucket.login()).suggestion == command


def test_keys_are_read_and_never_shown() -> None:
    keys = Keys.of("access:secret:session:with:colons")

    assert (keys.access, keys.secret, keys.session) == ("access", "secret", "session:with:colons")
    assert "secret" not in repr(keys)
    for text in ("access", ":secret", "access:"):
        with pytest.raises(Invalid) as raised:
            Keys.of(text)
        assert "secret" not in str(raised.value)
