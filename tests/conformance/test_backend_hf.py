"""The conformance suite of files on repositories of a hub, and what only commits can do."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Backend, Batch, Body, Config
from ipfs_accel_cli.backends.hf.backend import HubBackend
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    NotAuthorised,
    NotFound,
    RemoteFailed,
    TryAgain,
    VerificationFailed,
)
from tests.conformance.backend_suite import SMALL, ServedFilesSuite, ServedOffer, body
from tests.servers.hub import Hub, hub
from tests.servers.serving import Faults

WEIGHTS = os.urandom(20_000)  # Large enough for the hub to keep it by its sha-256.
STRANGER = Call(principal=Principal("peer", "mcp"), folders=())


class HubOffer(ServedOffer):
    """A branch; `options` are those of the backend."""

    def __init__(self, site: Hub, folder: Path, **options: str) -> None:
        self.site, self.folder, self.token = site, folder, "hf_mine"
        self.options = {"repo": "acme/files", "endpoint": site.url, **options}
        kind = options.get("type", "model")
        self.repository = ("" if kind == "model" else f"{kind}s/") + "acme/files"
        (site.root / self.repository).mkdir(parents=True)
        if options.get("prefix"):
            (site.root / self.repository / ".gitattributes").write_text("not below the prefix")
        if branch := options.get("revision"):
            site.add_branch(self.repository, branch)

    def backend(self) -> HubBackend:
        made = backend_for("hf", Config("hub", dict(self.options), self.folder, lambda: self.token))
        assert isinstance(made, HubBackend)
        return made

    @property
    def commits(self) -> list[list[str]]:
        return self.site.uploads.commits

    def refuse_logins(self) -> None:
        self.site.token, self.token = "hf_right", "hf_wrong"

    @contextmanager
    def down(self) -> Iterator[None]:
        self.options["endpoint"] = "http://127.0.0.1:9"
        yield
        self.options["endpoint"] = self.site.url

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        self.site.faults.status = status
        yield
        self.site.faults = Faults()

    @contextmanager
    def cutting(self) -> Iterator[None]:
        self.site.faults.cuts = 1 << 30
        yield
        self.site.faults = Faults()


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


class TestModel(ServedFilesSuite):
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

    def test_a_repository_that_is_missing_is_named_with_the_command_that_makes_it(self, offer: HubOffer) -> None:
        offer.options["repo"] = "acme/other"
        for work in (lambda: offer.backend().put(body(SMALL), "one"), lambda: offer.backend().stat("one")):
            with pytest.raises(NotFound, match="--create true") as raised:
                work()
            assert raised.value.suggestion == "hf repos create acme/other --type model"
        assert offer.backend().health().reachable is False
        offer.options |= {"repo": "acme/files", "revision": "drafts"}
        with pytest.raises(NotFound) as raised:
            list(offer.backend().scan())
        assert raised.value.suggestion == "hf repos branch create acme/files drafts --type model"

    @pytest.mark.parametrize("kind", ["model", "space"])
    def test_it_is_made_by_the_first_file_where_that_is_wanted(self, offer: HubOffer, kind: str) -> None:
        offer.options |= {"repo": "acme/new", "type": kind, "create": "true", "private": "true", "revision": "drafts"}
        files = offer.backend()
        assert files.stat("one") is None
        assert list(files.scan()) == []
        files.delete("one")
        assert files.health().reachable is True
        assert offer.site.uploads.private == {}
        assert files.put(body(SMALL), "one").proof == "checksum"

        assert offer.site.uploads.private == {"acme/new" if kind == "model" else "spaces/acme/new": True}
        assert [one.key for one in files.scan()] == [".gitattributes", "one"]

    def test_a_token_that_may_only_read_is_told(self, offer: HubOffer) -> None:
        offer.backend().put(body(SMALL), "there")
        offer.site.uploads.read_only = True
        for work in (lambda: offer.backend().put(body(SMALL), "one"), lambda: offer.backend().delete("there")):
            with pytest.raises(NotAuthorised, match="let this token write") as raised:
                work()
            assert raised.value.suggestion == "hf auth login"
        assert offer.backend().health().writable is False
        assert b"".join(offer.backend().open("there")) == SMALL

    def test_a_gated_repository_is_told(self, offer: HubOffer) -> None:
        offer.backend().put(body(SMALL), "there")
        offer.site.gated.add("acme/files")
        for work in (
            lambda: offer.backend().put(body(SMALL), "one"),
            lambda: next(offer.backend().open("there")),
            lambda: offer.backend().stat("there"),
            lambda: list(offer.backend().scan()),
        ):
            with pytest.raises(NotAuthorised) as raised:
                work()
            assert raised.value.suggestion
        assert offer.backend().health().writable is False

    def test_a_private_repository_needs_a_token_and_takes_the_one_of_the_environment(
        self, offer: HubOffer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        offer.site.token, offer.token = "hf_right", ""
        with pytest.raises(NotAuthorised):
            offer.backend().stat("one")
        monkeypatch.setenv("HF_TOKEN", "hf_right")
        assert offer.backend().put(body(SMALL), "one").proof == "checksum"

    def test_others_than_the_owner_change_nothing_and_get_no_further_than_the_internet(self, offer: HubOffer) -> None:
        offer.backend().put(body(SMALL), "one")
        before = len(offer.site.log)
        with using(STRANGER):
            for work in (
                lambda: offer.backend().put(body(b"new"), "two"),
                lambda: offer.backend().delete("one"),
                lambda: offer.backend().stat("one"),
                lambda: next(offer.backend().open("one")),
                lambda: list(offer.backend().scan()),
            ):
                with pytest.raises(NotAuthorised):
                    work()
        assert len(offer.site.log) == before

    def test_a_commit_is_read_and_never_changed(self, offer: HubOffer) -> None:
        offer.backend().put(body(SMALL), "one")
        commit = offer.site.commit("acme/files")
        offer.backend().delete("one")
        offer.options["revision"] = commit
        past: Backend = offer.backend()

        assert past.traits.read_only
        assert past.health().writable is False
        assert b"".join(offer.backend().open("one")) == SMALL
        with pytest.raises(Invalid, match="choose a branch"):
            offer.backend().put(body(SMALL), "two")

    def test_a_refusal_of_the_hub_is_told_in_its_words(self, offer: HubOffer) -> None:
        with pytest.raises(RemoteFailed, match="refuses"):
            offer.backend().put(body(b"\xff\xfe not text"), "README.md")
        with pytest.raises(Invalid, match="takes nothing in folders"):
            offer.backend().put(body(SMALL), "a/.git/config")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"repo": "acme"},
            {"repo": "acme/a/b"},
            {"repo": "../acme"},
            {"type": "bucket"},
            {"create": "maybe"},
            {"prefix": "a/../b"},
            {"endpoint": "http://example.com"},
            {"endpoint": "https://me:secret@example.com"},
        ],
    )
    def test_options_that_make_no_sense_are_refused(self, offer: HubOffer, wrong: dict[str, str]) -> None:
        offer.options |= wrong
        with pytest.raises(Invalid) as raised:
            offer.backend()
        assert "secret" not in raised.value.detail

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
