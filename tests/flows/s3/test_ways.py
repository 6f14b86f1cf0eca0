"""How files get to a bucket and back, by what was measured of the way; and through a storm."""

from __future__ import annotations

import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.wrap import composed
from ipfs_accel_cli.core.errors import Conflict, NotFound
from ipfs_accel_cli.core.parts import MIB, Pace
from ipfs_accel_cli.services.store.placement.service import Wish
from tests.conformance.backend_suite import SMALL, body
from tests.flows.s3.buckets import backend, lies
from tests.servers.s3_faults import Shady
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY

DATA = os.urandom(30 * MIB + 1000)
NEAR, FAR = Pace(0.0005, 200 * MIB, 200 * MIB), Pace(0.2, 40 * MIB, 40 * MIB)


def test_near_few_parts_are_sent_and_one_stream_is_fetched(site: Shady, tmp_path: Path) -> None:
    bucket = backend(site, tmp_path, pace=NEAR)
    two = backend(site, tmp_path, pace=FAR)

    assert bucket.put(body(DATA), "one").proof == "checksum"
    assert b"".join(bucket.open("one")) == DATA
    assert site.ranges("one") == [""]
    assert two.put(body(DATA), "one").proof == "checksum"  # It knows in which parts they lie there.
    assert site.ranges("one") == [""]


def test_far_many_ranges_are_fetched_that_make_the_same_bytes(site: Shady, tmp_path: Path) -> None:
    bucket = backend(site, tmp_path, pace=FAR)
    bucket.put(body(DATA), "one")

    assert b"".join(bucket.open("one")) == DATA
    spans = sorted((int(first), int(last)) for first, last in (asked(one) for one in site.ranges("one")))
    assert len(spans) == 31
    assert [first for first, _ in spans[1:]] == [last + 1 for _, last in spans[:-1]]
    for offset, length in ((5, 20 * MIB), (MIB, None), (len(DATA) - 10, 8 * MIB), (len(DATA), None), (3, 4)):
        end = None if length is None else offset + length
        assert b"".join(bucket.open("one", offset, length)) == DATA[offset:end]


def test_far_a_small_object_needs_no_second_question(site: Shady, tmp_path: Path) -> None:
    bucket = backend(site, tmp_path, pace=FAR)
    lies(site, "one", SMALL)
    lies(site, "empty", b"")

    assert b"".join(bucket.open("one")) == SMALL
    assert site.ranges("one") == [f"bytes=0-{MIB - 1}"]
    assert b"".join(bucket.open("empty")) == b""
    with pytest.raises(NotFound):
        next(bucket.open("nothing"))


def test_what_becomes_another_object_meanwhile_is_not_mixed(site: Shady, tmp_path: Path) -> None:
    lies(site, "one", DATA)
    with closing(backend(site, tmp_path, pace=FAR).open("one")) as pieces:  # type: ignore[type-var]
        got = next(pieces)
        lies(site, "one", DATA[::-1])
        with pytest.raises(Conflict, match="became another object"):
            for piece in pieces:
                got += piece
    assert got == DATA[: len(got)]


@pytest.mark.parametrize("pace", [Pace(), FAR], ids=["unmeasured", "far"])
def test_a_storm_of_errors_delays_and_loses_nothing(site: Shady, tmp_path: Path, pace: Pace) -> None:
    bucket = composed(backend(site, tmp_path, pace=pace))
    site.storm = True

    assert bucket.put(body(DATA[: 9 * MIB]), "one").proof in ("checksum", "reread")
    assert b"".join(bucket.open("one")) == DATA[: 9 * MIB]
    assert site.owner().list_multipart_uploads(Bucket=BUCKET, Prefix=f"{site.prefix}/").get("Uploads", []) == []


def test_a_home_uses_and_tells_what_it_has_measured(
    site: Shady, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S3_LOGIN", f"{ACCESS_KEY}:{SECRET_KEY}")
    lies(site, "one", DATA)
    with Node(tmp_path / "home") as node:
        options = {"bucket": BUCKET, "prefix": site.prefix, "endpoint": site.url}
        node.store.backends.add("far", "s3", options, token_env="S3_LOGIN")
        ways = node.store.placement.plan(None, Wish(), size_bytes=1 << 30, explain=True).travel
        assert [(one.way, one.part_bytes >> 20, one.parallel) for one in ways] == [("send", 6, 6), ("fetch", 1024, 1)]
        assert "store probe far" in ways[0].said
        note = node.store.placement.facts.measures.note
        note("far", "stat", 0, 0.2, None)
        for operation in ("put", "open"):
            note("far", operation, 40 * MIB, 1.0, None)

        ways = node.store.placement.plan(None, Wish(), size_bytes=1 << 30, explain=True).travel
        assert [(one.way, one.part_bytes >> 20, one.parallel) for one in ways] == [("send", 5, 8), ("fetch", 1, 16)]
        assert ways[0].said == "200 ms to an answer, 40.0 MiB/s"
        assert b"".join(node.store.backends.open("far").open("one")) == DATA
    assert len(site.ranges("one")) == 31


def test_loading_libraries_is_not_taken_for_a_long_way(
    site: Shady, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S3_LOGIN", f"{ACCESS_KEY}:{SECRET_KEY}")
    with Node(tmp_path / "home") as node:
        options = {"bucket": BUCKET, "prefix": site.prefix, "endpoint": site.url}
        node.store.backends.add("far", "s3", options, token_env="S3_LOGIN")
        measures = node.store.placement.facts.measures
        bucket = node.store.backends.open("far")
        bucket.health()
        assert measures.of("far").latency_s is None
        bucket.health()
        assert measures.of("far").latency_s


def asked(line: str) -> tuple[str, str]:
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", line)
    assert found
    return found[1], found[2]
