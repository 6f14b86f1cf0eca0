"""What every backend must do. A subclass offers a place and says how to spoil it; the cases run unchanged.

`FilesSuite`, and `DagsSuite` next door, hold the cases of one contract each: a backend runs those of the contracts that
it has. The `Served…` suites add what must hold over a network.
"""

from __future__ import annotations

import hashlib
import os
import threading
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from ipfs_accel_cli.backends.base import Backend, Body, Files
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    Conflict,
    Invalid,
    NotAuthorised,
    NotFound,
    Offline,
    TryAgain,
    Unavailable,
    VerificationFailed,
)

SMALL, LARGE = b"a few bytes", os.urandom((5 << 20) + 12345)


def body(data: bytes, *, claimed: bytes | None = None) -> Body:
    """Return bytes to be put; with `claimed` the digest is that of other bytes."""

    def read(offset: int, length: int | None) -> Iterator[bytes]:
        end = len(data) if length is None else offset + length
        for start in range(offset, end, 100_000):
            yield data[start : min(end, start + 100_000)]

    return Body(len(data), hashlib.sha256(claimed or data).digest(), read)


class Offer:
    """An empty place. `large` is the larger of the files that the cases put."""

    large = LARGE

    @abstractmethod
    def backend(self) -> Backend:
        """Return a backend for the place, made anew."""

    def files(self) -> Files:
        made = self.backend()
        assert isinstance(made, Files)
        return made


class ServedOffer(Offer):
    """A place behind a server."""

    @abstractmethod
    def refuse_logins(self) -> None:
        """Let the backends that are made from now on have a login that the server refuses."""

    @abstractmethod
    def down(self) -> AbstractContextManager[None]:
        """Let nobody answer during the block."""

    @abstractmethod
    def failing(self, status: int) -> AbstractContextManager[None]:
        """Let the server answer with an error status during the block."""

    @abstractmethod
    def cutting(self) -> AbstractContextManager[None]:
        """Let the server break off all longer answers in the middle during the block."""

    @abstractmethod
    def spoiling(self) -> AbstractContextManager[None]:
        """Let the server answer with wrong bytes of the right length during the block."""


