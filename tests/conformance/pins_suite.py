"""What every place that keeps pins must do. A subclass offers one; the cases run unchanged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ipfs_accel_cli.backends.base import Pin, Pins
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import NotAuthorised, Offline, TryAgain, Unavailable
from tests.conformance.backend_suite import Impatient, Offer, ServedOffer
from tests.conformance.dags_suite import UNKNOWN


class PinsOffer(Offer):
    """A place without pins."""

    def keepable(self) -> Sequence[CID]:
        """Return three DAGs that the place can get hold of."""
        return [CID.of(b"a DAG %d" % number, RAW) for number in range(3)]

    def pins(self) -> Pins:
        made = self.backend()
        assert isinstance(made, Pins)
        return made


class ServedPinsOffer(ServedOffer, PinsOffer):
    """A place behind a server."""


class PinsSuite(Impatient):
    """The cases of `Pins`; the fixture `offer` must return a `PinsOffer`."""

    def test_what_is_pinned_is_listed_and_pinned_in_the_end(self, offer: PinsOffer) -> None:
        pins, cid = offer.pins(), offer.keepable()[0]
        made = pins.pin(cid, "my model")
        assert (made.cid, made.name) == (cid, "my model")
        assert made.status in ("queued", "pinning", "pinned")

        seen = [made]
        for _ in range(10):
            if seen[-1].status == "pinned":
                break
            seen += pins.pins(cid)
        assert seen[-1].status == "pinned", seen
        assert {(one.cid, one.name, one.id) for one in seen} == {(cid, "my model", made.id)}

    def test_the_same_again_makes_no_second_pin(self, offer: PinsOffer) -> None:
        pins, cid = offer.pins(), offer.keepable()[0]
        first = pins.pin(cid, "one")

        for again in (offer.pins().pin(cid, "one"), pins.pin(cid)):
            assert (again.cid, again.id) == (cid, first.id)
        assert len(list(pins.pins())) == 1

    def test_pins_are_listed_newest_first_and_as_they_are_asked_for(self, offer: PinsOffer) -> None:
        pins, cids = offer.pins(), offer.keepable()
        for number, cid in enumerate(cids):
            pins.pin(cid, f"number {number}")

        def names(**asked: object) -> list[str]:
            return [one.name for one in pins.pins(**asked)]  # type: ignore[arg-type]

        assert names() == ["number 2", "number 1", "number 0"]
        assert names(cid=cids[1]) == ["number 1"]
        assert names(name="number 0") == ["number 0"]
        assert names(name="number") == []
        assert names(cid=UNKNOWN) == []
        by_status: list[Pin] = [one for status in ("queued", "pinning", "pinned") for one in pins.pins(status=status)]
        assert {one.name for one in by_status} == set(names())
        assert names(status="failed") == []

    def test_a_cid_whose_pins_are_taken_off_has_none_and_none_is_no_error(self, offer: PinsOffer) -> None:
        pins, cids = offer.pins(), offer.keepable()
        for cid in cids:
            pins.pin(cid)
        for _ in range(2):
            pins.unpin(cids[1])
            assert list(pins.pins(cids[1])) == []
        assert {one.cid for one in pins.pins()} == {cids[0], cids[2]}

    def test_it_is_well_and_says_so(self, offer: PinsOffer) -> None:
        health = offer.backend().health()

        assert (health.reachable, health.writable) in ((True, True), (True, None))
        assert health.detail


class ServedPinsSuite(PinsSuite):
    """What must also hold of pins over a network."""

    def test_a_login_that_is_refused_is_told(self, offer: ServedPinsOffer) -> None:
        offer.refuse_logins()
        with pytest.raises(NotAuthorised) as raised:
            offer.pins().pin(offer.keepable()[0])
        assert raised.value.suggestion
        health = offer.backend().health()
        assert health.reachable is not True or health.writable is not True

    def test_a_server_that_is_down_is_unavailable(self, offer: ServedPinsOffer) -> None:
        with offer.down():
            with pytest.raises((Unavailable, TryAgain)):
                list(offer.pins().pins())
            assert offer.backend().health().reachable is False
        assert list(offer.pins().pins()) == []

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_server_that_is_busy_is_worth_another_try(self, offer: ServedPinsOffer, status: int) -> None:
        cid = offer.keepable()[0]
        with offer.failing(status):
            for work in (
                lambda: offer.pins().pin(cid),
                lambda: list(offer.pins().pins()),
                lambda: offer.pins().unpin(cid),
            ):
                with pytest.raises(TryAgain):
                    work()
        assert offer.pins().pin(cid).cid == cid

    def test_an_answer_that_breaks_off_is_told_and_is_no_short_list(self, offer: ServedPinsOffer) -> None:
        offer.pins().pin(offer.keepable()[0])
        with offer.cutting(), pytest.raises((TryAgain, Unavailable)):
            list(offer.pins().pins())
        assert len(list(offer.pins().pins())) == 1

    def test_nothing_is_asked_where_the_network_is_forbidden(self, offer: ServedPinsOffer) -> None:
        cid = offer.keepable()[0]
        with using(Call(offline=True)):
            for work in (
                lambda: offer.pins().pin(cid),
                lambda: list(offer.pins().pins()),
                lambda: offer.pins().unpin(cid),
                offer.backend().health,
            ):
                with pytest.raises(Offline):
                    work()
