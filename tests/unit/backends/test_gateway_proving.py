from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.gateway.proving import proven
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import TryAgain, VerificationFailed

SMALL, LARGE = b"small", bytes(40_000)


def made(kind: str, number: int) -> Block:
    data = b"%d" % number + (SMALL if kind == "small" else LARGE)
    return Block(CID.of(b"other" if kind == "false" else data), data)


def prove(block: Block) -> None:
    if CID.of(block.data) != block.cid:
        raise VerificationFailed("that is another")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["small", "large", "large", "false"]), max_size=40), st.booleans())
def test_blocks_come_in_their_order_up_to_the_first_that_is_false(kinds: list[str], breaks: bool) -> None:
    blocks = [made(kind, number) for number, kind in enumerate(kinds)]

    def come() -> Iterator[Block]:
        yield from blocks
        if breaks:
            raise TryAgain("broke off")

    right = blocks[: kinds.index("false")] if "false" in kinds else blocks
    got: list[Block] = []
    try:
        for block in proven(come(), prove):
            got.append(block)
    except VerificationFailed:
        assert "false" in kinds
    except TryAgain:
        assert breaks
        assert "false" not in kinds
    else:
        assert not breaks
        assert "false" not in kinds
    assert got == right


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    blocks = proven((made("large", number) for number in range(100)), prove)
    assert next(blocks) == made("large", 0)
    blocks.close()
    assert threading.active_count() == before


def test_what_nobody_foresaw_is_raised_where_the_block_was_due() -> None:
    def fail(block: Block) -> None:
        if block == made("large", 1):
            raise ZeroDivisionError

    blocks = proven((made("large", number) for number in range(5)), fail)
    assert next(blocks) == made("large", 0)
    with pytest.raises(ZeroDivisionError):
        next(blocks)