class Impatient:
    """Nobody waits long between two tries."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)


class FilesSuite(Impatient):
    """The cases of `Files`; the fixture `offer` must return an `Offer`."""

    def test_what_is_put_can_be_read_whole_and_in_part(self, offer: Offer) -> None:
        files = offer.files()
        for key, data in (("one.bin", SMALL), ("deep/er/two.bin", offer.large), ("empty", b"")):
            receipt = files.put(body(data), key)
            assert receipt.size_bytes == len(data)
            assert b"".join(files.open(receipt.locator)) == data
            assert b"".join(files.open(receipt.locator, len(data) // 2)) == data[len(data) // 2 :]
            assert b"".join(files.open(receipt.locator, len(data) // 3, 1000)) == data[len(data) // 3 :][:1000]
            assert b"".join(files.open(receipt.locator, len(data), 10)) == b""

    def test_it_says_what_lies_there(self, offer: Offer) -> None:
        files = offer.files()
        files.put(body(SMALL), "a/one")
        found = files.stat("a/one")

        assert found is not None
        assert (found.key, found.size_bytes) == ("a/one", len(SMALL))
        assert found.sha256 in (None, hashlib.sha256(SMALL).digest())
        assert b"".join(files.open(found.locator)) == SMALL
        assert files.stat("a/two") is None
        assert files.stat("a") is None

    def test_a_list_holds_each_file_once_and_in_order(self, offer: Offer) -> None:
        files = offer.files()
        keys = ["a", "b/1", "b/10", "b/2", "b-side", "c/d/e", ".hidden", "ünï cødé"]
        for key in keys:
            files.put(body(key.encode()), key)

        listed = list(files.scan())
        assert [one.key for one in listed] == sorted(keys)
        assert [one.size_bytes for one in listed] == [len(key.encode()) for key in sorted(keys)]
        assert [one.key for one in files.scan("b/")] == ["b/1", "b/10", "b/2"]
        assert [one.key for one in files.scan("b")] == ["b-side", "b/1", "b/10", "b/2"]
        assert list(files.scan("nothing/")) == []

    def test_the_same_twice_is_no_error_and_other_bytes_are_a_conflict(self, offer: Offer) -> None:
        files = offer.files()
        first = files.put(body(SMALL), "one")

        assert files.put(body(SMALL), "one").locator == first.locator
        with pytest.raises(Conflict):
            files.put(body(SMALL[::-1]), "one")
        assert b"".join(files.open(first.locator)) == SMALL

    def test_bytes_that_are_not_those_announced_are_refused_and_leave_nothing(self, offer: Offer) -> None:
        files = offer.files()
        for data in (SMALL, offer.large):
            with pytest.raises(VerificationFailed):
                files.put(body(data, claimed=b"others"), "one")
            assert files.stat("one") is None

    def test_a_put_that_is_given_up_shows_nothing_and_can_be_done_again(self, offer: Offer) -> None:
        files, call = offer.files(), Call()
        whole = body(offer.large)

        def until_stopped(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
            for number, piece in enumerate(whole.read(offset, length)):
                if number == 2:
                    call.stopped.set()
                yield piece

        with using(call), pytest.raises(Cancelled):
            files.put(Body(whole.size_bytes, whole.sha256, until_stopped), "one")
        assert files.stat("one") is None
        assert [one.key for one in files.scan()] == []
        assert b"".join(files.open(files.put(whole, "one").locator)) == offer.large

    def test_what_is_deleted_is_gone_and_gone_is_no_error(self, offer: Offer) -> None:
        files = offer.files()
        if not offer.backend().traits.deletes:
            pytest.skip("files stay there")
        receipt = files.put(body(SMALL), "a/one")
        files.put(body(SMALL), "a/two")
        for _ in range(2):
            files.delete(receipt.locator)
            assert files.stat("a/one") is None
        assert [one.key for one in files.scan()] == ["a/two"]
        with pytest.raises(NotFound):
            next(files.open(receipt.locator), None)

    def test_what_is_not_there_is_not_found_before_the_first_byte(self, offer: Offer) -> None:
        with pytest.raises(NotFound):
            next(offer.files().open("nothing"), None)

    @pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a/../b", "a/.", "a\nb", "x" * 2000])
    def test_a_key_that_no_place_should_have_is_refused(self, offer: Offer, key: str) -> None:
        with pytest.raises(Invalid):
            offer.files().put(body(SMALL), key)

    def test_two_writers_at_once_end_well(self, offer: Offer) -> None:
        ended: list[str | AccelError] = []

        def run(data: bytes) -> None:
            try:
                files = offer.files()
                ended.append(files.put(body(data), "one").locator)
            except AccelError as error:
                ended.append(error)

        for contents in ((SMALL, SMALL), (SMALL, SMALL[::-1])):
            ended.clear()
            threads = [threading.Thread(target=run, args=(data,)) for data in contents]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            lies = b"".join(offer.files().open("one" if not isinstance(ended[0], str) else ended[0]))
            assert lies in contents
            assert any(isinstance(one, str) for one in ended), ended
            assert all(isinstance(one, str | Conflict | TryAgain) for one in ended), ended

    def test_it_is_well_and_says_so(self, offer: Offer) -> None:
        health = offer.backend().health()

        assert (health.reachable, health.writable) in ((True, True), (True, None))
        assert health.detail


class ServedFilesSuite(FilesSuite):
    """What must also hold of files over a network."""

    def test_a_login_that_is_refused_is_told(self, offer: ServedOffer) -> None:
        offer.refuse_logins()
        files = offer.files()

        with pytest.raises(NotAuthorised) as raised:
            files.put(body(SMALL), "one")
        assert raised.value.suggestion
        assert offer.backend().health().reachable is not True or offer.backend().health().writable is not True

    def test_a_server_that_is_down_is_unavailable(self, offer: ServedOffer) -> None:
        with offer.down():
            with pytest.raises((Unavailable, TryAgain)):
                offer.files().put(body(SMALL), "one")
            assert offer.backend().health().reachable is False
        assert b"".join(offer.files().open(offer.files().put(body(SMALL), "one").locator)) == SMALL

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_server_that_is_busy_is_worth_another_try(self, offer: ServedOffer, status: int) -> None:
        with offer.failing(status), pytest.raises(TryAgain):
            offer.files().put(body(SMALL), "one")
        assert offer.files().put(body(SMALL), "one").locator

    def test_an_answer_that_breaks_off_is_no_file(self, offer: ServedOffer) -> None:
        locator = offer.files().put(body(offer.large), "one").locator
        got = b""
        with offer.cutting(), pytest.raises((TryAgain, Unavailable)):
            for piece in offer.files().open(locator):
                got += piece
        assert got == offer.large[: len(got)]
        assert b"".join(offer.files().open(locator, len(got))) == offer.large[len(got) :]

    def test_nothing_is_asked_where_the_network_is_forbidden(self, offer: ServedOffer) -> None:
        with using(Call(offline=True)):
            for work in (
                lambda: offer.files().put(body(SMALL), "one"),
                lambda: next(offer.files().open("one"), None),
                lambda: offer.files().stat("one"),
                lambda: list(offer.files().scan()),
                offer.backend().health,
            ):
                with pytest.raises(Offline):
                    work()
