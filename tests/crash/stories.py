"""Stories of a store: operations by chance, what they are to give, and what must hold wherever one is cut off.

What must hold in every state that a crash may leave (`examine`):

* what an operation kept and acknowledged is kept, whole, and every byte of it verifies; what was given up is gone or
  whole; of the operation that was cut off, all or nothing is there;
* the tables and the files agree, but for rubbish, and doctor's mending clears that;
* the operation that was cut off can be repeated, gives the same CID, and leaves nothing of the first attempt.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store import Root, Store
from ipfs_accel_cli.services.store.lease import orphans

# So small that a file of a few hundred bytes has a tree of several levels.
TINY = (
    Profile("tiny", chunk_bytes=64, width=3, cid_version=1, raw_leaves=True),
    Profile("tiny-v0", chunk_bytes=32, width=8, cid_version=0, raw_leaves=False),
)
Kept = tuple[str, str, str]  # owner, label, CID: what a row of the roots says.


@dataclass(frozen=True)
class Operation:
    """Something to do: `run` gives the root that it makes, or nothing; `adds` and `drops` are the roots it changes."""

    name: str
    run: Callable[[Store], str | None]
    adds: frozenset[Kept] = frozenset()
    drops: frozenset[Kept] = frozenset()
    gives: str | None = None


@dataclass
class World:
    """What a user has outside of the store, and the roots that it makes.

    `contents` holds the bytes of those that are files, `linked` the files that may be linked into the store.
    """

    folder: Path
    makers: list[Operation] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    linked: list[Path] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path) -> World:
        """Make files of no, one and many leaves, a folder of equal files, CAR files, and blocks."""
        world = cls(folder)
        chance = random.Random(0)
        for number, size in enumerate((0, 50, 200, 700)):
            path = folder / f"file{number}"
            path.write_bytes(chance.randbytes(size))
            for profile in TINY:
                world._putting(path, profile.name, link=False)
            if size:
                world._putting(path, "tiny", link=True)
                world.linked.append(path)
        world._putting(world._tree(chance), "tiny", link=False)
        world._importing(chance)
        world._putting_block()
        world._following(chance)
        return world

    def _tree(self, chance: random.Random) -> Path:
        tree = self.folder / "tree"
        (tree / "inner").mkdir(parents=True)
        for name, content in (("a", b"a" * 70), ("inner/same", b"a" * 70), ("inner/b", chance.randbytes(300))):
            (tree / name).write_bytes(content)
        (tree / "inner" / "link").symlink_to("b")
        return tree

    def _putting(self, path: Path, profile: str, *, link: bool) -> None:
        def run(store: Store) -> str:
            (stored,) = store.put([path], profile, link=link)
            return stored.cid

        (computed,) = self._aside().cid_of([path], profile)
        if path.is_file():
            self.contents[computed.cid] = path.read_bytes()
        self._maker(f"put {path.name} {profile}{' --link' * link}", run, computed.cid, path.name)

    def _importing(self, chance: random.Random) -> None:
        """CAR files of a tree that nobody else puts, and of one that is also put."""
        aside = self._aside()
        for number, size in enumerate((120, 400)):
            path = self.folder / f"imported{number}"
            path.write_bytes(chance.randbytes(size))
            (stored,) = aside.put([path], "tiny")
            self._import(aside, stored.cid, f"{number}.car")
            self.contents[stored.cid] = path.read_bytes()
        (stored,) = aside.put([self.folder / "tree"], "tiny")
        self._import(aside, stored.cid, "tree.car")

    def _import(self, aside: Store, cid: str, name: str) -> None:
        car = self.folder / name
        aside.export_car(cid, car)
        self._maker(f"import {name}", lambda store: store.import_car(car).roots[0], cid, name)

    def _putting_block(self) -> None:
        """A block in the database, and one that is a file."""
        for number, size in enumerate((100, 300)):
            path = self.folder / f"block{number}"
            path.write_bytes(dagcbor.encode({"bulk": bytes(size)}))
            cid = str(CID.of(path.read_bytes(), DAG_CBOR))

            def run(store: Store, path: Path = path) -> str:
                return store.single.put(path, codec="dag-cbor").cid

            self._maker(f"block put {path.name}", run, cid, path.name)

    def _following(self, chance: random.Random) -> None:
        """A file that arrives in the home, and is hashed meanwhile; only the commit sees to it that it lasts."""
        for number, size in enumerate((40, 500)):
            path = self.folder / f"arrived{number}"
            path.write_bytes(chance.randbytes(size))
            (computed,) = self._aside().cid_of([path], "tiny")
            self.contents[computed.cid] = path.read_bytes()
            self._maker(f"follow {path.name}", partial(_follow, path), computed.cid, path.name)

    def _maker(self, name: str, run: Callable[[Store], str], cid: str, label: str) -> None:
        self.makers.append(Operation(name, run, frozenset({("store", label, cid)}), gives=cid))

    def _aside(self) -> Store:
        return open_store(self.folder / "aside")


def _follow(path: Path, store: Store) -> str:
    target = store._index.places.home.ensure("partial") / path.name
    target.unlink(missing_ok=True)  # A second name for it may be in the store.
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with closing(store.follow(target, "tiny")) as following:
            data = path.read_bytes()
            for start in range(0, len(data), 100):
                os.pwrite(descriptor, data[start : start + 100], start)
                following.grew(len(data[start : start + 100]))
            followed = following.finish(sync=False)
    finally:
        os.close(descriptor)
    with store.session("tiny") as session:
        stored = session.take(followed)
        session.commit([Root(stored.cid, "store", path.name, "file")])
    target.unlink()
    return str(stored.cid)


def open_store(home: Path) -> Store:
    opened = Home(home)
    return Store(opened, Database(opened), "tiny")


def close(store: Store) -> None:
    store._database.close()


def choose(world: World, kept: frozenset[Kept], chance: random.Random) -> Operation:
    """Choose what to do next, in view of what is kept."""
    mine = sorted(one for one in kept if one[0] == "store")
    pinned = sorted(one for one in kept if one[0] == "pin")
    draw = chance.random()
    if mine and draw < 0.2:
        return removing(chance.choice(mine)[2], kept)
    if draw < 0.35:
        return collecting()
    if mine and draw < 0.45:
        cid = chance.choice(mine)[2]
        added = frozenset({("pin", "p", cid)})
        return Operation("pin add", lambda store: store.pins.add([cid], name="p") and None, added)
    if pinned and draw < 0.5:
        cid = chance.choice(pinned)[2]
        dropped = frozenset(one for one in kept if one[0] == "pin" and one[2] == cid)
        return Operation("pin rm", lambda store: store.pins.remove([cid]) and None, drops=dropped)
    return chance.choice(world.makers)


def removing(cid: str, kept: frozenset[Kept]) -> Operation:
    dropped = frozenset(one for one in kept if one[0] == "store" and one[2] == cid)
    return Operation("rm", lambda store: store.remove([cid]) and None, drops=dropped)


def collecting() -> Operation:
    return Operation("gc", lambda store: store.gc() and None)


def named(name: str, world: World, kept: frozenset[Kept]) -> Operation:
    """Find an operation by its name; `rm` takes the first root."""
    if name == "rm":
        return removing(min(kept)[2], kept)
    return next(operation for operation in (*world.makers, collecting()) if operation.name == name)


def examine(home: Path, world: World, kept: frozenset[Kept], running: Operation | None, *, repeat: bool) -> None:
    """Check a home as a crash left it, with an AssertionError for what does not hold."""
    store = open_store(home)
    try:
        found = kept_by(store, home)
        adds, drops = (running.adds, running.drops) if running else (frozenset(), frozenset())
        assert kept - drops <= found, f"lost what was kept: {sorted(kept - drops - found)}"
        assert found <= kept | adds, f"kept what nobody kept: {sorted(found - kept - adds)}"
        _check_whole(store, world, found)
        store.mend()
        _check_clean(store, home)
        if repeat and running is not None and (running.adds or kept & drops & found):
            assert running.run(store) == running.gives, f"{running.name} gave something else when repeated"
            _check_whole(store, world, found | running.adds if running.adds else found - drops)
            _check_clean(store, home)
    finally:
        close(store)


def kept_by(store: Store, home: Path) -> frozenset[Kept]:
    if not (home / "state.db").exists():
        return frozenset()
    rows = store._index.roots()
    return frozenset((row["owner"], row["label"], str(CID.parse(row["cid"]))) for row in rows)


def _check_whole(store: Store, world: World, kept: frozenset[Kept]) -> None:
    serious = [finding for finding in store.check() if finding.kind != "rubbish"]
    assert not serious, f"tables and files disagree: {serious}"
    cids = sorted({cid for _, _, cid in kept})
    if cids:
        store.verify(cids)
    for cid in cids:
        if cid in world.contents:
            assert b"".join(map(bytes, store.open(cid))) == world.contents[cid]


def _check_clean(store: Store, home: Path) -> None:
    left = [*orphans(store._index.places, store._database), *(home / "staging").glob("*")]
    assert not left, f"left by the writer that was cut off: {left}"
