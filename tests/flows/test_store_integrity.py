"""Content that rots: found to the block, mended from any copy, kept at enough places."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import Conflict, NotFound, VerificationFailed
from ipfs_accel_cli.services.store.integrity.ledger import Ledger

LEAF = 1 << 20


@pytest.fixture
def place(tmp_path: Path, node: Node) -> Path:
    (tmp_path / "place").mkdir()
    node.store.backends.add("cold", "local", {"path": str(tmp_path / "place")})
    return tmp_path / "place"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "weights.bin"
    path.write_bytes(os.urandom(4 * LEAF + 777))
    return path


def flip(node: Node, cid: str, *offsets: int) -> None:
    """Flip a bit of a stored file, as a disk does: nothing else changes."""
    path = node.store.object_path(CID.parse(cid))
    status = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        for offset in offsets:
            file.seek(offset)
            byte = file.read(1)
            file.seek(offset)
            file.write(bytes([byte[0] ^ 4]))
    path.chmod(0o444)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_flipped_bit_is_found_to_the_block_and_named(node: Node, weights: Path) -> None:
    (stored,) = node.store.put([weights])
    flip(node, stored.cid, 2 * LEAF + 5)

    with pytest.raises(VerificationFailed) as raised:
        node.store.integrity.scrub()
    (error,) = raised.value.errors
    assert f"at {2 * LEAF}" in error["detail"]
    assert raised.value.suggestion == "ipfs-accel store repair --all"


def test_only_the_damaged_stretch_is_fetched_and_the_whole_is_sound_again(
    node: Node, place: Path, weights: Path
) -> None:
    (stored,) = node.store.put([weights], to=["cold:"])
    flip(node, stored.cid, 7, 3 * LEAF + 1)
    with pytest.raises(VerificationFailed):
        node.store.integrity.scrub()

    (repaired,) = node.store.integrity.repair([])
    assert repaired.cid == stored.cid
    assert list(node.store.integrity.repair([])) == []
    assert (repaired.blocks, repaired.size_bytes, repaired.source) == (2, 2 * LEAF, "cold")
    node.store.verify([stored.cid])
    assert b"".join(node.store.open(stored.cid).chunks) == weights.read_bytes()


def test_scrubbing_mends_by_the_way_where_it_is_asked_to(node: Node, place: Path, weights: Path) -> None:
    (stored,) = node.store.put([weights], to=["cold:"])
    flip(node, stored.cid, 7)

    scrubbed = node.store.integrity.scrub(repair=True)
    assert (scrubbed.repaired, scrubbed.damaged) == (1, [])
    node.store.verify()


def test_a_copy_that_is_damaged_at_the_same_place_mends_nothing(node: Node, place: Path, weights: Path) -> None:
    (stored,) = node.store.put([weights], to=["cold:"])
    (copy,) = [path for path in place.rglob("*") if path.stat().st_size > LEAF]
    data = bytearray(copy.read_bytes())
    data[7] ^= 1
    copy.write_bytes(data)
    flip(node, stored.cid, 7)
    before = node.store.object_path(CID.parse(stored.cid)).read_bytes()

    with pytest.raises(VerificationFailed, match="cold: its bytes are not that block"):
        list(node.store.integrity.repair([stored.cid]))
    assert next(node.home.objects.glob("*/*")).read_bytes() == before


def test_what_is_longest_unread_comes_first_and_a_stopped_run_goes_on(node: Node, tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).write_bytes(name.encode() * 3_000_000)
    cids = [stored.cid for stored in node.store.put([tmp_path / name for name in "abcd"])]
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    ledger = Ledger(node.database, lambda: moment)
    assert [due.verified_at for due in ledger.due(ledger.now())] == [""] * 4
    order = []
    for hours, cid in enumerate(cids):
        moment = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
        ledger.note(node.store.sha256(CID.parse(cid)), damaged=False)
        order.append(node.store.sha256(CID.parse(cid)))
    moment += timedelta(hours=1)
    assert [due.sha256 for due in ledger.due(ledger.now())] == order
    ledger.note(order[0], damaged=False)
    moment += timedelta(hours=1)
    assert [due.sha256 for due in ledger.due(ledger.now())] == [*order[1:], order[0]]


def test_a_run_whose_time_is_up_says_what_is_left(node: Node, tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(name.encode() * 1_000_000)
    list(node.store.put([tmp_path / name for name in "abc"]))

    nothing = node.store.integrity.scrub(seconds=0)
    assert (nothing.objects, nothing.left, nothing.oldest) == (0, 3, None)
    everything = node.store.integrity.scrub()
    assert (everything.objects, everything.left) == (3, 0)
    assert everything.oldest is not None


SCRUB = """
import sys
from ipfs_accel_cli import Node
with Node(sys.argv[1]) as node:
    print("begun", flush=True)
    node.store.integrity.scrub(rate_bytes_s=2_000_000)
