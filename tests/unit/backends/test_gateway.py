from __future__ import annotations

import os

import pytest

from ipfs_accel_cli.content import dagcbor, hamt
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.car import MAX_BLOCK_BYTES, Block
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, RAW
from ipfs_accel_cli.content.multihash import IDENTITY, Multihash
from ipfs_accel_cli.content.profiles import profile
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import (
    Cancelled,
    Invalid,
    NotAuthorised,
    NotFound,
    TryAgain,
    VerificationFailed,
)
from tests.conformance.dags_suite import TREE, UNKNOWN, Tree
from tests.servers.serving import Faults
from tests.unit.backends.gateways import CHUNK, LEAVES, ROOT, Serve, backend, got, over


class TestOneGateway:
    def test_a_range_of_a_file_brings_only_the_blocks_that_hold_it(self, serve: Serve) -> None:
        (one,) = serve()
        blocks = got(over([one]), path="weights.bin", scope="entity", span=(CHUNK, 2 * CHUNK))

        assert set(LEAVES) & set(blocks) == set(LEAVES[1:3])
        assert set(one.sent) == set(blocks)
        assert got(over([one]), path="weights.bin", span=(-5, None)).keys() & set(LEAVES) == {LEAVES[-1]}

    def test_blocks_that_are_in_their_cid_are_not_waited_for(self, serve: Serve) -> None:
        inline = CID(1, RAW, Multihash(IDENTITY, b"small"))
        data = dagcbor.encode({"here": inline, "there": LEAVES[-1]})
        root = CID.of(data, DAG_CBOR)
        (one,) = serve(blocks=TREE.blocks | {root: data})
        one.hand.blocks = lambda blocks: [blocks[0], Block(inline, b"small"), *blocks[1:]]

        assert got(over([one]), root).keys() == {root, LEAVES[-1]}
        assert got(over([one]), inline) == {}
        assert over([one]).has([inline, UNKNOWN]) == {inline}

    def test_a_sharded_directory_comes_whole_and_by_path(self, serve: Serve) -> None:
        blocks: dict[CID, bytes] = {}
        entries = []
        for number in range(3000):
            data = str(number).encode()
            blocks[CID.of(data, RAW)] = data
            entries.append((f"{number:0100}", Built(CID.of(data, RAW), len(data), len(data))))
        root = hamt.build_directory(entries, profile("unixfs-v1-2025"), blocks.__setitem__).cid
        (one,) = serve(blocks=blocks)

        assert got(over([one]), root) == blocks
        assert len(got(over([one]), root, path=f"{77:0100}")) < 10

    def test_a_path_may_hold_any_characters(self, serve: Serve) -> None:
        tree = Tree({"ünï cødé %2F?#&+": b"x", "other": b"y"})
        (one,) = serve(blocks=tree.blocks)

        blocks = got(over([one]), tree.root.cid, path="ünï cødé %2F?#&+")
        assert set(blocks) == {tree.root.cid, CID.of(b"x", RAW)}
        with pytest.raises(NotFound):
            got(over([one]), tree.root.cid, path="ünï")
        with pytest.raises(Invalid):
            got(over([one]), tree.root.cid, path="a/../b")

    @pytest.mark.parametrize("size_bytes", [(2 << 20) + 1, MAX_BLOCK_BYTES])
    def test_a_large_block_comes_and_a_giant_one_does_not(self, serve: Serve, size_bytes: int) -> None:
        large, giant = os.urandom(size_bytes), bytes(MAX_BLOCK_BYTES + 1)
        (one,) = serve(blocks={CID.of(large, RAW): large, CID.of(giant, RAW): giant})

        assert got(over([one]), CID.of(large, RAW)) == {CID.of(large, RAW): large}
        with pytest.raises(VerificationFailed, match=one.url):
            got(over([one]), CID.of(giant, RAW))

    @pytest.mark.parametrize("status", [400, 406, 501])
    def test_a_gateway_without_cars_gives_block_by_block(self, serve: Serve, status: int) -> None:
        (one,) = serve()
        one.hand.refuses = {"car": status}

        assert got(over([one])) == TREE.blocks
        assert sorted(one.sent) == sorted(TREE.blocks)
        one.sent.clear()
        assert got(over([one]), path="config.json").keys() == {ROOT, CID.of(b"{}", RAW)} == set(one.sent)

    def test_what_it_has_is_asked_without_the_bytes(self, serve: Serve) -> None:
        (one,) = serve()
        assert over([one]).has([ROOT, *LEAVES, UNKNOWN, ROOT]) == {ROOT, *LEAVES}
        assert {line.split()[0] for line in one.log} == {"HEAD"}
        one.hand.refuses = {"HEAD": 405}
        assert over([one]).has([ROOT, UNKNOWN]) == {ROOT}

    def test_a_body_without_a_length_comes_whole_and_one_cut_short_does_not(self, serve: Serve) -> None:
        (one,) = serve()
        for faults in (Faults(chunked=True), Faults(unbounded=True)):
            one.faults = faults
            assert got(over([one])) == TREE.blocks
            one.log.clear()

    def test_a_server_that_falls_silent_is_given_up(self, serve: Serve) -> None:
        (one,) = serve()
        one.faults = Faults(stalls=1 << 30)
        with using(Call(read_seconds=0.2)), pytest.raises(TryAgain):
            got(over([one]))

    def test_whoever_cancels_is_heard(self, serve: Serve) -> None:
        call = Call()
        with using(call), pytest.raises(Cancelled):
            for _ in over(serve(2)).get_dag(ROOT):
                call.stopped.set()

    @pytest.mark.parametrize(
        "url", ["", "gateway.example", "ftp://a.example", "https://", "https://a.example?x=1", "https://a.example,"]
    )
    def test_an_address_that_is_none_is_refused(self, url: str) -> None:
        with pytest.raises(Invalid):
            backend(url)

    def test_a_login_in_an_address_is_refused_and_not_repeated(self) -> None:
        with pytest.raises(Invalid) as raised:
            backend("https://user:hidden@a.example")
        assert "hidden" not in str(raised.value)


class TestWhoAsks:
    def test_only_the_owner_uses_the_token_and_it_is_never_shown(self, serve: Serve) -> None:
        (one,) = serve()
        dags = over([one], token="hidden")
        got(dags)
        assert set(one.logins) == {"Bearer hidden"}
        one.faults.status = 403
        with pytest.raises(NotAuthorised) as raised:
            got(dags)
        assert raised.value.suggestion
        assert "hidden" not in f"{raised.value} {dags.health()}"

    def test_a_redirect_is_followed_and_the_token_stays_behind(self, serve: Serve) -> None:
        first, second = serve(2)
        first.hand.moved = second.url
        assert got(over([first], token="hidden")) == TREE.blocks
        assert set(first.logins) == {"Bearer hidden"}
        assert set(second.logins) == {""}

    def test_other_callers_get_to_the_public_internet_only(self, serve: Serve) -> None:
        (one,) = serve()
        dags = over([one], token="hidden")
        with using(Call(principal=Principal("agent", "mcp"), folders=())):
            for work in (lambda: got(dags), lambda: dags.has([ROOT])):
                with pytest.raises(NotAuthorised, match="public internet"):
                    work()
            assert dags.health().reachable is False
        assert one.log == []
