"""Small files: one request each, where the server was seen to keep what is there and to check what it is sent."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.backends.s3.trust import LOOKED_AT
from ipfs_accel_cli.backends.wrap import composed
from ipfs_accel_cli.core.errors import Conflict
from tests.conformance.backend_suite import SMALL, body
from tests.flows.s3.buckets import lies
from tests.servers.s3_faults import Shady


def learn(bucket: S3Backend, site: Shady) -> None:
    for n in range(LOOKED_AT):
        bucket.put(body(SMALL), f"early/{n}")
    site.log.clear()


def test_many_small_files_are_one_request_each_also_when_their_proof_is_wanted(site: Shady, bucket: S3Backend) -> None:
    learn(bucket, site)
    whole = composed(bucket)
    receipts = [whole.put(body(SMALL), f"late/{n}") for n in range(3)]  # type: ignore[attr-defined]

    assert [one.proof for one in receipts] == ["checksum"] * 3
    assert [line.split(" ")[0] for line in site.log] == ["PUT"] * 3
    listed = {one.key: one.etag for one in bucket.scan("late/")}
    assert [listed[one.locator] for one in receipts] == [one.etag for one in receipts]


def test_what_lies_there_is_never_overwritten_without_a_look(site: Shady, bucket: S3Backend) -> None:
    learn(bucket, site)
    lies(site, "one", SMALL[::-1])
    with pytest.raises(Conflict):
        bucket.put(body(SMALL), "one")
    assert b"".join(bucket.open("one")) == SMALL[::-1]

    again = bucket.put(body(SMALL), "early/0")
    assert (again.proof, again.new) == ("checksum", False)


@pytest.mark.parametrize("echoes", [False, True], ids=["silent", "echoes"])
def test_a_server_that_ignores_conditions_is_looked_at_before_each_put(
    site: Shady, bucket: S3Backend, echoes: bool
) -> None:
    site.ignores, site.echoes = True, echoes
    learn(bucket, site)
    lies(site, "one", SMALL[::-1])
    with pytest.raises(Conflict):
        bucket.put(body(SMALL), "one")
    assert site.asked("PUT", "/one") == []
    assert b"".join(bucket.open("one")) == SMALL[::-1]


def test_a_lost_answer_to_the_one_request_is_no_lost_file(site: Shady, bucket: S3Backend) -> None:
    learn(bucket, site)
    site.loses.append("PUT")

    assert bucket.put(body(SMALL), "one").proof == "checksum"
    assert site.loses == []
    assert b"".join(bucket.open("one")) == SMALL


def test_bytes_that_change_on_the_one_request_are_sent_again(site: Shady, bucket: S3Backend) -> None:
    learn(bucket, site)
    site.spoils.append("PUT")

    assert bucket.put(body(SMALL), "one").proof == "checksum"
    assert b"".join(bucket.open("one")) == SMALL
