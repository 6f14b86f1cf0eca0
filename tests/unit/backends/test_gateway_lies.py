from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.gateway import arriving
from ipfs_accel_cli.content import varint
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.selection import select
from ipfs_accel_cli.core.errors import (
    TryAgain,
    VerificationFailed,
)
from tests.conformance.dags_suite import TREE, Tree
from tests.servers.plain_gateway import PlainGateway, plain_gateway, section
from tests.servers.serving import Faults
from tests.unit.backends.gateways import CHUNK, LEAVES, ROOT, STRANGER, WEIGHTS, Serve, got, over


def _strangers() -> Iterator[bytes]:
    for number in itertools.count():
        data = number.to_bytes(8, "big") * 8000
        yield section(CID.of(data, RAW), data)


def _spoiled(blocks: list[Block]) -> list[Block]:
    return [*blocks[:4], Block(blocks[4].cid, bytes(len(blocks[4].data))), *blocks[5:]]


OTHER = Tree({"config.json": b"[]"})
LIES: dict[str, Callable[[PlainGateway], None]] = {
    "spoiled bytes": lambda site: setattr(site.hand, "blocks", _spoiled),
    "another root": lambda site: setattr(site.hand, "blocks", lambda _: [Block(*one) for one in OTHER.walk()]),
    "blocks of nobody": lambda site: setattr(site.hand, "endless", _strangers()),
    "a stranger at the end": lambda site: setattr(
        site.hand, "blocks", lambda blocks: [*blocks[:5], Block(CID.of(STRANGER, RAW), STRANGER)]
    ),
    "a giant section": lambda site: setattr(site.hand, "endless", iter([varint.encode(1 << 40), *[bytes(CHUNK)] * 99])),
    "a page": lambda site: setattr(site.hand, "page", b"<html>Pay here to go on"),
    "another type": lambda site: setattr(site.hand, "kind", "application/octet-stream"),
    "no CAR": lambda site: setattr(site.hand, "endless", iter([b"\x0a" + bytes(CHUNK)] * 99)),
    "compressed": lambda site: setattr(site, "faults", Faults(compressed=True)),
}


@pytest.fixture(params=LIES)
def liar(request: pytest.FixtureRequest, serve: Serve) -> PlainGateway:
    (site,) = serve()
    if request.param in ("blocks of nobody", "a giant section", "no CAR"):
        site.hand.blocks = lambda blocks: blocks[:4] if request.param != "no CAR" else []
    LIES[request.param](site)
    return site


