from __future__ import annotations

import json
from typing import Any

import pytest

from tests.vectors import trees
from tests.vectors.trees import answer, build, tree_of

REFERENCE: dict[str, Any] = json.loads(trees.REFERENCE.read_text("utf-8"))
NAMED = trees.named_trees()


def test_each_named_tree_has_its_answer() -> None:
    assert set(REFERENCE["named"]) == set(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_trees_have_the_identity_that_the_reference_importer_gives_them(name: str) -> None:
    assert answer(build(NAMED[name])) == REFERENCE["named"][name]


@pytest.mark.parametrize("index", range(50))
def test_random_trees_have_the_identity_that_the_reference_importer_gives_them(index: int) -> None:
    vector = REFERENCE["random"][index]
    assert answer(build(tree_of(vector))) == {"cid": vector["cid"], "total_bytes": vector["total_bytes"]}
