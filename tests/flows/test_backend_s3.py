"""A bucket as a backend when things go wrong: what a user must never lose, and never be told wrongly."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.backends.base import Body, Config, Sweeps
from ipfs_accel_cli.backends.registry import backend_for, checked
from ipfs_accel_cli.backends.s3 import listing
from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.core import http, retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotAuthorised, NotFound, TryAgain, Unavailable
from tests.conformance.backend_suite import SMALL, body
from tests.servers.s3_faults import Shady, shady
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, Seaweed

PART = 8 << 20
LARGE = os.urandom(PART + 500_000)
PARTS = 2
LONG = 128 << 20


@pytest.fixture
def site(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shady]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    with shady(seaweed) as served:
        yield served


@pytest.fixture
def bucket(site: Shady, tmp_path: Path) -> S3Backend:
    return backend(site, tmp_path / "notes")


def backend(site: Shady, folder: Path, secret: str = f"{ACCESS_KEY}:{SECRET_KEY}", **options: str) -> S3Backend:
    given = {"bucket": BUCKET, "prefix": site.prefix, "endpoint": site.url} | options
    made = backend_for("s3", Config("far", given, folder, lambda: secret))
    assert isinstance(made, S3Backend)
    return made


def unfinished(site: Shady) -> list[str]:
    listed = site.owner().list_multipart_uploads(Bucket=BUCKET, Prefix=f"{site.prefix}/")
    return [upload["Key"].removeprefix(f"{site.prefix}/") for upload in listed.get("Uploads", ())]


def lies(site: Shady, key: str, data: bytes) -> None:
    """Put an object as another tool does, without a word on its digest."""
    site.owner().put_object(Bucket=BUCKET, Key=f"{site.prefix}/{key}", Body=data)


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_what_the_server_has_checked_is_proven_and_its_digest_known(
    site: Shady, bucket: S3Backend, data: bytes
) -> None:
    assert bucket.put(body(data), "one").proof == "checksum"
    found = bucket.stat("one")

    assert found is not None
    assert found.sha256 == hashlib.sha256(data).digest()
    assert bucket.put(body(data), "one").proof == "checksum"
    assert len(site.asked("PUT", "/one")) == (1 if data is SMALL else PARTS)
    assert unfinished(site) == []


@pytest.mark.parametrize("echoes", [False, True], ids=["silent", "echoes"])
@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_a_server_that_does_not_look_at_digests_proves_nothing(
    site: Shady, bucket: S3Backend, data: bytes, echoes: bool
) -> None:
    site.ignores, site.echoes = True, echoes

    assert bucket.put(body(data), "one").proof == "none"
    assert b"".join(bucket.open("one")) == data
    assert bucket.put(body(data), "one").proof == "none"
    with pytest.raises(Conflict):
        bucket.put(body(data[::-1]), "one")
    assert b"".join(bucket.open("one")) == data


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_what_another_tool_put_is_read_before_it_is_called_the_same(
    site: Shady, bucket: S3Backend, data: bytes
) -> None:
    lies(site, "one", data)

    assert bucket.put(body(data), "one").proof == "checksum"
    assert site.asked("PUT", "/one") == []
    lies(site, "one", data[::-1])
    with pytest.raises(Conflict):
        bucket.put(body(data), "one")


@pytest.mark.parametrize(("data", "last"), [(SMALL, "PUT"), (LARGE, "POST uploadId")], ids=["small", "large"])
def test_whoever_is_first_in_the_meantime_is_never_overwritten(
    site: Shady, bucket: S3Backend, data: bytes, last: str
) -> None:
    site.first[last] = lambda: lies(site, "one", data[::-1])
    with pytest.raises(Conflict):
        bucket.put(body(data), "one")
    assert b"".join(bucket.open("one")) == data[::-1]

    site.first[last] = lambda: lies(site, "two", data)
    assert bucket.put(body(data), "two").proof == "checksum"
    assert unfinished(site) == []


@pytest.mark.parametrize(("data", "last"), [(SMALL, "PUT"), (LARGE, "POST uploadId")], ids=["small", "large"])
def test_a_lost_answer_is_no_lost_file(site: Shady, bucket: S3Backend, data: bytes, last: str) -> None:
    site.loses.append(last)

    assert bucket.put(body(data), "one").proof == "checksum"
    assert site.loses == []
    assert b"".join(bucket.open("one")) == data


@pytest.mark.parametrize(("data", "which"), [(SMALL, "PUT"), (LARGE, "PUT partNumber")], ids=["small", "large"])
def test_bytes_that_change_on_their_way_are_sent_again(site: Shady, bucket: S3Backend, data: bytes, which: str) -> None:
    site.spoils.append(which)

    assert bucket.put(body(data), "one").proof == "checksum"
    assert site.spoils == []
    assert b"".join(bucket.open("one")) == data


def test_an_upload_that_was_killed_goes_on_with_the_parts_that_are_missing(
    site: Shady, tmp_path: Path, bucket: S3Backend
) -> None:
    data = os.urandom(4 * PART + 1000)
    (tmp_path / "data").write_bytes(data)
    process = child(site, tmp_path)

    def die() -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()
        raise ConnectionResetError

    site.first["POST uploadId"] = die
    while (noted := parts_noted(tmp_path)) < 1 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert bucket.stat("one") is None
    noted = parts_noted(tmp_path)
    site.log.clear()

    assert bucket.put(body(data), "one").proof == "checksum"
    assert len(site.asked("PUT", "partNumber=")) <= 7 + 1 - noted  # and one that asks whether digests are checked
    assert b"".join(bucket.open("one")) == data
    assert (unfinished(site), list((tmp_path / "notes").glob("*.upload"))) == ([], [])


def test_parts_that_became_others_are_sent_again(site: Shady, tmp_path: Path, bucket: S3Backend) -> None:
    stop_after(site, bucket, "one")
    (note,) = bucket._notes.all()
    where = {"Bucket": BUCKET, "Key": f"{site.prefix}/one", "UploadId": note.upload_id}
    site.owner().upload_part(**where, PartNumber=1, Body=b"x" * PART, ChecksumAlgorithm="SHA256")

    assert bucket.put(body(LARGE), "one").proof == "checksum"
    assert b"".join(bucket.open("one")) == LARGE


@pytest.mark.parametrize("spoilt", ["aborted", "cut", "nonsense"])
def test_an_upload_that_cannot_go_on_begins_anew(site: Shady, tmp_path: Path, bucket: S3Backend, spoilt: str) -> None:
    stop_after(site, bucket, "one")
    (note,) = (tmp_path / "notes").glob("*.upload")
    if spoilt == "aborted":
        upload_id = next(iter(bucket._notes.all())).upload_id
        site.owner().abort_multipart_upload(Bucket=BUCKET, Key=f"{site.prefix}/one", UploadId=upload_id)
    elif spoilt == "cut":
        note.write_bytes(note.read_bytes()[:-7])
    else:
        note.write_bytes(b"\xff\x00{}")

    assert bucket.put(body(LARGE), "one").proof == "checksum"
    assert b"".join(bucket.open("one")) == LARGE


def test_a_part_that_is_called_the_whole_is_not_taken_for_it(site: Shady, bucket: S3Backend) -> None:
    site.calls_all_200 = True
    bucket.put(body(SMALL), "one")

    assert b"".join(bucket.open("one", 2, 3)) == SMALL[2:5]
    assert b"".join(bucket.open("one", 2)) == SMALL[2:]


def test_what_was_never_finished_is_swept_unless_it_can_go_on(site: Shady, bucket: S3Backend, seaweed: Seaweed) -> None:
    stop_after(site, bucket, "mine")
    client = seaweed.client()
    for key in (f"{site.prefix}/theirs", f"{site.prefix}-not/theirs"):
        client.create_multipart_upload(Bucket=BUCKET, Key=key)

    assert isinstance(bucket, Sweeps)
    assert bucket.sweep(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert sorted(unfinished(site)) == ["mine", "theirs"]
    assert bucket.sweep(datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert unfinished(site) == ["mine"]
    assert bucket.put(body(LARGE), "mine").proof == "checksum"


def test_two_processes_with_one_large_file_both_end_well(site: Shady, tmp_path: Path, bucket: S3Backend) -> None:
    (tmp_path / "data").write_bytes(LARGE)
    ended = [child(site, tmp_path) for _ in range(2)]

    assert {process.wait() for process in ended} == {0}
    assert b"".join(bucket.open("one")) == LARGE
    assert unfinished(site) == []


def test_a_large_file_is_never_in_memory(site: Shady, tmp_path: Path, seaweed: Seaweed) -> None:
    with (tmp_path / "data").open("wb") as file:
        file.truncate(LONG)
    site.url = seaweed.url  # The one that stands between would need memory too, and time.
    process = child(site, tmp_path)
    told = process.communicate()[0]

    assert process.returncode == 0
    assert int(told) < LONG // 2
    seaweed.client().delete_object(Bucket=BUCKET, Key=f"{site.prefix}/one")


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


def stop_after(site: Shady, bucket: S3Backend, key: str) -> None:
    """Begin an upload of LARGE that breaks off when its first part was read."""
    whole = body(LARGE)

    def breaking(offset: int, length: int | None) -> Iterator[Any]:
        for number, piece in enumerate(whole.read(offset, length)):
            if number * 100_000 > PART:
                raise TryAgain("the other side broke off")
            yield piece

    with pytest.raises(TryAgain, match="broke off"):
        bucket.put(Body(whole.size_bytes, whole.sha256, breaking), key)


def parts_noted(folder: Path) -> int:
    return sum(path.read_text().count('"part"') for path in (folder / "notes").glob("*.upload"))


def child(site: Shady, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.flows.test_backend_s3", site.url, site.prefix, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def main(url: str, prefix: str, folder: Path) -> None:
    """Put the file `data` of a folder and tell by how many bytes the memory of this process has grown at most."""
    file = (folder / "data").open("rb")
    size_bytes = os.fstat(file.fileno()).st_size
    digest = hashlib.file_digest(file, "sha256").digest()

    def read(offset: int, length: int | None) -> Iterator[bytes]:
        end = size_bytes if length is None else offset + length
        while offset < end:
            piece = os.pread(file.fileno(), min(1 << 20, end - offset), offset)
            offset += len(piece)
            yield piece

    site = Shady(Seaweed(0))
    site.url, site.prefix = url, prefix
    bucket = backend(site, folder / "notes")
    bucket.health()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bucket.put(Body(size_bytes, digest, read), "one")
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