class TestLies:
    def test_a_gateway_that_lies_is_named_and_no_wrong_block_comes(self, liar: PlainGateway) -> None:
        dags, blocks = over([liar]), []
        with pytest.raises(VerificationFailed, match=liar.url):
            for block in dags.get_dag(ROOT):
                blocks.append(block)
        assert all(TREE.blocks[block.cid] == block.data for block in blocks)
        asked = len(liar.log)
        with pytest.raises(VerificationFailed, match=liar.url):
            got(dags)
        assert len(liar.log) == asked
        assert liar.url in dags.health().detail
        assert "lied" in dags.health().detail

    def test_another_goes_on_after_a_lie(self, liar: PlainGateway, serve: Serve) -> None:
        (honest,) = serve()
        dags = over([liar, honest])
        assert got(dags) == TREE.blocks
        asked = len(liar.log)
        assert got(dags) == TREE.blocks
        assert len(liar.log) == asked

    def test_where_all_lie_all_are_named(self, serve: Serve) -> None:
        first, second = serve(2)
        first.hand.page, second.hand.kind = b"<html>", "text/plain"
        with pytest.raises(VerificationFailed) as raised:
            got(over([first, second]))
        assert first.url in raised.value.detail
        assert second.url in raised.value.detail

    @pytest.mark.parametrize("stated", ["order=dfs; dups=y", "order=unk"])
    def test_blocks_in_another_order_and_more_than_was_asked_for_are_no_lie(self, serve: Serve, stated: str) -> None:
        (one,) = serve()
        dags = over([one])
        one.hand.car_kind = f"application/vnd.ipld.car; version=1; {stated}"
        one.hand.blocks = lambda blocks: [blocks[0], *reversed(blocks[1:])]
        assert got(dags) == TREE.blocks
        assert len(one.log) == 1
        one.hand.blocks = lambda _: [Block(*each) for each in TREE.walk()][:4]
        assert got(dags, path="config.json").keys() == {ROOT, CID.of(b"{}", RAW)}
        assert dags.health().detail.startswith("1 of 1")

    @pytest.mark.parametrize(
        "order",
        [
            lambda blocks: blocks[::-1],
            lambda blocks: [blocks[2], *blocks, *blocks],
            lambda blocks: [Block(CID.of(STRANGER, RAW), STRANGER), *blocks],
        ],
        ids=["the root last", "twice", "after one of nobody"],
    )
    def test_the_order_in_which_blocks_come_does_not_matter(
        self, serve: Serve, order: Callable[[list[Block]], list[Block]]
    ) -> None:
        (one,) = serve()
        one.hand.blocks = order
        assert list(over([one]).get_dag(ROOT)) == list(select(ROOT, "", "all", None, TREE.blocks.__getitem__))
        assert len(one.log) == 1

    def test_a_single_block_that_is_another_is_a_lie(self, serve: Serve) -> None:
        (one,) = serve()
        one.hand.refuses = {"car": 406}
        one.hand.raw = lambda data: data[::-1]
        with pytest.raises(VerificationFailed, match=one.url):
            got(over([one]))

    def test_a_page_is_no_block_that_a_gateway_has(self, serve: Serve) -> None:
        (one,) = serve()
        one.hand.page = b"<html>"
        with pytest.raises(VerificationFailed, match=one.url):
            over([one]).has([ROOT])

    def test_the_same_blocks_for_ever_are_not_read_for_ever(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(arriving, "MAX_SKIPPED_BYTES", 4 * CHUNK)
        (one,) = serve()
        leaf = section(LEAVES[0], WEIGHTS[:CHUNK])
        one.hand.blocks, one.hand.endless = lambda blocks: blocks[:4], itertools.repeat(leaf)
        assert got(over([one])) == TREE.blocks
        assert LEAVES[2] in one.sent

    def test_a_car_that_ends_early_as_if_it_were_whole_is_not_taken_for_whole(self, serve: Serve) -> None:
        (one,) = serve()
        one.hand.cut_bytes, one.hand.refuses = 2 * CHUNK, {}
        assert got(over([one])) == TREE.blocks
        one.hand.refuses = {"raw": 500}
        with pytest.raises(TryAgain):
            got(over([one]))


SMALL = Tree({"a": b"1", "b": b"2", "c": b"3", "d": b"4"})
STRANGE = [Block(CID.of(text, RAW), text) for text in (b"x", b"y")]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["keep", "spoil", "stranger"])), max_size=12),
    st.integers(1, 400) | st.none(),
)
def test_whatever_a_gateway_sends_only_the_dag_comes_out_and_whole_means_whole(
    site: PlainGateway, plan: list[tuple[int, str]], cut_bytes: int | None
) -> None:
    def dealt(blocks: list[Block]) -> list[Block]:
        made = []
        for place, how in plan:
            block = (blocks + STRANGE)[place] if how == "stranger" else blocks[place % len(blocks)]
            made.append(Block(block.cid, b"?" + block.data) if how == "spoil" else block)
        return made

    site.hand.blocks, site.hand.cut_bytes, site.hand.refuses = dealt, cut_bytes, {"raw": 503}
    blocks: list[Block] = []
    try:
        for block in over([site]).get_dag(SMALL.root.cid):
            blocks.append(block)
    except (VerificationFailed, TryAgain):
        pass
    else:
        assert {block.cid for block in blocks} == set(SMALL.blocks)
    assert all(SMALL.blocks[block.cid] == block.data for block in blocks)
    assert [block.cid for block in blocks][:1] in ([], [SMALL.root.cid])


@pytest.fixture(scope="module")
def site() -> Iterator[PlainGateway]:
    with plain_gateway(SMALL.blocks) as served:
        yield served
