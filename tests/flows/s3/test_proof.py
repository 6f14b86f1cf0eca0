"""A bucket as a backend: what it has is proven or said not to be, and nobody is overwritten."""

from __future__ import annotations

import hashlib

import pytest

from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.core.errors import Conflict
from tests.conformance.backend_suite import SMALL, body
from tests.flows.s3.buckets import LARGE, PARTS, lies, unfinished
from tests.servers.s3_faults import Shady


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


def test_a_part_that_is_called_the_whole_is_not_taken_for_it(site: Shady, bucket: S3Backend) -> None:
    site.calls_all_200 = True
    bucket.put(body(SMALL), "one")

    assert b"".join(bucket.open("one", 2, 3)) == SMALL[2:5]
    assert b"".join(bucket.open("one", 2)) == SMALL[2:]
