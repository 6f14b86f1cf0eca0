"""A disk as it may be found after the power went: which names are there, and which bytes, of those that seemed to be.

A real folder is looked at after every step. Of each folder in it the model knows the names that are there and those
that were there when the folder was last synced; of each file the bytes, and those of its last sync. From the difference
it makes the states in which a crash may leave the disk:

* `kill`: the process died, the system lives; everything is there.
* `nothing`: nothing that was not synced is there: the names of the last sync, the bytes of the last sync.
* `empty`, `half`: every name is there, but files that were not synced hold nothing, or their first half.
* `added`, `removed`: of the names that changed only the new ones are there, or only the old ones are gone.
* `chance`: each name and each file's bytes are there or not, independently.

That is more than journalling file systems do to a program: they keep a rename whole, where here the old name may go and
the new one not come. Not modelled: sectors that are torn within a write, permissions and times that are lost, a disk
that says it has synced and has not.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

DATABASE = "state.db"
CHANCES = 4
_link = os.link  # Before anybody puts a wire into it.


@dataclass(eq=False)
class File:
    """A file, by whatever names. One of them, `path`, is the model's own: it keeps the file, and its number, alive."""

    path: Path
    synced: bytes | None = None

    def now(self) -> bytes:
        """Return the bytes that are in it."""
        return self.path.read_bytes()

    def sync(self) -> None:
        self.synced = self.now()


@dataclass(eq=False)
class Folder:
    """A folder: the names in it, and those of the last sync. It is held open, so that no other gets its number."""

    descriptor: int
    names: dict[str, File | Folder] = field(default_factory=dict)
    synced: dict[str, File | Folder] = field(default_factory=dict)

    def sync(self) -> None:
        self.synced = dict(self.names)


Content = bytes | tuple[Path, bytes]  # With a path it is a further name of that very file, with these bytes in it now.
State = tuple[tuple[str, Content | None], ...]  # Paths below the root in their order; None for a folder.
ChooseNames = Callable[[str, bool], bool]  # (name, was it added) -> does that last?
ChooseBytes = Callable[[File, bytes], bytes | None]  # None: as they are now.


class Disk:
    """The model of one real folder, which itself is there for good; `names` is an empty one beside it."""

    def __init__(self, root: Path, names: Path) -> None:
        self.root = root
        self.top = Folder(os.open(root, os.O_RDONLY))
        self._names = names
        self._known: dict[int, File | Folder] = {os.fstat(self.top.descriptor).st_ino: self.top}

    def close(self) -> None:
        for inode in self._known.values():
            if isinstance(inode, Folder):
                os.close(inode.descriptor)

    def safe(self, path: Path) -> None:
        """Take note of a file outside that may get a further name inside: its bytes have long been synced."""
        self._inode(path, path.stat().st_ino, folder=False).sync()

    def look(self) -> None:
        """Learn which names are there now. SQLite's own files are left out."""
        self._look(self.top, self.root)

    def sync(self, number: int) -> None:
        """Take note that the file or folder with this inode number was synced, with what `look` saw of it."""
        inode = self._known.get(number)
        if inode is not None:
            inode.sync()

    def states(self, chance: random.Random) -> Iterator[tuple[str, State]]:
        """Yield the states in which a crash may leave the disk now, each once, with the way it came about."""
        seen: set[State] = set()
        ways: list[tuple[str, ChooseNames, ChooseBytes]] = [
            ("kill", _all, _current),
            ("nothing", _none, _synced),
            ("empty", _all, _synced),
            ("half", _all, _half),
            ("added", lambda _, added: added, _current),
            ("removed", lambda _, added: not added, _current),
        ]
        for number in range(CHANCES):
            ways.append((f"chance {number}", lambda *_: chance.random() < 0.5, _by_chance(chance)))
        for way, names, content in ways:
            state = tuple(self._state(self.top, "", names, content))
            if state not in seen:
                seen.add(state)
                yield way, state

    def _look(self, folder: Folder, path: Path) -> None:
        names: dict[str, File | Folder] = {}
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith(DATABASE):
                    continue
                is_folder = entry.is_dir(follow_symlinks=False)
                inode = self._inode(path / entry.name, entry.inode(), folder=is_folder)
                if isinstance(inode, Folder):
                    self._look(inode, path / entry.name)
                names[entry.name] = inode
        folder.names = names

    def _inode(self, path: Path, number: int, *, folder: bool) -> File | Folder:
        inode = self._known.get(number)
        if inode is None:
            inode = Folder(os.open(path, os.O_RDONLY)) if folder else File(self._names / str(number))
            if isinstance(inode, File):
                _link(path, inode.path, follow_symlinks=False)
            self._known[number] = inode
        return inode

    def _state(
        self, folder: Folder, path: str, names: ChooseNames, content: ChooseBytes
    ) -> Iterator[tuple[str, Content | None]]:
        for name, inode in _lasting(folder, names):
            place = f"{path}{name}"
            if isinstance(inode, Folder):
                yield place, None
                yield from self._state(inode, f"{place}/", names, content)
            else:
                now = inode.now()
                chosen = content(inode, now)
                # An empty file may be a lock, and one that the watched store holds: the found one must be another.
                yield place, (inode.path, now) if now and chosen in (None, now) else chosen or b""


def lay_out(state: State, root: Path) -> None:
    """Make a folder hold just what a state says."""
    root.mkdir()
    for name, content in state:
        path = f"{root}/{name}"
        if content is None:
            os.mkdir(path)
        elif isinstance(content, tuple):
            os.link(content[0], path, follow_symlinks=False)
        else:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
            os.write(descriptor, content)
            os.close(descriptor)


def _lasting(folder: Folder, names: ChooseNames) -> Iterator[tuple[str, File | Folder]]:
    for name in sorted(folder.names.keys() | folder.synced.keys()):
        now, before = folder.names.get(name), folder.synced.get(name)
        if now is not before:
            # A name that has come to mean another file means the one or the other, whatever else gets lost.
            now = now if names(name, now is not None) else before
        if now is not None:
            yield name, now


def _all(name: str, added: bool) -> bool:
    return True


def _none(name: str, added: bool) -> bool:
    return False


def _current(file: File, now: bytes) -> None:
    return None


def _synced(file: File, now: bytes) -> bytes:
    return file.synced or b""


def _half(file: File, now: bytes) -> bytes:
    return now if file.synced == now else now[: len(now) // 2]


def _by_chance(chance: random.Random) -> ChooseBytes:
    def choose(file: File, now: bytes) -> bytes:
        if file.synced == now:
            return now
        return chance.choice((now, file.synced or b"", now[: chance.randrange(len(now) + 1)], bytes(len(now))))

    return choose
