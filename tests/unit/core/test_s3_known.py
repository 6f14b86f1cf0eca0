"""A bucket whose endpoint and keys were given is asked without botocore, at the address that botocore would take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import Invalid, Unavailable
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_direct import Direct, answered
from ipfs_accel_cli.core.s3_known import known
from ipfs_accel_cli.core.s3_places import Keys, Place

pytest.importorskip("botocore")
KEYS = Keys("AKTEST", "SKTEST", "a+token/==")
PLACES = [
    Place("models", "http://127.0.0.1:8333"),
    Place("models", "https://127.0.0.1:443", "eu-west-1"),
    Place("Models.2026_x", "https://Storage.example.org", "auto"),
    Place("models", "https://storage.example.org:9000/s3/v1", "garage"),
    Place("models", "http://[::1]:8333"),
]


@pytest.fixture(autouse=True)
def _nothing_else_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_CA_BUNDLE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def shown(direct: Direct | None) -> tuple[str, ...] | None:
    if direct is None:
        return None
    login = direct.signer.login()
    signed = (login.access_key, login.secret_key, str(login.token))
    return (direct.server, direct.host, direct.before, direct.signer.region, *signed)


@pytest.mark.parametrize("place", PLACES)
def test_the_address_is_that_of_botocore(place: Place) -> None:
    assert shown(known(place, KEYS)) is not None
    assert shown(known(place, KEYS)) == shown(Bucket(place, lambda: KEYS)._found())


@pytest.mark.parametrize(
    "place",
    [
        Place("models"),
        Place("models", "https://s3.eu-west-1.amazonaws.com"),
        Place("models", "https://s3-accelerate.amazonaws.com"),
        Place("models", "https://bucket.vpce-1.s3.us-east-1.vpce.amazonaws.com"),
        Place("models--use1-az4--x-s3", "https://storage.example.org"),
        Place("models", "https://storage.example.org", "aws-global"),
        Place("models", "https://storage.example.org", profile="work"),
        Place("models", "https://storage.example.org", anonymous=True),
        Place("models", "https://storage.example.org/a b"),
    ],
)
def test_what_only_botocore_knows_is_left_to_it(place: Place) -> None:
    assert known(place, KEYS) is None


def test_what_is_set_for_aws_is_heeded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert known(PLACES[0], None) is None
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert known(PLACES[0], KEYS) is None
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    (tmp_path / ".aws").mkdir()
    assert known(PLACES[0], KEYS) is None


def test_a_signature_does_not_go_over_an_open_line() -> None:
    with pytest.raises(Invalid, match="without encryption"):
        known(Place("models", "http://storage.example.org"), KEYS)


def test_beginning_and_ending_an_upload_are_asked_directly() -> None:
    direct = known(PLACES[0], KEYS)
    assert direct is not None
    given = {"Key": "a", "ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE", "Metadata": {"a": "b"}}
    begun = direct.question("create_multipart_upload", given)
    ended = direct.question("abort_multipart_upload", {"Key": "a", "UploadId": "u"})
    assert begun is not None
    assert ended is not None
    assert (begun.method, begun.url) == ("POST", "http://127.0.0.1:8333/models/a?uploads=")
    assert begun.headers["x-amz-checksum-algorithm"] == "SHA256"
    assert begun.headers["content-length"] == "0"
    assert (ended.method, ended.url) == ("DELETE", "http://127.0.0.1:8333/models/a?uploadId=u")


@pytest.mark.parametrize("page", [b"", b"<html/>", b"<InitiateMultipartUploadResult/>"])
def test_an_upload_without_a_name_was_not_begun(page: bytes) -> None:
    with pytest.raises(Unavailable):
        answered("create_multipart_upload", {}, page, "bucket")


def test_botocore_is_not_loaded_for_it() -> None:
    said = (
        "import sys; from ipfs_accel_cli.core.s3 import Bucket; from ipfs_accel_cli.core.s3_places import *\n"
        "bucket = Bucket(Place('models', 'http://127.0.0.1:8333'), lambda: Keys('a', 'b'))\n"
        "assert bucket._kept() is not None and bucket._straight() is not None\n"
        "print('botocore' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
