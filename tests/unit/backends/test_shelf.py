"""A bounded folder: what it holds after a crash, damage, and beside another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.wrap.shelf import Shelf, named, sealed, unsealed
from ipfs_accel_cli.core.errors import Unavailable

WRITER = """
import sys
from pathlib import Path
from ipfs_accel_cli.backends.wrap.shelf import Shelf, named, sealed
shelf = Shelf(Path(sys.argv[1]), 40_000)
number = 0
while True:
    shelf.put(named(str(number)), sealed(bytes([number % 256]) * 1000))
    number += 1
    if number == 50:
        print("busy", flush=True)
"""


def on_disk(folder: Path) -> int:
    return sum(one.stat().st_size for one in folder.iterdir() if one.name != ".lock")


def fill(shelf: Shelf, *words: str) -> None:
    for word in words:
        shelf.put(named(word), sealed(word.encode()))


def held(shelf: Shelf, word: str) -> bytes | None:
    return shelf.get(named(word), unsealed)


def test_what_was_put_is_there_and_counted(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 10_000)
    assert shelf.hit_rate is None
    fill(shelf, "one")
    assert held(shelf, "one") == b"one"
    assert held(shelf, "two") is None
    shelf.missed()
    assert (shelf.hits, shelf.misses, shelf.hit_rate) == (1, 1, 0.5)
    assert shelf.size_bytes == on_disk(tmp_path) == 35


def test_it_never_holds_more_than_it_may(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 1000)
    for number in range(200):
        fill(shelf, "x" * (number % 70) + str(number))
        assert shelf.size_bytes == on_disk(tmp_path) <= 1000
    shelf.put(named("huge"), bytes(1001))
    assert not shelf.holds(named("huge"))


def test_what_is_damaged_is_not_given_and_goes(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 1000)
    fill(shelf, "one", "two")
    path = tmp_path / named("one")
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    (tmp_path / named("two")).unlink()
    assert held(shelf, "one") is held(shelf, "two") is None
    assert on_disk(tmp_path) == shelf.size_bytes == 0
    fill(shelf, "one")
    assert held(shelf, "one") == b"one"


def test_after_a_restart_it_knows_what_lies_there_and_keeps_to_a_smaller_bound(tmp_path: Path) -> None:
    first = Shelf(tmp_path, 1000)
    fill(first, *"abcdefghij")
    first.close()
    (tmp_path / f"{named('k')}.00000000.part").write_bytes(b"half")

    again = Shelf(tmp_path, 1000)
    assert all(held(again, letter) == letter.encode() for letter in "abcdefghij")
    assert again.size_bytes == on_disk(tmp_path) == 330
    again.close()

    smaller = Shelf(tmp_path, 100)
    assert smaller.size_bytes == on_disk(tmp_path) == 99


def test_another_process_reads_meanwhile_and_adds_nothing(tmp_path: Path) -> None:
    first = Shelf(tmp_path, 1000)
    fill(first, "one")
    second = Shelf(tmp_path, 1000)
    fill(second, "two")
    assert not second.keeps
    assert held(second, "one") == b"one"
    assert held(second, "two") is None
    second.drop(named("one"))
    assert held(first, "one") == b"one"


@pytest.mark.parametrize("_try", range(3))
def test_a_writer_that_is_killed_leaves_nothing_half(tmp_path: Path, _try: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    threading.Event().wait(0.01 * _try)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()

    shelf = Shelf(tmp_path, 40_000)
    assert shelf.keeps
    assert 0 < shelf.size_bytes == on_disk(tmp_path) <= 40_000
    for path in tmp_path.iterdir():
        if path.name != ".lock":
            assert unsealed(path.read_bytes()) is not None


def test_threads_share_it(tmp_path: Path) -> None:
    shelf, wrong = Shelf(tmp_path, 2000), list[bytes]()

    def work() -> None:
        for number in range(150):
            word = str(number % 40)
            found = held(shelf, word)
            if found not in (None, word.encode()):
                wrong.append(found or b"")
            fill(shelf, word)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert shelf.size_bytes == on_disk(tmp_path) <= 2000


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable, match="cannot keep a cache"):
        Shelf(tmp_path / "file" / "cache", 10)


def test_names_of_other_words_differ() -> None:
    assert named("ab", "c") != named("a", "bc")
