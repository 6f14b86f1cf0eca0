"""Who may use a bucket, what a refusal says, and what it lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.backends.registry import checked
from ipfs_accel_cli.backends.s3 import listing
from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.core import http
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Invalid, NotAuthorised, NotFound, Unavailable
from tests.conformance.backend_suite import SMALL, body
from tests.flows.s3.buckets import backend, lies
from tests.servers.s3_faults import Shady
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, Seaweed


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (403, "SignatureDoesNotMatch", "not valid there"),
        (403, "InvalidAccessKeyId", "not valid there"),
        (400, "ExpiredToken", "has ended"),
        (403, "RequestTimeTooSkewed", "clock of this machine is wrong"),
        (403, "AccessDenied", "AccessDenied"),
    ],
)
def test_a_refusal_says_what_is_wrong(site: Shady, bucket: S3Backend, status: int, code: str, says: str) -> None:
    site.refuses = status, code

    health = bucket.health()
    assert (health.reachable, health.writable) == (True, False)
    assert says in health.detail
    for work in (lambda: bucket.put(body(SMALL), "one"), lambda: next(bucket.open("one")), lambda: bucket.stat("one")):
        with pytest.raises(NotAuthorised, match=says) as raised:
            work()
        assert raised.value.suggestion
        assert not raised.value.suggestion.startswith("aws ")


def test_a_bucket_that_is_not_there_is_told(site: Shady, tmp_path: Path) -> None:
    bucket = backend(site, tmp_path, bucket="not-there")

    assert bucket.health().reachable is False
    for work in (lambda: bucket.put(body(SMALL), "one"), lambda: bucket.stat("one"), lambda: list(bucket.scan())):
        with pytest.raises(NotFound, match="no bucket 'not-there'"):
            work()


def test_long_listings_are_read_to_their_end_in_order(
    site: Shady, bucket: S3Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_OBJECTS", 3)
    keys = ["a&b", "a b", "b/1", "b/10", "b-side", "c+d", "d%20", "e/é", "f"]
    for key in keys:
        lies(site, key, b"x")
    lies(site, "folder/", b"")

    assert [one.key for one in bucket.scan()] == sorted(keys)
    monkeypatch.setattr(listing, "LOOKED_AT", 2)
    with pytest.raises(Unavailable, match="not its place"):
        list(bucket.scan())
    assert [one.key for one in bucket.scan("b/")] == ["b/1", "b/10"]


def test_only_the_owners_own_calls_are_signed_and_reach_this_machine(site: Shady, bucket: S3Backend) -> None:
    bucket.put(body(SMALL), "one")
    site.log.clear()
    with using(Call(folders=())), pytest.raises(NotAuthorised, match="not on the public internet"):
        bucket.stat("one")
    assert site.log == []
    assert bucket.stat("one") is not None


def test_a_stranger_is_not_signed_for(site: Shady, bucket: S3Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put(body(SMALL), "one")
    monkeypatch.setattr(http, "is_public", lambda address: True)

    with using(Call(folders=())), pytest.raises(NotAuthorised):
        next(bucket.open("one"))
    assert b"".join(bucket.open("one")) == SMALL


def test_an_anonymous_bucket_is_asked_without_a_signature(site: Shady, tmp_path: Path, seaweed: Seaweed) -> None:
    seaweed.client().put_object(Bucket="public", Key=f"{site.prefix}/one", Body=SMALL)
    bucket = backend(site, tmp_path, secret="", bucket="public", anonymous="true")

    assert b"".join(bucket.open("one")) == SMALL
    with pytest.raises(NotAuthorised):
        bucket.put(body(SMALL), "two")


def test_without_a_token_boto3s_own_places_are_read(
    site: Shady, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = f"[team]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
    (tmp_path / "credentials").write_text(written)
    for name, value in site.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    assert backend(site, tmp_path, secret="", profile="team").put(body(SMALL), "one").proof == "checksum"
    with pytest.raises(NotAuthorised):
        backend(site, tmp_path, secret="").put(body(SMALL), "one")


@pytest.mark.parametrize(
    "options",
    [
        {"endpoint": "ftp://here"},
        {"endpoint": "https://me:secret@here"},
        {"bucket": "a/b"},
        {"region": "a b"},
        {"anonymous": "maybe"},
        {"prefix": "../up"},
        {"prefix": "x" * 200},
    ],
)
def test_options_that_make_no_sense_are_refused(site: Shady, tmp_path: Path, options: dict[str, str]) -> None:
    with pytest.raises(Invalid) as raised:
        backend(site, tmp_path, **options)
    assert "secret" not in str(raised.value)


def test_a_token_that_is_none_is_refused_and_not_shown(site: Shady, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as raised:
        backend(site, tmp_path, secret="hunter2").health() and backend(site, tmp_path, secret="hunter2").stat("one")
    assert "hunter2" not in str(raised.value)
    checked("s3", {"bucket": "models"}, token=True)
    with pytest.raises(Invalid):
        checked("s3", {}, token=True)
