"""What the source for buckets makes of odd listings and of servers that are none of S3."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import Invalid, LimitReached, MissingExtra, NotFound, Unavailable, UnsafeContent
from ipfs_accel_cli.sources import s3
from ipfs_accel_cli.sources.reference import parse
from tests.servers.serving import Handler, Site, serving

TAG = '"0123456789abcdef0123456789abcdef"'


class Listing(Site):
    """Answers every listing with the same objects, by key and size, and a HEAD with the size of the key's object."""

    def __init__(self, objects: list[tuple[str, int]]) -> None:
        super().__init__()
        self.objects = objects
        self.answers: tuple[int, bytes, dict[str, str]] | None = None

    def answer(self, handler: Handler) -> None:
        if self.answers is not None:
            return handler.reply(*self.answers)
        if handler.command == "HEAD":
            sizes = [size for key, size in self.objects if handler.path == f"/models/{key}"]
            return handler.reply(200 if sizes else 404, b"0" * sum(sizes), {"ETag": TAG})
        entries = "".join(
            f"<Contents><Key>{key}</Key><Size>{size}</Size><ETag>{TAG}</ETag></Contents>" for key, size in self.objects
        )
        return handler.reply(200, f"<ListBucketResult>{entries}</ListBucketResult>".encode())


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listing]:
    pytest.importorskip("boto3")
    listing = Listing([])
    with serving(listing):
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", listing.url)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        yield listing


def paths(reference: str) -> list[str]:
    return [file.path for file in s3.S3Source().resolve(parse(reference)).files]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//x"])
def test_a_key_that_would_leave_the_folder_is_refused(site: Listing, name: str) -> None:
    site.objects = [(f"m/{name}", 1)]

    with pytest.raises(UnsafeContent):
        paths("s3://models/m")


def test_an_object_that_is_a_folder_as_well_is_refused_unless_it_is_empty(site: Listing) -> None:
    site.objects = [("m/a", 0), ("m/a/b", 1), ("m/c/", 0), ("other/d", 1)]
    assert paths("s3://models/m") == ["a/b"]

    site.objects = [("m/a", 1), ("m/a/b", 1)]
    with pytest.raises(UnsafeContent, match="both as an object and as a folder"):
        paths("s3://models/m")


def test_a_whole_bucket_of_very_many_objects_is_not_begun(site: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "MAX_OBJECTS", 2)
    site.objects = [("a", 1), ("b", 1), ("c", 1)]

    with pytest.raises(LimitReached, match="longer prefix"):
        paths("s3://models")


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html><p>not S3", {}),
        (301, b"", {"Location": "/elsewhere"}),
        (307, b"", {"Location": "/elsewhere"}),
        (200, b"<ListBucketResult><Contents><Key>m/a</Key></Contents></ListBucketResult>", {}),
        (418, b"", {}),
    ],
)
def test_a_server_that_is_none_of_s3_is_told_as_that(
    site: Listing, status: int, body: bytes, headers: dict[str, str]
) -> None:
    site.answers = status, body, headers

    with pytest.raises(Unavailable):
        paths("s3://models/m/")
    assert len(site.log) < 10


def test_an_endpoint_that_is_no_address_is_told(site: Listing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "nonsense")
    with pytest.raises(Invalid, match="nonsense"):
        paths("s3://models/m")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Invalid, match="nobody"):
        paths("s3://models/m")


def test_an_empty_bucket_holds_no_model(site: Listing) -> None:
    with pytest.raises(NotFound):
        paths("s3://models")


def test_without_boto3_the_line_that_installs_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore", None)

    with pytest.raises(MissingExtra) as raised:
        paths("s3://models/m")
    assert raised.value.suggestion == "pip install 'ipfs-accel[s3]'"
