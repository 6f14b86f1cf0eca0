"""Requests are signed as botocore signs them, and asked only where that is so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Unavailable
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_bodies import sending
from ipfs_accel_cli.core.s3_direct import Direct, answered
from ipfs_accel_cli.core.s3_places import Keys, Place
from ipfs_accel_cli.core.s3_signing import Signer, quoted

MOMENT = datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC)
botocore = pytest.importorskip("botocore")
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


def login(token: str | None = None) -> object:
    from botocore.credentials import ReadOnlyCredentials

    return ReadOnlyCredentials("AKTEST", "SK/TEST+1", token)


def theirs(method: str, url: str, headers: dict[str, str], token: str | None) -> str:
    from botocore import auth
    from botocore.awsrequest import AWSRequest
    from botocore.config import Config

    request = AWSRequest(method, url, headers=headers)
    request.context["client_config"] = Config(s3={"payload_signing_enabled": False})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "get_current_datetime", lambda: MOMENT)
        auth.S3SigV4Auth(login(token), "s3", "eu-west-1").add_auth(request)
    return str(request.headers["Authorization"])


@settings(max_examples=60, deadline=None)
@given(
    key=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20),
    query=st.dictionaries(WORDS.filter(bool), WORDS, max_size=3),
    value=WORDS,
    token=st.none() | st.just("a+token/=="),
)
def test_a_signature_is_that_of_botocore(key: str, query: dict[str, str], value: str, token: str | None) -> None:
    signer = Signer("eu-west-1", lambda: login(token), lambda: MOMENT)  # type: ignore[arg-type, return-value]
    path = f"/models/{quoted(key, slashes=True)}"
    headers = {"x-amz-meta-a": value, "if-none-match": "*"}
    text, signed = signer.signed("PUT", "here:8333", path, query, headers)
    assert signed["authorization"] == theirs("PUT", f"http://here:8333{path}?{text}", headers, token)


def where(**place: str | None) -> Direct | None:
    bucket = Bucket(Place("models", region="eu-west-1", **place), lambda: Keys("AKTEST", "SKTEST"))  # type: ignore[arg-type]
    return bucket._straight()


def test_where_a_bucket_is_is_what_botocore_would_ask() -> None:
    own, amazon = where(endpoint="http://127.0.0.1:8333"), where()

    assert own is not None
    assert (own.server, own.before, own.signer.region) == ("http://127.0.0.1:8333", "/models", "eu-west-1")
    assert amazon is not None
    assert (amazon.host, amazon.before) == ("models.s3.eu-west-1.amazonaws.com", "")
    question = amazon.question("head_object", {"Key": "a b/ü"})
    assert question is not None
    assert question.url == "https://models.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC"


def test_what_is_signed_otherwise_or_not_known_is_left_to_botocore() -> None:
    assert where(endpoint="http://127.0.0.1:8333", anonymous=True) is None  # type: ignore[arg-type]
    own = where(endpoint="http://127.0.0.1:8333")
    assert own is not None
    assert own.question("delete_object", {"Key": "one"}) is None
    assert own.question("put_object", {"Key": "one", "Body": sending(b""), "ACL": "private"}) is None
    assert own.question("put_object", {"Key": "one", "Body": sending(b""), "Metadata": {"a": "ü"}}) is None


@pytest.mark.parametrize("page", [b"", b"<html></html>", b"<ListBucketResult><Contents/></ListBucketResult>", b"{}"])
def test_a_page_that_is_no_list_is_not_an_empty_one(page: bytes) -> None:
    with pytest.raises(Unavailable):
        answered("list_objects_v2", {}, page, "bucket")


def test_a_put_without_a_tag_was_none() -> None:
    with pytest.raises(Unavailable):
        answered("put_object", {"content-type": "text/html"}, b"", "bucket")
