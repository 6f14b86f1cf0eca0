"""What was indexed in many parts is found in one."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.merging import merge
from tests.unit.services.search.library import ask, entry, search_in, write


def segments(index: Index) -> int:
    return int(index.rows("SELECT count(DISTINCT segid) FROM words_idx")[0][0])


def test_many_parts_become_one_and_find_the_same(tmp_path: Path) -> None:
    search = search_in(tmp_path)
    for place in range(7):
        write(search.index, entry(f"n{place}", "storm at sea"))
    before = ask(search, "storm")

    merge(search.index)
    assert segments(search.index) <= 3
    assert ask(search, "storm") == before
    assert merge(search.index) == 0
    search.keeping.verify()


def test_adding_without_a_hurry_leaves_few_parts(node: Node, tmp_path: Path) -> None:
    for place in range(6):
        (tmp_path / f"{place}.txt").write_text(f"storm {place}")
        list(node.store.put([tmp_path / f"{place}.txt"]))
        node.search.behind()
    assert segments(node.search.index) > 3
    (tmp_path / "last.txt").write_text("calm")
    node.search.keeping.add([str(tmp_path / "last.txt")])
    assert segments(node.search.index) <= 3
