"""What every backend that keeps whole DAGs must do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from ipfs_accel_cli.backends.base import Blocks, Dags, TakesDags
from ipfs_accel_cli.content.builder import Built, TreeBuilder, directory, leaf_digest
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.profiles import profile
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import NotFound, Offline, TryAgain, Unavailable, VerificationFailed
from tests.conformance.backend_suite import LARGE, Impatient, Offer, ServedOffer

PROFILE = profile("unixfs-v1-2025")
UNKNOWN = CID.of(b"nobody has this", RAW)


class Tree:
    """A DAG of files in a directory, with all its blocks in the order of a walk."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.blocks: dict[CID, bytes] = {}
        entries = [(name, self._file(data)) for name, data in files.items()]
        block, self.root = directory(entries, PROFILE)
        self.blocks[self.root.cid] = block

    def _file(self, data: bytes) -> Built:
        tree = TreeBuilder(PROFILE, self.blocks.__setitem__)
        for start in range(0, len(data), PROFILE.chunk_bytes):
            piece = data[start : start + PROFILE.chunk_bytes]
            tree.leaf(leaf_digest(piece, PROFILE), len(piece))
            self.blocks[CID.of(piece, RAW)] = piece
        return tree.finish()

    def walk(self) -> Iterator[tuple[CID, bytes]]:
        """Yield parents before children."""
        yield self.root.cid, self.blocks[self.root.cid]
        yield from ((cid, data) for cid, data in reversed(self.blocks.items()) if cid != self.root.cid)


TREE = Tree({"config.json": b"{}", "weights.bin": LARGE})


class DagsSuite(Impatient):
    """The cases of `Dags`, and of `TakesDags` where a place takes any; `offer` holds `TREE` once `bring` was called."""

    def bring(self, offer: Offer) -> Dags:
        """Let the place have `TREE`."""
        made = offer.backend()
        assert isinstance(made, Dags)
        assert isinstance(made, TakesDags)
        made.put_dag(TREE.root.cid, Blocks(TREE.walk))
        return made

    def test_a_dag_comes_whole_parents_first(self, offer: Offer) -> None:
        got = list(self.bring(offer).get_dag(TREE.root.cid))

        assert got[0].cid == TREE.root.cid
        assert {block.cid: block.data for block in got} == TREE.blocks

    def test_it_says_what_it_has(self, offer: Offer) -> None:
        assert self.bring(offer).has([TREE.root.cid, UNKNOWN]) == {TREE.root.cid}

    def test_what_is_not_there_is_not_found(self, offer: Offer) -> None:
        with pytest.raises((NotFound, TryAgain)):
            next(self.bring(offer).get_dag(UNKNOWN))

    def test_a_scope_and_a_span_bring_less(self, offer: Offer) -> None:
        dags = self.bring(offer)
        assert [block.cid for block in dags.get_dag(TREE.root.cid, scope="block")] == [TREE.root.cid]
        got = {block.cid for block in dags.get_dag(TREE.root.cid, "weights.bin", "entity", (0, 1000))}
        assert CID.of(LARGE[: PROFILE.chunk_bytes], RAW) in got
        assert CID.of(LARGE[-12345:], RAW) not in got
        assert got < set(TREE.blocks)

    def test_a_dag_can_be_put_twice_listed_and_removed(self, offer: Offer) -> None:
        self.bring(offer)
        backend = self.bring(offer)
        if not isinstance(backend, TakesDags):
            pytest.skip("it takes no DAGs")
        assert TREE.root.cid in set(backend.dags())
        for _ in range(2):
            backend.remove_dag(TREE.root.cid)
            assert TREE.root.cid not in set(backend.dags())


class ServedDagsSuite(DagsSuite):
    """What must also hold of DAGs over a network."""

    def test_a_server_that_lies_is_found_out(self, offer: ServedOffer) -> None:
        dags, got = self.bring(offer), {}
        with offer.spoiling(), pytest.raises(VerificationFailed):
            got = {block.cid: block.data for block in dags.get_dag(TREE.root.cid)}
        assert all(TREE.blocks[cid] == data for cid, data in got.items())

    def test_an_answer_that_breaks_off_is_told(self, offer: ServedOffer) -> None:
        dags = self.bring(offer)
        with offer.cutting(), pytest.raises((TryAgain, Unavailable)):
            list(dags.get_dag(TREE.root.cid))
        assert len({block.cid for block in dags.get_dag(TREE.root.cid)}) == len(TREE.blocks)

    def test_a_server_that_is_down_is_told(self, offer: ServedOffer) -> None:
        dags = self.bring(offer)
        with offer.down():
            with pytest.raises((Unavailable, TryAgain)):
                list(dags.get_dag(TREE.root.cid))
            assert offer.backend().health().reachable is False

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_server_that_is_busy_is_worth_another_try(self, offer: ServedOffer, status: int) -> None:
        dags = self.bring(offer)
        with offer.failing(status), pytest.raises(TryAgain):
            list(dags.get_dag(TREE.root.cid))

    def test_nothing_is_asked_where_the_network_is_forbidden(self, offer: ServedOffer) -> None:
        dags = self.bring(offer)
        with using(Call(offline=True)), pytest.raises(Offline):
            list(dags.get_dag(TREE.root.cid))
        with using(Call(offline=True)), suppress(NotFound), pytest.raises(Offline):
            dags.has([TREE.root.cid])
