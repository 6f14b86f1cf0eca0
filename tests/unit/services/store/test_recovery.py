"""What a dead writer left is found, and cleared by the next writer; a living writer is left alone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.store import Root, Store


def leave_rubbish(home: Path) -> tuple[Path, Path]:
    """What is there after a writer died between its renames and its rows."""
    dead = home / "staging" / "0123"
    (dead / "objects").mkdir(parents=True)
    (dead / "lock").touch()
    (dead / "objects" / "1").write_bytes(b"half")
    orphan = home / "objects" / "ab" / ("ab" * 32)
    orphan.parent.mkdir(parents=True, exist_ok=True)
    orphan.write_bytes(b"whole but nobody's")
    return dead, orphan


def test_the_next_writer_clears_what_a_dead_one_left(store: Store, home: Path) -> None:
    dead, orphan = leave_rubbish(home)
    with store.session() as session:
        stored = session.file([b"new"])
        session.commit([Root(stored.cid, "store", "new", "file")])
    assert not dead.exists()
    assert not orphan.exists()
    assert store.check() == []


def test_check_names_rubbish_and_mend_removes_it(store: Store, home: Path) -> None:
    store.ls()
    dead, orphan = leave_rubbish(home)
    names = {str(path.relative_to(home)) for path in (dead, orphan)}
    findings = store.check()
    assert {finding.subject for finding in findings} == names
    assert all(finding.kind == "rubbish" and finding.mendable for finding in findings)
    assert {finding.subject for finding in store.mend()} == names
    assert store.check() == []


def test_gc_removes_a_file_without_a_row(store: Store, home: Path) -> None:
    store.ls()
    _, orphan = leave_rubbish(home)
    stray = home / "objects" / "ab" / "not a digest"
    stray.touch()
    store.gc()
    assert not orphan.exists()
    assert not stray.exists()


def test_a_living_writer_is_left_alone(store: Store, home: Path) -> None:
    with store.session() as session:
        stored = session.file([b"slow"])
        with Node(home) as other:
            assert other.store.check() == []
            assert other.store.mend() == []
            with other.store.session() as quick:
                quick.file([b"quick"])
                quick.commit()
        session.commit([Root(stored.cid, "store", "slow", "file")])
    assert b"".join(store.open(stored.cid)) == b"slow"


def test_a_lock_held_by_another_process_means_that_it_lives(store: Store, home: Path) -> None:
    store.ls()
    folder = home / "staging" / "4567"
    folder.mkdir(parents=True)
    ready, wait = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os.write(ready[1], b"!")
        os.read(wait[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    assert store.mend() == []
    assert folder.exists()
    os.write(wait[1], b"!")
    os.waitpid(child, 0)
    assert [finding.subject for finding in store.mend()] == ["staging/4567"]


def test_a_home_that_was_never_used_is_clean(home: Path) -> None:
    with Node(home / "unused") as node:
        assert node.store.check() == []
    assert not (home / "unused").exists()
