"""Uploads to a bucket that break off, go on, meet another one, or are left behind."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.backends.base import Body, Sweeps
from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.core.errors import TryAgain
from tests.conformance.backend_suite import body
from tests.flows.s3.buckets import LARGE, LONG, PART, child, unfinished
from tests.servers.s3_faults import Shady
from tests.servers.seaweedfs import BUCKET, Seaweed


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
