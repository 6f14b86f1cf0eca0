"""Who may do what in a repository of a hub, and what is said where it is not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import (
    Invalid,
    NotAuthorised,
    NotFound,
    RemoteFailed,
)
from tests.conformance.backend_suite import SMALL, body
from tests.conformance.hub_offer import HubOffer
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


class TestAccess:
    @pytest.fixture
    def offer(self, site: Hub, tmp_path: Path) -> HubOffer:
        return HubOffer(site, tmp_path)

    def test_a_repository_that_is_missing_is_named_with_the_command_that_makes_it(self, offer: HubOffer) -> None:
        offer.options["repo"] = "acme/other"
        for work in (lambda: offer.backend().put(body(SMALL), "one"), lambda: offer.backend().stat("one")):
            with pytest.raises(NotFound, match="--option create=true") as raised:
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
