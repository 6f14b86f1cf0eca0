"""Ten thousand crashes of the store in a model of the disk: after every step, in every state that it may leave.

The operations are the real ones, on a real folder; `wire` tells of each step that they take, `disk` says what a crash
just there may leave, and `stories.examine` opens what was left with the real store. Some operations are cut off on the
way and the story goes on with what is there, as after a kill; so what one writer leaves half-done meets the next.

A crash point is one state after one step. States that are equal but for a dead writer's rubbish are examined once.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.core import files
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.services.store import collecting, committing, lease, places, staging
from tests.crash.disk import Disk, State, lay_out
from tests.crash.stories import TINY, Kept, Operation, World, choose, close, examine, kept_by, named, open_store
from tests.crash.wire import Dead, Wire

POINTS = 10_000
OPERATIONS = 8  # Of one story.
CUT_OFF = 0.4  # The share of them that do not get to their end, if they take so many steps.
REPEATED = 0.1  # The share of crashes after which the operation is run again.


@dataclass
class Tally:
    """What a run went through."""

    points: int = 0
    operations: int = 0
    steps: int = 0
    cut_off: int = 0
    examined: set[Any] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


class Story:
    """One home from its first operation on, with a crash examined after every step."""

    def __init__(self, world: World, root: Path, seed: int, tally: Tally) -> None:
        self.world = world
        self.root = root / "real"
        self.root.mkdir()
        self._scratch = root / "scratch"
        self._chance = random.Random(seed)
        self._seed = seed
        self._tally = tally
        self._kept: frozenset[Kept] = frozenset()
        self._running: Operation | None = None
        (root / "names").mkdir()
        self._disk = Disk(self.root, root / "names")
        for path in world.linked:
            self._disk.safe(path)
        self._wire = Wire(self.root, self._on_sync, self._on_step)

    def tell(self, script: Sequence[str] = ()) -> None:
        """Run operations by chance, cutting some off, or those of a script to their ends."""
        try:
            for number in range(len(script) or OPERATIONS):
                if script:
                    self._operate(named(script[number], self.world, self._kept), None)
                else:
                    cut_at = self._chance.randrange(1, 40) if self._chance.random() < CUT_OFF else None
                    self._operate(choose(self.world, self._kept, self._chance), cut_at)
                if self._tally.failures:
                    return  # What follows would only tell of the same again.
        finally:
            self._disk.close()

    def _operate(self, operation: Operation, cut_at: int | None) -> None:
        self._running = operation
        self._tally.operations += 1
        self._wire.arm(cut_at)
        store = open_store(self.root / "home")
        with self._wire.laid():
            try:
                given = operation.run(store)
                assert given == operation.gives
                self._kept = (self._kept | operation.adds) - operation.drops
                self._running = None
                self._on_step("done")
            except Dead:
                self._tally.cut_off += 1
            finally:
                close(store)
        self._kept = self._found()

    def _found(self) -> frozenset[Kept]:
        """Return what is kept now: of an operation that was cut off, all or nothing."""
        store = open_store(self.root / "home")
        try:
            return kept_by(store, self.root / "home")
        finally:
            close(store)

    def _on_sync(self, number: int) -> None:
        self._disk.look()
        self._disk.sync(number)

    def _on_step(self, label: str) -> None:
        self._disk.look()
        self._tally.steps += 1
        for way, state in self._disk.states(self._chance):
            self._tally.points += 1
            key = (_but_for_rubbish(state), self._wire.database, self._kept, self._running)
            if key in self._tally.examined:
                continue
            self._tally.examined.add(key)
            try:
                self._examine(state)
            except Exception as error:
                name = self._running.name if self._running else "nothing"
                where = f"story {self._seed}, {name}, step {self._wire.step} ({label}), {way}"
                self._tally.failures.append(f"{where}: {type(error).__name__}: {error}")

    def _examine(self, state: State) -> None:
        lay_out(state, self._scratch)
        try:
            home = self._scratch / "home"
            if home.exists():
                for name, content in self._wire.database:
                    (home / name).write_bytes(content)
            examine(home, self.world, self._kept, self._running, repeat=self._chance.random() < REPEATED)
        finally:
            shutil.rmtree(self._scratch)


def _but_for_rubbish(state: State) -> State:
    """Leave out what a dead writer had not finished, which is swept unread, but for its lock and what it had found."""
    return tuple(
        (name, content)
        for name, content in state
        if name.count("/") < 3 or not name.startswith("home/staging/") or name.endswith(("/lock", "/found"))
    )


@contextmanager
def worlds() -> Iterator[tuple[World, Path]]:
    # In memory, for what is synced here is synced in the model alone.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as made:
        (Path(made) / "user").mkdir()
        yield World.make(Path(made) / "user"), Path(made)


def run(points: int, script: Sequence[str] = ()) -> Tally:
    """Tell stories until there were so many crash points, or until one ends badly; of a script, only that one."""
    tally = Tally()
    with worlds() as (world, folder):
        for seed in itertools.count(1):
            (folder / str(seed)).mkdir()
            Story(world, folder / str(seed), seed, tally).tell(script)
            if script or tally.failures or tally.points >= points:
                return tally
    raise AssertionError("stories end")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let little data make deep trees, and some of their blocks files."""
    for profile in TINY:
        monkeypatch.setitem(PROFILES, profile.name, profile)
    monkeypatch.setattr(staging, "INLINE_BYTES", 200)


