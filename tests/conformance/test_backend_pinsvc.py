"""The conformance suite of pins on a pinning service, and what only such a service can do wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.backends.base import Backend, Config, Files, Pins
from ipfs_accel_cli.backends.pinsvc.backend import PinningService
from ipfs_accel_cli.backends.registry import backend_for, checked
from ipfs_accel_cli.content.cid import CID, DAG_PB, RAW
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import (
    AccelError,
    Conflict,
    Invalid,
    LimitReached,
    NotAuthorised,
    NotFound,
    RemoteFailed,
    TryAgain,
    Unavailable,
)
from tests.conformance.pins_suite import ServedPinsOffer, ServedPinsSuite
from tests.servers.pinning import Pinning, pinning
from tests.servers.serving import Faults

DAG = CID.of(b"a DAG", RAW)


class ServiceOffer(ServedPinsOffer):
    def __init__(self, site: Pinning, folder: Path) -> None:
        self.site, self.folder, self.url, self.token = site, folder, site.url, site.token

    def backend(self) -> PinningService:
        made = backend_for("pinsvc", Config("pins", {"url": self.url}, self.folder, lambda: self.token))
        assert isinstance(made, PinningService)
        return made

    def refuse_logins(self) -> None:
        self.token = "ended-long-ago"

    @contextmanager
    def down(self) -> Iterator[None]:
        self.url = "http://127.0.0.1:9"
        yield
        self.url = self.site.url

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        self.site.faults.status = status
        yield
        self.site.faults = Faults()

    @contextmanager
    def cutting(self) -> Iterator[None]:
        self.site.cuts = 1 << 30
        yield
        self.site.cuts = 0


class TestPinningService(ServedPinsSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path) -> Iterator[ServiceOffer]:
        with pinning() as site:
            yield ServiceOffer(site, tmp_path)

    def test_it_keeps_pins_and_nothing_else(self, offer: ServiceOffer) -> None:
        made: Backend = offer.backend()
        assert isinstance(made, Pins)
        assert not isinstance(made, Files)
        assert made.traits.settles_later

    def test_more_pins_than_a_page_holds_are_all_listed(self, offer: ServiceOffer) -> None:
        added = [offer.site.add(str(CID.of(b"%d" % number, RAW)))["requestid"] for number in range(2345)]

        assert [one.id for one in offer.backend().pins()] == added[::-1]
        assert len([line for line in offer.site.log if line.startswith("GET")]) == 3

    @pytest.mark.parametrize("most", [1, 7, 10])
    def test_pins_of_the_same_moment_are_not_lost_between_pages(self, offer: ServiceOffer, most: int) -> None:
        offer.site.same_second = most > 1
        added = []
        for number in range(30):
            added.append(offer.site.add(str(CID.of(b"%d" % number, RAW)))["requestid"])
        offer.site.most = most
        for group in range(10):  # Three of the same moment at a time.
            for one in offer.site.pins[3 * group : 3 * group + 3] if most > 1 else ():
                one["created"] = f"2026-11-27T11:00:{group:02}Z"

        assert [one.id for one in offer.backend().pins()] == added[::-1]

    def test_a_service_that_never_goes_on_is_found_out(self, offer: ServiceOffer) -> None:
        for number in range(20):
            offer.site.add(str(CID.of(b"%d" % number, RAW)))
        offer.site.most, offer.site.ignores = 10, {"before"}

        with pytest.raises(Unavailable, match="older"):
            list(offer.backend().pins())

    def test_filters_that_a_service_does_not_know_are_applied_here(self, offer: ServiceOffer) -> None:
        offer.site.ignores = {"cid", "name", "match", "status"}
        offer.site.add(str(DAG), "pinned", "one")
        offer.site.add(str(CID.of(b"other", RAW)), "failed", "two")

        assert [one.name for one in offer.backend().pins(DAG)] == ["one"]
        assert [one.name for one in offer.backend().pins(name="two")] == ["two"]
        assert [one.name for one in offer.backend().pins(status="failed")] == ["two"]

    def test_what_the_service_says_of_a_pin_is_shown_and_it_moves_on(self, offer: ServiceOffer) -> None:
        offer.site.unreachable = {str(DAG)}
        made = offer.backend().pin(DAG)
        told = [made] + [offer.backend().status(made.id) for _ in range(3)]

        assert [one.status for one in told] == ["queued", "queued", "pinning", "failed"]
        assert [one.detail for one in told] == ["waiting for its turn"] * 2 + ["fetching its blocks", "nobody has it"]

    def test_a_pin_that_failed_is_replaced_when_it_is_asked_for_again(self, offer: ServiceOffer) -> None:
        old = offer.site.add(str(DAG), "failed", "one")
        made = offer.backend().pin(DAG, "one", ["/dnsaddr/example.com"])

        assert made.status == "queued"
        assert made.id != old["requestid"]
        assert [(one["pin"]["cid"], one["pin"]["origins"]) for one in offer.site.pins] == [
            (str(DAG), ["/dnsaddr/example.com"])
        ]

    def test_a_pin_can_become_that_of_another_dag(self, offer: ServiceOffer) -> None:
        old, other = offer.backend().pin(DAG), CID.of(b"its next version", RAW)
        new = offer.backend().replace(old, other, "next")

        assert [(one.cid, one.id, one.name) for one in offer.backend().pins()] == [(other, new.id, "next")]
        with pytest.raises(NotFound):
            offer.backend().replace(old, other)

    def test_all_pins_of_a_cid_are_taken_off_also_those_of_other_programs(self, offer: ServiceOffer) -> None:
        for name, status in (("one", "pinned"), ("two", "failed"), ("three", "queued")):
            offer.site.add(str(DAG), status, name)
        offer.backend().unpin(DAG)
        assert offer.site.pins == []

    def test_a_pin_whose_answer_was_lost_is_not_made_twice(self, offer: ServiceOffer) -> None:
        offer.site.mutes = 1
        made = offer.backend().pin(DAG, "one")

        assert [one["requestid"] for one in offer.site.pins] == [made.id]

    def test_a_cid_of_version_0_is_known_again_as_version_1(self, offer: ServiceOffer) -> None:
        old = CID.of(b"a directory", DAG_PB, version=0)
        offer.site.ignores = {"cid"}
        there = offer.site.add(str(old.to_v1()))

        assert offer.backend().pin(old).id == there["requestid"]

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, RemoteFailed),
            (401, NotAuthorised),
            (403, NotAuthorised),
            (404, NotFound),
            (409, LimitReached),
            (418, Unavailable),
            (429, TryAgain),
            (500, TryAgain),
        ],
    )
    def test_refusals_have_their_names_and_the_reason_of_the_service(
        self, offer: ServiceOffer, status: int, kind: type[AccelError]
    ) -> None:
        offer.site.status = status
        offer.site.failure = {"reason": "NO_FUNDS", "details": f"pay\x1b[31m first, {offer.token}"}

        with pytest.raises(kind) as raised:
            offer.backend().pin(DAG)
        assert type(raised.value) is kind
        assert "NO_FUNDS: pay [31m first, …" in raised.value.detail

    def test_a_pin_that_is_there_already_is_a_conflict_where_a_service_says_so(self, offer: ServiceOffer) -> None:
        offer.site.status, offer.site.failure = 409, {"reason": "DUPLICATE_OBJECT"}
        with pytest.raises(Conflict):
            offer.backend().pin(DAG)

    def test_it_waits_as_long_as_it_is_asked_to_and_not_for_over_a_minute(self, offer: ServiceOffer) -> None:
        offer.site.faults.busy, offer.site.faults.busy_status, offer.site.faults.retry_after = 1, 429, "0"
        assert offer.backend().pin(DAG).cid == DAG

        offer.site.faults.busy, offer.site.faults.retry_after = 1, "3600"
        with pytest.raises(TryAgain) as raised:
            offer.backend().pin(DAG)
        assert raised.value.context["retry_after_s"] == 3600

    @pytest.mark.parametrize(
        "answer",
        [
            b"<!doctype html><title>Welcome</title>",
            b"",
            b"[]",
            b"null",
            b'{"count": 1}',
            b'{"count": true, "results": []}',
            b'{"count": 1, "results": [{}]}',
            b'{"count": 1, "count": 0, "results": []}',
            b"\xff",
        ],
    )
    def test_what_is_no_answer_of_a_pinning_service_is_told(self, offer: ServiceOffer, answer: bytes) -> None:
        offer.site.body = answer
        for work in (lambda: list(offer.backend().pins()), lambda: offer.backend().pin(DAG)):
            with pytest.raises(Unavailable, match="pinning service"):
                work()
        assert offer.backend().health().reachable is False

    @pytest.mark.parametrize(
        "change",
        [
            {"requestid": ""},
            {"requestid": ".."},
            {"requestid": 7},
            {"status": "lost"},
            {"status": ["pinned"]},
            {"created": "yesterday"},
            {"pin": {"cid": "no CID"}},
            {"pin": None},
        ],
    )
    def test_a_pin_that_makes_no_sense_is_told(self, offer: ServiceOffer, change: dict[str, Any]) -> None:
        offer.site.body = json.dumps({"count": 1, "results": [offer.site.add(str(DAG)) | change]}).encode()
        with pytest.raises(Unavailable, match="does not answer as"):
            list(offer.backend().pins())

    def test_an_answer_without_end_is_not_read_to_it(
        self, offer: ServiceOffer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ipfs_accel_cli.backends.pinsvc.answers.MAX_ANSWER_BYTES", 100_000)
        offer.site.body = b" " * 200_000
        with pytest.raises(Unavailable, match="more than 100000 bytes"):
            list(offer.backend().pins())

    def test_a_service_that_keeps_something_else_is_found_out(self, offer: ServiceOffer) -> None:
        other = offer.site.add(str(CID.of(b"other", RAW)))
        offer.site.pins.clear()
        real = offer.site.add
        offer.site.add = lambda *_: real(other["pin"]["cid"])  # type: ignore[method-assign]
        with pytest.raises(Unavailable, match="was asked to keep"):
            offer.backend().pin(DAG)

    def test_nobody_but_the_owner_uses_the_token(self, offer: ServiceOffer) -> None:
        with using(Call(principal=Principal("peer", "mcp"), folders=())), pytest.raises(NotAuthorised):
            list(offer.backend().pins())
        assert offer.site.log == []
        offer.token = ""
        with pytest.raises(NotAuthorised, match="needs a token"):
            list(offer.backend().pins())

    def test_a_redirect_is_not_followed_with_the_token(self, offer: ServiceOffer) -> None:
        offer.site.status = 307
        with pytest.raises(Unavailable, match="leads elsewhere"):
            offer.backend().pin(DAG)

    @pytest.mark.parametrize(
        "url",
        ["", "example.com", "ftp://example.com", "http://example.com", "https://me:secret@example.com/", "https://"],
    )
    def test_an_address_that_the_token_must_not_go_to_is_refused(self, offer: ServiceOffer, url: str) -> None:
        offer.url = url
        with pytest.raises(Invalid) as raised:
            offer.backend()
        assert "secret" not in raised.value.detail

    def test_what_a_service_cannot_take_is_said_before_it_is_asked(self, offer: ServiceOffer) -> None:
        with pytest.raises(Invalid):
            offer.backend().pin(DAG, "x" * 256)
        with pytest.raises(Invalid):
            offer.backend().pins(status="lost")
        offer.token = "two\nlines"
        with pytest.raises(Invalid):
            offer.backend().pin(DAG)
        assert offer.site.log == []

    def test_its_options_are_checked(self) -> None:
        checked("pinsvc", {"url": "https://example.com"}, token=True)
        with pytest.raises(Invalid, match="--url"):
            checked("pinsvc", {}, token=True)

    def test_the_token_is_in_no_message(self, offer: ServiceOffer) -> None:
        offer.refuse_logins()
        with pytest.raises(NotAuthorised) as raised:
            offer.backend().pin(DAG)
        assert offer.token not in json.dumps(raised.value.problem())
        assert offer.token not in repr(offer.backend().__dict__)
        assert offer.token not in offer.backend().health().detail
