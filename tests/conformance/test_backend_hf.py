"""The conformance suite of files on repositories of a hub, and what only commits can do."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Batch, Body
from ipfs_accel_cli.core.call import Call, Principal
from ipfs_accel_cli.core.errors import (
    Conflict,
    NotFound,
    RemoteFailed,
    TryAgain,
    VerificationFailed,
)
from tests.conformance.backend_suite import SMALL, ServedFilesSuite, body
from tests.conformance.hub_offer import HubOffer
from tests.conformance.replaces_suite import ServedReplacesSuite
from tests.servers.hub import Hub, hub

WEIGHTS = os.urandom(20_000)  # Large enough for the hub to keep it by its sha-256.
STRANGER = Call(principal=Principal("peer", "mcp"), folders=())


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    (tmp_path / "hub").mkdir()
    with hub(tmp_path / "hub") as served:
        yield served


class TestBranchOfDataset(ServedFilesSuite):
    """A branch of a dataset, below a prefix, beside other files."""

    @pytest.fixture
    def offer(self, site: Hub, tmp_path: Path) -> HubOffer:
        return HubOffer(site, tmp_path, type="dataset", revision="drafts/2", prefix="kept/here/")


class TestModel(ServedFilesSuite, ServedReplacesSuite):
    @pytest.fixture
    def offer(self, site: Hub, tmp_path: Path) -> HubOffer:
        return HubOffer(site, tmp_path)

    def test_many_files_are_one_commit_and_their_digests_are_the_hub_s(self, offer: HubOffer) -> None:
        files = offer.backend()
        assert isinstance(files, Batch)
        wanted = {"config.json": SMALL, "weights/1": WEIGHTS, "weights/2": WEIGHTS[::-1], "ünï/cødé 100% #?.txt": b"x"}
        receipts = files.put_all([(body(data), key) for key, data in wanted.items()])

        assert [sorted(commit) for commit in offer.commits] == [sorted(wanted)]
        assert [(one.locator, one.proof) for one in receipts] == [(key, "checksum") for key in wanted]
        assert {one.key: b"".join(files.open(one.locator)) for one in files.scan()} == wanted
        by_key = {one.key: one.sha256 for one in files.scan()}
        assert by_key["weights/1"] == hashlib.sha256(WEIGHTS).digest()
        assert by_key["config.json"] is None

    def test_what_is_there_already_makes_no_commit_and_sends_nothing(self, offer: HubOffer) -> None:
        files = offer.backend()
        both = [(body(SMALL), "small"), (body(WEIGHTS), "large")]
        files.put_all(both)
        sent = offer.site.uploads.put_bytes
        assert [one.proof for one in files.put_all(both)] == ["checksum"] * 2
        files.put_all([*both, (body(b"new"), "new")])

        assert offer.commits == [["small", "large"], ["new"]]
        assert offer.site.uploads.put_bytes == sent == len(WEIGHTS)

    def test_one_conflict_keeps_all_of_a_batch_back(self, offer: HubOffer) -> None:
        files = offer.backend()
        files.put(body(SMALL), "there")
        with pytest.raises(Conflict, match="there already"):
            files.put_all([(body(b"new"), "new"), (body(WEIGHTS), "there")])
        with pytest.raises(Conflict, match="given twice"):
            files.put_all([(body(b"one"), "new"), (body(b"two"), "new")])
        with pytest.raises(VerificationFailed):
            files.put_all([(body(b"new"), "new"), (body(WEIGHTS, claimed=b"others"), "spoiled")])
        assert [one.key for one in files.scan()] == ["there"]

    def test_a_commit_of_other_files_in_between_loses_nothing(self, offer: HubOffer) -> None:
        offer.site.uploads.meanwhile = lambda: offer.backend().put(body(b"theirs"), "theirs")
        offer.backend().put(body(WEIGHTS), "ours")

        assert offer.commits == [["theirs"], ["ours"]]
        assert [one.key for one in offer.backend().scan()] == ["ours", "theirs"]
        assert offer.site.uploads.put_bytes == len(WEIGHTS)

    def test_a_commit_of_the_same_file_in_between_is_a_conflict_or_was_not_needed(self, offer: HubOffer) -> None:
        offer.site.uploads.meanwhile = lambda: offer.backend().put(body(b"theirs"), "one")
        with pytest.raises(Conflict, match="other bytes"):
            offer.backend().put(body(b"ours"), "one")
        offer.site.uploads.meanwhile = lambda: offer.backend().put(body(b"same"), "two")
        offer.backend().put(body(b"same"), "two")
        offer.site.uploads.meanwhile = lambda: offer.backend().delete("two")
        offer.backend().delete("two")

        assert offer.commits == [["one"], ["two"], ["two"]]
        assert b"".join(offer.backend().open("one")) == b"theirs"

    def test_a_commit_whose_answer_was_lost_is_not_made_twice(self, offer: HubOffer) -> None:
        offer.site.uploads.lost_answers = 1
        assert offer.backend().put(body(WEIGHTS), "one").proof == "checksum"
        assert offer.commits == [["one"]]

    def test_a_branch_that_never_rests_is_told(self, offer: HubOffer) -> None:
        def again() -> None:
            number = len(offer.commits)
            offer.backend().put(body(b"%d" % number), f"theirs/{number}")
            offer.site.uploads.meanwhile = again

        offer.site.uploads.meanwhile = again
        with pytest.raises(TryAgain, match="all the time"):
            offer.backend().put(body(b"ours"), "ours")

    def test_writers_of_different_files_all_succeed(self, offer: HubOffer) -> None:
        failed: list[BaseException] = []

        def run(number: int) -> None:
            try:
                offer.backend().put(body(b"%d" % number), f"file-{number}")
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert [one.key for one in offer.backend().scan()] == [f"file-{number}" for number in range(4)]

    def test_a_hub_that_loses_what_it_took_is_found_out(self, offer: HubOffer) -> None:
        offer.site.uploads.loses = True
        with pytest.raises(VerificationFailed, match="does not list it"):
            offer.backend().put(body(WEIGHTS), "one")

    def test_a_long_list_comes_page_by_page_and_in_order(self, offer: HubOffer) -> None:
        files = offer.backend()
        keys = [f"{letter}/{number}" for letter in "cab" for number in range(25)]
        files.put_all([(body(key.encode()), key) for key in keys])
        offer.site.page_entries = 10

        assert [one.key for one in files.scan()] == sorted(keys)
        assert [one.key for one in files.scan("b/2")] == sorted(key for key in keys if key.startswith("b/2"))
        assert sum("cursor=" in line for line in offer.site.log) >= 9

    def test_a_file_is_read_once_to_hash_it_and_once_to_send_it(self, offer: HubOffer) -> None:
        data, pieces = os.urandom(3 << 20), list[int]()
        whole = body(data)

        def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
            for piece in whole.read(offset, length):
                pieces.append(len(piece))
                yield piece

        offer.backend().put(replace(whole, read=read), "large")
        assert b"".join(offer.backend().open("large")) == data
        assert 2 * len(data) <= sum(pieces) <= 2 * len(data) + 100_000  # The library looks at the first piece, too.

    def test_a_file_of_this_machine_is_taken_from_there(self, offer: HubOffer, tmp_path: Path) -> None:
        (tmp_path / "weights").write_bytes(WEIGHTS)
        offer.backend().put(replace(body(WEIGHTS), local=tmp_path / "weights"), "weights")
        assert b"".join(offer.backend().open("weights", 100, 5)) == WEIGHTS[100:105]

    def test_only_the_part_asked_for_is_fetched(self, offer: HubOffer) -> None:
        offer.backend().put(body(WEIGHTS), "weights")
        assert b"".join(offer.backend().open("weights", 10, 20)) == WEIGHTS[10:30]
        assert any(line.endswith("bytes=10-29") for line in offer.site.log)

    def test_a_body_that_is_stopped_in_the_middle_of_its_upload_leaves_no_commit(self, offer: HubOffer) -> None:
        whole, passes = body(WEIGHTS), list[int]()

        def broken(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
            passes.append(offset)
            yield from whole.read(offset, 5000)
            if len(passes) > 1:
                raise OSError("the disk went away")
            yield from whole.read(offset + 5000, None)

        with pytest.raises((OSError, TryAgain, RemoteFailed, NotFound)) as raised:
            offer.backend().put(Body(whole.size_bytes, whole.sha256, broken), "one")
        assert "disk" in str(raised.value) or "disk" in str(raised.value.__cause__)
        assert offer.commits == []