def without(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    monkeypatch.setattr(module, name, lambda *_, **__: None)


def sync_less(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = Database._connect

    def lax(self: Database) -> sqlite3.Connection:
        connection = connect(self)
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    monkeypatch.setattr(Database, "_connect", lax)


def unlink_early(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = collecting._sweep

    def early(*args: Any) -> list[Path]:
        for path in sweep(*args):
            path.unlink(missing_ok=True)
        return []

    monkeypatch.setattr(collecting, "_sweep", early)


SAFEGUARDS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the home's own name is synced": lambda patch: without(patch, files, "sync_folder"),
    "files are synced before they are renamed": lambda patch: without(patch, committing, "_sync"),
    "a shelf is synced after something is put on it": lambda patch: without(patch, committing, "sync_folder"),
    "a shelf's own name is synced": lambda patch: without(patch, places, "sync_folder"),
    "a link's replacement is announced": lambda patch: without(patch, committing, "_announce"),
    "transactions are synced": sync_less,
    "gc unlinks only what has no row any more": unlink_early,
    "the next writer clears what a dead one left": lambda patch: without(patch, lease, "sweep_orphans"),
}


# What chance takes long to come to.
SCRIPTS = {
    "a link's replacement is announced": ("put file1 tiny --link", "put file1 tiny"),
    "gc unlinks only what has no row any more": ("put file1 tiny", "rm", "put file2 tiny", "gc"),
}


@pytest.mark.parametrize("safeguard", SAFEGUARDS)
def test_the_model_sees_when_a_safeguard_is_taken_away(safeguard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    SAFEGUARDS[safeguard](monkeypatch)
    tally = run(POINTS, SCRIPTS.get(safeguard, ()))
    assert tally.failures, f"nothing was found at {tally.points} crash points"


def test_a_copy_takes_the_place_of_a_link_without_a_moment_of_neither() -> None:
    assert run(POINTS, ("put file1 tiny --link", "put file1 tiny", "put file1 tiny --link")).failures == []


@pytest.mark.slow
def test_ten_thousand_crashes_lose_nothing_and_leave_nothing_half_done() -> None:
    tally = run(POINTS)
    print(
        f"{tally.points} crash points, {len(tally.examined)} different; {tally.steps} steps of {tally.operations}"
        f" operations, {tally.cut_off} of them cut off"
    )
    assert tally.failures == []
    assert tally.points >= POINTS
    assert tally.cut_off >= 10


def test_a_file_that_was_hashed_while_it_arrived_lasts_once_it_is_kept() -> None:
    assert run(POINTS, ("follow arrived0", "rm", "gc", "follow arrived1")).failures == []
