"""The parts of the Storacha backend that need no server: shards, notes and addresses."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.storacha.backend import StorachaBackend
from ipfs_accel_cli.backends.storacha.endpoints import Endpoints
from ipfs_accel_cli.backends.storacha.login import Login
from ipfs_accel_cli.backends.storacha.notes import Notes
from ipfs_accel_cli.backends.storacha.refusals import refused
from ipfs_accel_cli.backends.storacha.shards import SHARD_BYTES, cut
from ipfs_accel_cli.content import car, dagcbor, principal
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.multihash import Multihash
from ipfs_accel_cli.core.breaker import Rules
from ipfs_accel_cli.core.errors import (
    AccelError,
    LimitReached,
    NotAuthorised,
    NotFound,
    RemoteFailed,
    TryAgain,
    Unavailable,
)
from tests.servers.plain_gateway import plain_gateway

LEAVES = [os.urandom(size) for size in (0, 1, 100, 1000, 5000)]


def dag(leaves: list[bytes]) -> list[Block]:
    """Return a root that links to leaves, parents first."""
    below = [Block(CID.of(leaf), leaf) for leaf in leaves]
    root = dagcbor.encode([block.cid for block in below])
    return [Block(CID.of(root, DAG_CBOR), root), *below]


def shards(blocks: list[Block], folder: Path, shard_bytes: int) -> list[tuple[bytes, dict[Multihash, tuple[int, int]]]]:
    found = []
    for one in cut(blocks[0].cid, blocks, folder, shard_bytes):
        data = b"".join(one.spool.pieces())
        assert (len(data), CID.of(data).multihash) == (one.spool.size_bytes, one.shard.digest)
        found.append((data, one.shard.slices))
    return found


@settings(deadline=None)
@given(leaves=st.lists(st.sampled_from(LEAVES) | st.binary(max_size=200), max_size=12), bound=st.integers(1, 8000))
def test_shards_hold_each_block_once_where_the_index_says(
    tmp_path_factory: pytest.TempPathFactory, leaves: list[bytes], bound: int
) -> None:
    blocks, folder = dag(leaves), tmp_path_factory.getbasetemp()
    made, seen = shards(blocks, folder, bound), []
    for data, slices in made:
        inside = list(car.open_reader(io.BytesIO(data)).blocks)
        assert len(data) <= bound or len(inside) == 1
        assert {digest: data[at : at + length] for digest, (at, length) in slices.items()} == {
            block.cid.multihash: block.data for block in inside
        }
        seen += inside
    assert seen == list({block.cid.multihash: block for block in blocks}.values())
    assert shards(blocks, folder, bound) == made


def test_a_shard_just_fits_a_piece_of_filecoin() -> None:
    assert SHARD_BYTES == 128 * (1 << 20) * 127 // 128


def test_no_shard_leaves_a_file_behind(tmp_path: Path) -> None:
    for _ in cut((blocks := dag(LEAVES))[0].cid, blocks, tmp_path, 2000):
        assert list(tmp_path.iterdir()) == []


def test_notes_outlive_a_line_that_was_not_finished(tmp_path: Path) -> None:
    one, two = CID.of(b"1"), CID.of(b"2")
    notes = Notes(tmp_path, "service", "space", "root")
    assert notes.accepted() == set()
    notes.add(one)
    (file,) = tmp_path.iterdir()
    with file.open("ab") as opened:
        opened.write(str(CID.of(b"3")).encode()[:20])
    Notes(tmp_path, "service", "space", "root").add(two)

    assert notes.accepted() == {one, two}
    assert Notes(tmp_path, "service", "other space", "root").accepted() == set()
    notes.forget()
    notes.forget()
    assert notes.accepted() == set()


def test_the_gateway_that_is_read_through_never_sees_the_key_of_the_agent(tmp_path: Path) -> None:
    blocks = dag(LEAVES)
    with plain_gateway({block.cid: block.data for block in blocks}) as site:
        config = Config("far", {"gateway": site.url}, tmp_path, lambda: "the key")
        assert set(StorachaBackend(config).get_dag(blocks[0].cid)) == set(blocks)
    assert set(site.logins) == {""}


class TestAddresses:
    def test_the_first_is_asked_again_once_it_has_cooled_down(self) -> None:
        now, down, asked = [0.0], {"http://a"}, list[str]()
        endpoints = Endpoints(["http://a", "http://b/"], lambda: now[0])

        def work(url: str) -> str:
            asked.append(url)
            if url in down:
                raise Unavailable("down")
            return url

        for _ in range(Rules().failures + 2):
            assert endpoints.ask(work) == "http://b"
        assert asked.count("http://a") == Rules().failures
        assert endpoints.states() == [("http://a", "open"), ("http://b", "closed")]

        now[0], down = Rules().cool_down_s, set[str]()
        assert endpoints.ask(work) == "http://a"
        assert endpoints.used == "http://a"
        assert endpoints.states()[0] == ("http://a", "closed")

    def test_what_all_of_them_say_is_told_and_busy_goes_before_down(self) -> None:
        def work(url: str) -> None:
            raise TryAgain("busy") if url == "http://a" else Unavailable("down")

        with pytest.raises(TryAgain):
            Endpoints(["http://a", "http://b"]).ask(work)

    def test_an_answer_that_says_no_is_no_failure_of_the_server(self) -> None:
        endpoints, asked = Endpoints(["http://a", "http://b"]), list[str]()

        def work(url: str) -> None:
            asked.append(url)
            raise NotFound("nothing there")

        for _ in range(Rules().failures + 1):
            with pytest.raises(NotFound):
                endpoints.ask(work)
        assert set(asked) == {"http://a"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"name": "InsufficientStorage", "message": "no room"}, LimitReached),
        ({"name": "UploadNotFound"}, NotFound),
        ({"name": "CandidateUnavailable", "message": "no node"}, TryAgain),
        ({"name": "Unauthorized", "message": 'Claim {"can":"upload/list"} is not authorized'}, NotAuthorised),
        ({"name": "Unauthorized", "message": 'Claim {"can":"assert/index"} is not authorized'}, RemoteFailed),
        ({"name": "HandlerExecutionError", "message": "a\nb\x00c"}, RemoteFailed),
        ("not even a map", RemoteFailed),
    ],
)
def test_each_error_of_the_service_has_its_meaning(error: object, kind: type[AccelError]) -> None:
    who = principal.signer(bytes(32))
    made = refused("upload/list at http://a", error, Login("far", who, who.did), datetime.now(UTC), 0.0)
    assert type(made) is kind
    assert "\n" not in made.detail
    assert "\0" not in made.detail
