"""Migrations whose worker, server or network goes away in the middle, and controllers that are two."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import TryAgain
from ipfs_accel_cli.services.migrate.model import Options
from ipfs_accel_cli.services.migrate.results import ReceiptShown
from tests.servers.s3 import S3Site
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, Machine, Seaweed, seaweedfs
from tests.servers.serving import Handler, serving

Files = dict[str, bytes]


class Weather(S3Site):
    """The way to a server: it can be cut, and a share of the answers is an error of the server."""

    cut = False
    share = 0.0
    dice = random.Random(7)

    def answer(self, handler: Handler) -> None:
        if self.cut:
            handler.close_connection = True
            raise ConnectionResetError("the network is cut")
        if self.dice.random() < self.share:
            handler.body()
            handler.reply(500, b"<Error><Code>InternalError</Code></Error>", {"Content-Type": "application/xml"})
        else:
            super().answer(handler)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A server of this module's own, to be killed."""
    with seaweedfs(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.fixture
def cold(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with twelve files, known as `cold`."""
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("BUCKET_KEYS", f"{ACCESS_KEY}:{SECRET_KEY}")
    (tmp_path / "cold").mkdir()
    for n in range(12):
        (tmp_path / "cold" / f"{n:02}.bin").write_bytes(os.urandom(60_000))
    node.store.backends.add("cold", "local", {"path": str(tmp_path / "cold")})
    return tmp_path / "cold"


@pytest.fixture
def weather(seaweed: Seaweed, node: Node, cold: Path) -> Iterator[Weather]:
    site = Weather(seaweed)
    with serving(site):
        bucket(node, site.url, site.prefix)
        yield site


def bucket(node: Node, url: str, prefix: str) -> None:
    options = {"bucket": BUCKET, "prefix": prefix, "endpoint": url}
    node.store.backends.add("far", "s3", options, token_env="BUCKET_KEYS")


def lying(server: Seaweed, prefix: str) -> Files:
    """Return what lies in the bucket, as the server itself gives it."""
    client = server.client()
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", [])
    return {
        one["Key"].rpartition("/")[2]: client.get_object(Bucket=BUCKET, Key=one["Key"])["Body"].read() for one in listed
    }


def contents(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.glob("*.bin")}


def copying(destination: str) -> subprocess.Popen[bytes]:
    """Start a slow copy in a process of its own."""
    command = [sys.executable, "-m", "ipfs_accel_cli", "migrate", "copy", "cold:", destination, "--transfers", "2"]
    return subprocess.Popen(
        [*command, "--bwlimit", "300k"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )


def until(claim: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    while not claim():
        assert process is None or process.poll() is None
        time.sleep(0.02)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def once_each(node: Node, names: set[str]) -> None:
    """Fail unless one run has a whole chain with one receipt for each item."""
    (run,) = node.migrations.history().runs
    report = node.migrations.report(run.run)
    assert (run.state, report.chain) == ("done", "whole")
    assert sorted(one.name for one in report.receipts) == sorted(names)


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_killed_while_it_replaces_each_file_is_the_old_or_the_new(
    node: Node, cold: Path, tmp_path: Path, seaweed: Seaweed, kind: str
) -> None:
    site = S3Site(seaweed)
    old = {f"{n:02}.bin": os.urandom(50_000) for n in range(12)}
    if kind == "s3":
        bucket(node, seaweed.url, site.prefix)
        site.upload(old, folder="")
    else:
        (tmp_path / "far").mkdir()
        for name, data in old.items():
            (tmp_path / "far" / name).write_bytes(data)
        node.store.backends.add("far", "local", {"path": str(tmp_path / "far")})

    def there() -> Files:
        return lying(seaweed, site.prefix) if kind == "s3" else contents(tmp_path / "far")

    new = contents(cold)
    process = copying("far:")
    until(lambda: any(there()[name] == new[name] for name in new), process)
    kill(process)
    found = there()
    assert found.keys() == new.keys()
    assert [name for name, data in found.items() if data not in (old[name], new[name])] == []
    list(node.migrations.migrate("cold:", "far:", Options()))
    assert there() == new


def test_a_killed_server_is_waited_for_and_nothing_is_lost(node: Node, cold: Path, machine: Machine) -> None:
    bucket(node, machine.url, "first")
    process = copying("far:")
    until(lambda: len(lying(machine, "first")) > 1, process)
    machine.kill()
    time.sleep(0.3)  # So that it is noticed.
    machine.start()
    assert process.wait(timeout=120) == 0
    assert lying(machine, "first") == contents(cold)
    once_each(node, set(contents(cold)))


def test_worker_and_server_killed_together_go_on_together(node: Node, cold: Path, machine: Machine) -> None:
    bucket(node, machine.url, "second")
    process = copying("far:")
    until(lambda: len(lying(machine, "second")) > 1, process)
    machine.kill()
    kill(process)
    machine.start()
    assert [run.state for run in node.migrations.status().runs] == ["interrupted"]
    list(node.migrations.migrate("cold:", "far:", Options()))
    assert lying(machine, "second") == contents(cold)
    assert set(contents(cold)) == {one.name for one in _receipts(node)}


def test_a_cut_network_is_waited_for(node: Node, cold: Path, weather: Weather, seaweed: Seaweed) -> None:
    waits: list[float] = []
    lock = threading.Lock()

    def sleep(seconds: float) -> None:
        with lock:
            waits.append(seconds)
            weather.cut = len(waits) < 20

    node.migrations._carrying = replace(node.migrations._carrying, sleep=sleep)
    outcomes = []
    for moved in node.migrations.migrate("cold:", "far:", Options(transfers=3)):
        outcomes.append(moved.outcome)
        weather.cut = weather.cut or len(waits) < 20
    assert outcomes == ["copied"] * 12
    assert len(waits) >= 20
    assert max(waits) <= 5
    once_each(node, set(contents(cold)))
    assert lying(seaweed, weather.prefix) == contents(cold)


def test_who_has_no_patience_ends_and_goes_on_later(
    node: Node, cold: Path, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPFS_ACCEL_MIGRATE_PATIENCE_SECONDS", "0")
    done = []
    with pytest.raises(TryAgain, match="far has not answered"):
        for moved in node.migrations.migrate("cold:", "far:", Options(transfers=1)):
            done.append(moved.name)
            weather.cut = True
    weather.cut = False
    assert [run.state for run in node.migrations.status().runs] == ["interrupted"]
    assert 0 < len(done) < 12
    list(node.migrations.migrate("cold:", "far:", Options()))
    once_each(node, set(contents(cold)))


def test_errors_now_and_then_hold_up_nothing(node: Node, cold: Path, weather: Weather, seaweed: Seaweed) -> None:
    for n in range(150):
        (cold / f"small-{n}.bin").write_bytes(os.urandom(100))
    weather.share = 0.05
    outcomes = [one.outcome for one in node.migrations.migrate("cold:", "far:", Options(transfers=8))]
    assert outcomes == ["copied"] * 162
    assert lying(seaweed, weather.prefix) == contents(cold)


def test_two_controllers_on_one_home_run_a_policy_once(node: Node, cold: Path, tmp_path: Path, home: Path) -> None:
    (tmp_path / "lab").mkdir()
    node.store.backends.add("lab", "local", {"path": str(tmp_path / "lab")})
    (tmp_path / "often.toml").write_text(
        'source = "cold:"\ndestination = "lab:"\n[schedule]\ncron = "* * * * *"\nmissed = "once"\n'
    )
    node.migrations.policies.add(str(tmp_path / "often.toml"))
    with node.database.write() as connection:
        connection.execute("UPDATE migrate_policies SET due_at = '2026-01-01T00:00:00+00:00'")
    for arguments in (["migrate", "schedule", "run", "--once"], ["job", "work", "--drain"]):
        both = [
            subprocess.Popen(
                [sys.executable, "-m", "ipfs_accel_cli", *arguments],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=os.environ,
            )
            for _ in range(2)
        ]
        assert [(one.communicate()[1], one.returncode)[1] for one in both] == [0, 0]
    assert contents(tmp_path / "lab") == contents(cold)
    once_each(node, set(contents(cold)))


def _receipts(node: Node) -> list[ReceiptShown]:
    return [one for run in node.migrations.history().runs for one in node.migrations.report(run.run).receipts]
