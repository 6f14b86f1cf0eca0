"""Notes: set, shown, filtered by, and gone with their model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound
from ipfs_accel_cli.services.model.meta import MAX_NOTES
from tests.running import Ran
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.fixture
def two(node: Node, tmp_path: Path) -> Node:
    """A node with the models `tiny` and `other`."""
    for seed, name in enumerate(("tiny", "other")):
        node.models.add(lay_out(tmp_path / name, tiny_model(seed=seed)))
    return node


def listed(node: Node, where: str) -> list[str]:
    return [one.name for one in node.models.ls(where=where).models]


def test_notes_are_set_shown_changed_and_taken_off(two: Node) -> None:
    two.models.notes.change("tiny", ["stage=test", "owner=Ada B"], [])
    changed = two.models.notes.change("tiny", ["stage=prod", "note=a=b"], ["owner"])

    assert changed.meta == {"note": "a=b", "stage": "prod"}
    assert two.models.show("tiny").meta == changed.meta == two.models.notes.change("tiny", [], []).meta
    assert two.models.show("other").meta == {}
    assert {one.name: one.meta for one in two.models.ls().models} == {"tiny": changed.meta, "other": {}}


def test_models_are_found_and_sorted_by_their_notes(two: Node) -> None:
    two.models.notes.change("tiny", ["stage=prod", "rank=b"], [])
    two.models.notes.change("other", ["rank=a"], [])

    assert listed(two, 'meta.stage = "prod"') == ["tiny"]
    assert listed(two, "meta.STAGE~PRO AND task=embed") == ["tiny"]
    assert listed(two, "meta.stage=null") == ["other"]
    assert listed(two, "meta.stage!=prod") == ["other"]
    assert listed(two, "meta.unheard-of=x") == []
    assert [one.name for one in two.models.ls(sort="meta.rank").models] == ["other", "tiny"]
    assert [one.name for one in two.models.ls(sort="-meta.stage").models] == ["tiny", "other"]
    for where in ("meta=prod", "metastage=prod", "meta.stage<prod"):
        with pytest.raises(Invalid):
            listed(two, where)


def test_a_note_is_a_column_of_its_own(two: Node, cli: Callable[..., Ran]) -> None:
    two.models.notes.change("tiny", ["stage=prod", "owner=ada"], [])

    shown = cli("model", "ls", "--columns", "name,meta.stage").stdout

    assert [line.split() for line in shown.splitlines()] == [["name", "meta", "stage"], ["other"], ["tiny", "prod"]]


def test_notes_belong_to_a_version_and_go_with_it(two: Node, tmp_path: Path) -> None:
    two.models.notes.change("tiny", ["stage=prod"], [])
    two.models.add(lay_out(tmp_path / "new" / "tiny", tiny_model(seed=9)))
    assert two.models.show("tiny").meta == {}
    assert two.models.show("tiny@1").meta == {"stage": "prod"}

    two.models.remove(["tiny@1"])
    assert two.models.notes.all() == {}


@pytest.mark.parametrize(
    "text", ["stage", "=prod", "Stage=prod", "9=x", "a b=x", "stage=", "stage= ", "stage=a\x1b[31m", "a" * 64 + "=x"]
)
def test_what_is_no_note_changes_nothing(two: Node, text: str) -> None:
    with pytest.raises(Invalid):
        two.models.notes.change("tiny", ["good=1", text], [])
    assert two.models.notes.all() == {}


def test_all_changes_land_or_none(two: Node) -> None:
    two.models.notes.change("tiny", ["stage=prod"], [])
    with pytest.raises(NotFound, match="no note 'owner'"):
        two.models.notes.change("tiny", ["new=1"], ["stage", "owner"])
    with pytest.raises(Invalid, match="at once"):
        two.models.notes.change("tiny", ["stage=1"], ["stage"])
    with pytest.raises(LimitReached):
        two.models.notes.change("tiny", [f"k{number}=x" for number in range(MAX_NOTES)], [])
    with pytest.raises(LimitReached):
        two.models.notes.change("tiny", ["k=" + "x" * 1001], [])
    assert two.models.show("tiny").meta == {"stage": "prod"}


def test_the_command_line_shows_notes_as_they_are_set(two: Node, cli: Callable[..., Ran]) -> None:
    two.close()
    assert cli("model", "meta", "tiny", "stage=prod", "owner=ada", "-q").stdout == "owner=ada\nstage=prod\n"
    found = cli("model", "ls", "--filter", "meta.stage=prod", "--columns", "name,meta.stage", "-q")
    assert (found.status, found.stdout) == (0, "tiny\n")
