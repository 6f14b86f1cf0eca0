"""Every list is filtered, sorted and shown with chosen columns in the same words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance import tiny_models

# The command, where its rows are, a field that tells them apart, and what it holds of the wanted row.
LISTS = [
    (["model", "ls"], "models", "name", "first"),
    (["model", "status"], "models", "name", "first@2"),
    (["model", "versions", "first"], "versions", "version", "1"),
    (["model", "alias"], "aliases", "alias", "best"),
    (["model", "perf"], "figures", "engine", "torch"),
    (["model", "deploy", "ls"], "deployments", "name", "chat"),
    (["hw", "machine", "ls"], "machines", "name", "rtx-4090"),
    (["hw", "bench", "ls"], "runs", "kind", "network"),
    (["store", "ls"], "entries", "kind", "directory"),
    (["store", "pin", "ls"], "pins", "name", "kept"),
]
lists = pytest.mark.parametrize(("command", "rows", "field", "value"), LISTS, ids=[" ".join(one[0]) for one in LISTS])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with at least two rows in each list but that of measurements."""
    base = tmp_path_factory.mktemp("full")
    encoder, decoder = base / "encoder", base / "decoder"
    tiny_models.encoder(encoder)
    tiny_models.decoder(decoder)
    with Node(base / "home") as node:
        list(node.store.put([encoder]))
        node.models.add(encoder, "first")
        node.models.add(decoder, "first")
        node.models.add(decoder, "second")
        for name, alias in (("first@1", "best"), ("second", "worst")):
            node.models.tag(name, alias)
        for name in ("chat", "talk"):
            node.models.deploys.new(name, "second")
        for kind in ("network", "content"):
            node.benches.run(kind, quick=True)
        for name in ("kept", "more"):
            node.store.pins.add([node.store.dags.put(text=f'"{name}"', keep=False).cid], name=name)
    return base / "home"


@pytest.fixture
def ask(full: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(full))

    def asked(*words: str) -> tuple[int, str]:
        return run(words), capsys.readouterr().out

    return asked


@lists
def test_a_filter_leaves_what_fits(ask: Any, command: list[str], rows: str, field: str, value: str) -> None:
    every = json.loads(ask(*command, "--json")[1])[rows]
    status, shown = ask(*command, "--filter", f"{field}={value}", "--json")

    assert status == 0
    assert json.loads(shown)[rows] == [row for row in every if str(row[field]) == value]
    if command != ["model", "perf"]:
        assert json.loads(shown)[rows]


@lists
def test_it_sorts_both_ways(ask: Any, command: list[str], rows: str, field: str, value: str) -> None:
    def found(key: str) -> list[Any]:
        return [row[field] for row in json.loads(ask(*command, "--sort", key, "--json")[1])[rows]]

    assert found(field) == sorted(found(field))
    assert found(f"-{field}") == sorted(found(field), reverse=True)


@lists
def test_columns_change_the_table_and_not_the_json(
    ask: Any, command: list[str], rows: str, field: str, value: str
) -> None:
    status, table = ask(*command, "--columns", field)
    assert status == 0
    if command != ["model", "perf"]:
        heads = [line.split() for line in table.splitlines()]
        assert [field] in heads
    assert ask(*command, "--columns", field, "--json") == ask(*command, "--json")


@lists
@pytest.mark.parametrize("option", ["--filter", "--sort", "--columns"])
def test_a_field_that_is_not_there_ends_with_status_2_and_near_names(
    ask: Any, option: str, command: list[str], rows: str, field: str, value: str
) -> None:
    wrong = f"{field}x"
    status, told = ask(*command, option, f"{wrong}=1" if option == "--filter" else wrong, "--json")

    assert status == 2
    error = json.loads(told)["error"]
    assert repr(wrong) in error["detail"]
    assert field in error["context"]["near"]


def test_the_limit_counts_what_is_left(ask: Any) -> None:
    shown = json.loads(ask("hw", "bench", "ls", "--filter", "kind=network", "--limit", "1", "--json")[1])
    assert [run["kind"] for run in shown["runs"]] == ["network"]
