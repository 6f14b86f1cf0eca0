"""What every place must do that takes new bytes in the place of old ones: whoever reads gets either, whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ipfs_accel_cli.backends.base import Files, Replaces, Stat
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Conflict, TryAgain, Unavailable, VerificationFailed
from tests.conformance.backend_suite import SMALL, Impatient, Offer, ServedOffer, body

NEW = SMALL[::-1]


def replacing(offer: Offer) -> Replaces:
    backend = offer.backend()
    assert isinstance(backend, Replaces)
    return backend


def seen(files: Files, key: str = "one") -> Stat:
    """Return what a list shows of a key, as a plan sees it."""
    (found,) = [one for one in files.scan() if one.key == key]
    return found


def lies(files: Files, key: str = "one") -> bytes:
    stat = files.stat(key)
    assert stat is not None
    return b"".join(files.open(stat.locator))


class ReplacesSuite(Impatient):
    """The cases of `Replaces`; the fixture `offer` must return an `Offer`."""

    def test_new_bytes_take_the_place_of_those_seen_and_the_same_again_is_no_error(self, offer: Offer) -> None:
        files = offer.files()
        files.put(body(SMALL[:3]), "one")
        for data in (NEW, offer.large, SMALL, b""):
            old = seen(files)
            for _ in range(2):
                receipt = replacing(offer).replace(body(data), "one", old)
                assert b"".join(files.open(receipt.locator)) == data
        assert [one.key for one in files.scan()] == ["one"]
        assert replacing(offer).guards() in (True, False)
        assert [one.key for one in files.scan()] == ["one"]

    def test_what_somebody_else_brought_meanwhile_stays(self, offer: Offer) -> None:
        files = offer.files()
        for data in (NEW, offer.large):
            files.put(body(SMALL), "one")
            old = seen(files)
            files.delete(old.locator)
            files.put(body(b"somebody else's"), "one")
            with pytest.raises(Conflict):
                replacing(offer).replace(body(data), "one", old)
            assert lies(files) == b"somebody else's"
            files.delete(old.locator)

    def test_what_is_gone_meanwhile_is_put(self, offer: Offer) -> None:
        files = offer.files()
        files.put(body(SMALL), "one")
        old = seen(files)
        files.delete(old.locator)
        replacing(offer).replace(body(NEW), "one", old)
        assert lies(files) == NEW

    def test_given_up_at_any_point_it_leaves_the_old(self, offer: Offer) -> None:
        files, whole = offer.files(), body(offer.large)
        files.put(body(SMALL), "one")
        old = seen(files)
        for pieces in (0, 2, len(offer.large) // 100_000):
            call = Call()

            def until_stopped(
                offset: int, length: int | None, pieces: int = pieces, call: Call = call
            ) -> Iterator[bytes]:
                for number, piece in enumerate(whole.read(offset, length)):
                    if number == pieces:
                        call.stopped.set()
                    yield bytes(piece)

            with using(call), pytest.raises(Cancelled):
                replacing(offer).replace(replace(whole, read=until_stopped), "one", old)
            assert lies(files) == SMALL
        replacing(offer).replace(whole, "one", old)
        assert lies(files) == offer.large

    def test_bytes_that_are_not_those_announced_leave_the_old(self, offer: Offer) -> None:
        files = offer.files()
        files.put(body(SMALL), "one")
        for data in (NEW, offer.large):
            with pytest.raises(VerificationFailed):
                replacing(offer).replace(body(data, claimed=b"others"), "one", seen(files))
            assert lies(files) == SMALL

    def test_a_reader_meanwhile_gets_the_old_or_the_new(self, offer: Offer) -> None:
        files, ended = offer.files(), threading.Event()
        versions = [bytes([n]) * 40_000 for n in range(1, 7)]
        files.put(body(versions[0]), "one")
        wrong: list[object] = []

        def read() -> None:
            reader = offer.files()
            while not ended.is_set():
                try:
                    found = b"".join(reader.open("one"))
                except (Conflict, TryAgain):  # It changed during the read, and is told to have.
                    continue
                except AccelError as error:
                    wrong.append(error)
                    return
                if found not in versions:
                    wrong.append(found[:20])

        thread = threading.Thread(target=read)
        thread.start()
        try:
            for data in versions[1:]:
                replacing(offer).replace(body(data), "one", seen(files))
        finally:
            ended.set()
            thread.join()
        assert wrong == [], [repr(one) for one in wrong]


class ServedReplacesSuite(ReplacesSuite):
    """What must also hold over a network."""

    @pytest.mark.parametrize("how", ["down", "failing"])
    def test_a_refusal_leaves_the_old(self, offer: ServedOffer, how: str) -> None:
        files = offer.files()
        files.put(body(SMALL), "one")
        old = seen(files)
        meanwhile: Callable[[], object] = offer.down if how == "down" else lambda: offer.failing(503)
        with meanwhile(), pytest.raises((Unavailable, TryAgain)):  # type: ignore[attr-defined]
            replacing(offer).replace(body(NEW), "one", old)
        assert lies(files) == SMALL
        replacing(offer).replace(body(NEW), "one", old)
        assert lies(files) == NEW