"""


def test_a_killed_run_has_kept_what_it_read(node: Node, tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / str(number)).write_bytes(bytes([number]) * 1_000_000)
    list(node.store.put([tmp_path / str(number) for number in range(6)]))
    with subprocess.Popen([sys.executable, "-c", SCRUB, str(node.home.path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
        while not node.database.rows("SELECT * FROM ledger"):
            assert child.poll() is None
        child.kill()

    read = len(node.database.rows("SELECT * FROM ledger"))
    assert 0 < read < 6
    unread = [due for due in node.store.integrity.ledger.due("2999") if not due.verified_at]
    assert len(unread) == 6 - read


def test_everything_comes_to_enough_places_and_no_further(
    node: Node, place: Path, weights: Path, tmp_path: Path
) -> None:
    (stored,) = node.store.put([weights])
    (planned,) = node.store.integrity.heal(2, dry_run=True)
    assert (planned.cid, planned.copies, planned.to, planned.state) == (stored.cid, ["here"], ["cold"], "planned")
    assert not any(path.is_file() for path in place.rglob("*"))

    (done,) = node.store.integrity.heal(2)
    assert (done.state, done.to) == ("done", ["cold"])
    assert list(node.store.integrity.heal(2)) == []
    (short,) = node.store.integrity.heal(3)
    assert (short.state, short.detail) == ("short", "1 more backends are needed")


def rot(place: Path) -> None:
    copy = max(place.rglob("*"), key=lambda path: path.stat().st_size)
    copy.write_bytes(copy.read_bytes()[:-1] + b"!")


def test_a_copy_that_rotted_there_is_no_copy_and_another_place_gets_one(
    node: Node, place: Path, weights: Path, tmp_path: Path
) -> None:
    (stored,) = node.store.put([weights], to=["cold:"])
    rot(place)
    with pytest.raises(VerificationFailed) as raised:
        node.store.integrity.scrub(on="cold")
    assert raised.value.suggestion == "ipfs-accel store scrub --on cold --repair"
    assert node.store.exchange.known(CID.parse(stored.cid)) == []

    (failed,) = node.store.integrity.heal(2)
    assert (failed.state, failed.to) == ("failed", [])
    (tmp_path / "other").mkdir()
    node.store.backends.add("other", "local", {"path": str(tmp_path / "other")})
    (healed,) = node.store.integrity.heal(2)
    assert (healed.state, healed.to) == ("done", ["other"])


def test_a_copy_that_rotted_there_is_replaced_where_it_is_asked_for(node: Node, place: Path, weights: Path) -> None:
    (stored,) = node.store.put([weights], to=["cold:"])
    rot(place)

    scrubbed = node.store.integrity.scrub(on="cold", repair=True)
    assert (scrubbed.copies, scrubbed.repaired) == (1, 1)
    node.store.exchange.verify([stored.cid], "cold")


def test_a_backend_that_nobody_knows_is_not_called_sound(node: Node) -> None:
    with pytest.raises(NotFound, match="no backend named 'nowhere'"):
        node.store.integrity.scrub(on="nowhere")


def test_nothing_is_removed_below_its_minimum(
    node: Node, place: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stored,) = node.store.put([weights], to=["cold:"])
    monkeypatch.setenv("IPFS_ACCEL_STORE_MIN_COPIES", "1")
    with Node(node.home.path) as careful:
        careful.store.remove([stored.cid], on="cold")
        with pytest.raises(Conflict, match="would be at 0 places"):
            careful.store.remove([stored.cid])
        assert careful.store.has(CID.parse(stored.cid))
