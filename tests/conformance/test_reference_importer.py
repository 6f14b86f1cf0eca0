"""Trees of any shape, built by us and by ipfs-unixfs-importer, the JavaScript reference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.content.unixfs import Metadata
from tests.servers.npm import installed, node_binary
from tests.vectors.trees import Ambiguous, Importer, Item, Tree, answer, build, named_trees

PACKAGES = {"ipfs-unixfs-importer": "17.1.1"}

# The importer takes `\` for an escape in paths, and writes seconds from 2**31 to 2**32 as bytes it cannot read.
names = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)
modes = st.none() | st.integers(0, 0o7777)
metadata = st.builds(Metadata, modes) | st.builds(
    Metadata, modes, st.integers(-(1 << 40), (1 << 31) - 1), st.integers(0, 999_999_999)
)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    raw_leaves = draw(st.booleans())
    profile = Profile(
        "any",
        chunk_bytes=draw(st.integers(1, 40)),
        width=draw(st.integers(2, 6)),
        cid_version=1 if raw_leaves else draw(st.integers(0, 1)),
        raw_leaves=raw_leaves,
        directory_size=draw(st.sampled_from(["block", "links"])),
        shard_over_bytes=draw(st.integers(0, 400)),
        shard_fanout=draw(st.sampled_from([8, 16, 32, 64, 128, 256, 512, 1024])),
    )
    # A dag-pb leaf that gets metadata is put into another one by the importer, which changes the file.
    smallest = 0 if raw_leaves else profile.chunk_bytes + 1
    leaves = (
        st.builds(Item, st.integers(0, 400))
        | st.builds(Item, st.integers(smallest, 400), metadata=metadata)
        | st.builds(Item, link=names, metadata=st.none() | metadata)
    )

    def folders(inner: st.SearchStrategy[Item]) -> st.SearchStrategy[Item]:
        entries = st.dictionaries(names, inner, max_size=10).map(lambda folder: tuple(folder.items()))
        return st.builds(Item, folder=entries, metadata=st.none() | metadata)

    return Tree(profile, draw(folders(st.recursive(leaves, folders, max_leaves=30))))


@pytest.fixture(scope="module")
def importer() -> Iterator[Importer]:
    with Importer(installed(PACKAGES).parent, str(node_binary())) as running:
        yield running


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(trees())
def test_any_tree_has_the_identity_that_the_importer_gives_it(importer: Importer, tree: Tree) -> None:
    try:
        ours = build(tree)
    except Ambiguous:
        assume(False)
    else:
        assert answer(ours) == importer(tree)


@pytest.mark.slow
@pytest.mark.parametrize("name", named_trees())
def test_the_named_trees_have_the_identity_that_the_importer_gives_them(importer: Importer, name: str) -> None:
    tree = named_trees()[name]
    assert answer(build(tree)) == importer(tree)
