from __future__ import annotations

import io
from collections.abc import Iterable

import pytest

from ipfs_accel_cli.backends.dags import car_blocks, checked, followed
from ipfs_accel_cli.content import car, dagcbor
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, RAW
from ipfs_accel_cli.content.multihash import IDENTITY, Multihash
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled, LimitReached, TryAgain, UnsupportedContent, VerificationFailed


def raw(text: str) -> Block:
    return Block(CID.of(text.encode(), RAW), text.encode())


def node(*links: CID, name: str = "") -> Block:
    data = dagcbor.encode({"links": list(links), "name": name})
    return Block(CID.of(data, DAG_CBOR), data)


A, B, C = raw("a"), raw("b"), raw("c")
INNER = node(A.cid, B.cid)
ROOT = node(INNER.cid, C.cid, A.cid)
WALK = [ROOT, INNER, A, B, C]


def pieces(data: bytes, size: int) -> Iterable[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def as_car(*blocks: Block) -> bytes:
    stream = io.BytesIO()
    car.write(stream, [ROOT.cid], blocks)
    return stream.getvalue()


@pytest.mark.parametrize(
    "order", [WALK, [ROOT, C, A, INNER, B], [ROOT, INNER, A, B, C, A]], ids=["deep", "any", "twice"]
)
def test_each_block_of_a_dag_comes_once_in_the_order_that_it_was_sent(order: list[Block]) -> None:
    assert list(followed(ROOT.cid, order)) == list(dict.fromkeys(order))


def test_a_part_that_is_sent_again_as_often_as_it_is_linked_is_no_lie() -> None:
    twice = node(INNER.cid, INNER.cid)

    assert list(followed(twice.cid, [twice, INNER, A, B, INNER, A, B])) == [twice, INNER, A, B]


@pytest.mark.parametrize(
    "order",
    [[INNER, ROOT], [ROOT, A, A, A], [ROOT, ROOT], [ROOT, raw("other")], [ROOT, B], [ROOT, Block(C.cid, b"x")]],
    ids=["another root", "too often", "for ever", "not asked for", "before its parent", "spoiled"],
)
def test_a_block_that_does_not_belong_there_is_found_out(order: list[Block]) -> None:
    with pytest.raises(VerificationFailed, match="a gateway"):
        list(followed(ROOT.cid, order, what="a gateway"))


def test_what_is_left_out_is_named_where_all_was_asked_for() -> None:
    with pytest.raises(TryAgain, match=str(B.cid)):
        list(followed(ROOT.cid, [ROOT, INNER, A, C]))
    assert list(followed(ROOT.cid, [ROOT, INNER], whole=False)) == [ROOT, INNER]
    with pytest.raises(TryAgain, match=str(ROOT.cid)):
        list(followed(ROOT.cid, []))


def test_what_lies_in_an_identity_cid_is_followed_and_not_waited_for() -> None:
    data = dagcbor.encode([A.cid])
    inside = Block(CID(1, DAG_CBOR, Multihash(IDENTITY, data)), data)
    top = node(inside.cid)

    assert list(followed(top.cid, [top, A])) == [top, A]
    assert list(followed(top.cid, [top, inside, A])) == [top, A]
    with pytest.raises(TryAgain, match=str(A.cid)):
        list(followed(top.cid, [top]))


def test_what_has_too_many_links_and_what_cannot_be_read_are_refused() -> None:
    with pytest.raises(LimitReached):
        list(followed(ROOT.cid, WALK, max_linked=2))
    strange = Block(CID.of(b"{}", 0x85), b"{}")
    with pytest.raises(UnsupportedContent, match="dag-jose"):
        list(followed(strange.cid, [strange]))


def test_what_is_sent_may_come_in_any_order_and_must_be_true_and_whole() -> None:
    assert list(checked(ROOT.cid, reversed(WALK))) == WALK[::-1]
    for wrong in (WALK[:-1], WALK[1:], [*WALK[:-1], Block(C.cid, b"x")]):
        with pytest.raises(VerificationFailed):
            list(checked(ROOT.cid, wrong))
    with pytest.raises(LimitReached):
        list(checked(ROOT.cid, WALK, max_linked=2))


def test_it_stops_when_the_caller_has_gone() -> None:
    call = Call()
    call.stopped.set()

    with using(call), pytest.raises(Cancelled):
        list(followed(ROOT.cid, WALK))


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_car_is_read_in_pieces_of_any_size(size: int) -> None:
    assert list(car_blocks(pieces(as_car(*WALK), size), "a gateway")) == WALK


def test_a_car_that_breaks_off_is_worth_another_try_and_what_is_none_is_not() -> None:
    with pytest.raises(TryAgain, match="a gateway broke off"):
        list(car_blocks(pieces(as_car(*WALK)[:-1], 7), "a gateway"))
    with pytest.raises(TryAgain):
        list(car_blocks([], "a gateway"))
    with pytest.raises(VerificationFailed, match="no CAR"):
        list(car_blocks([b"<html>" * 100], "a gateway"))
    with pytest.raises(VerificationFailed):
        list(car_blocks(pieces(as_car(ROOT, raw("x" * 100)), 7), "a gateway", max_block_bytes=80))
