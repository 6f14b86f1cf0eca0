"""Migrations whose worker, server or network goes away in the middle, and controllers that are two."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.base import Files as FilesPlace
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import TryAgain
from ipfs_accel_cli.services.migrate.model import Options
from ipfs_accel_cli.services.migrate.results import ReceiptShown
from tests.conformance.backend_suite import body
from tests.conformance.hub_offer import HubOffer
from tests.servers.faulty_proxy import faulty_proxy
from tests.servers.hub import hub
from tests.servers.js_ipfs import JsIpfs
from tests.servers.s3 import S3Site
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, Machine, Seaweed, seaweedfs
from tests.servers.serving import Handler, serving
from tests.servers.tiny_model import lay_out

Files = dict[str, bytes]


class Weather(S3Site):
    """The way to a server: cut from a certain put on, and a share of the answers is an error of the server."""

    cut = False
    cut_at = 0
    puts = 0
    share = 0.0
    dice = random.Random(7)

    def answer(self, handler: Handler) -> None:
        self.puts += handler.command == "PUT"
        if handler.command == "PUT" and self.puts == self.cut_at:
            self.cut = True
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


Full = tuple[Callable[[], Files], Callable[[Files], object]]
"""What tells the files of a place, and what puts some there."""


@pytest.fixture
def a_local(node: Node, tmp_path: Path) -> Full:
    (tmp_path / "far").mkdir()
    node.store.backends.add("far", "local", {"path": str(tmp_path / "far")})
    return lambda: contents(tmp_path / "far"), lambda files: lay_out(tmp_path / "far", files)


@pytest.fixture
def a_s3(node: Node, seaweed: Seaweed) -> Full:
    site = S3Site(seaweed)
    bucket(node, seaweed.url, site.prefix)
    return lambda: lying(seaweed, site.prefix), lambda files: site.upload(files, folder="")


@pytest.fixture
def a_hf(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Full]:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    (tmp_path / "hub").mkdir()
    with hub(tmp_path / "hub") as site:
        offer = HubOffer(site, tmp_path)
        monkeypatch.setenv("HUB_TOKEN", offer.token)
        node.store.backends.add("far", "hf", offer.options, token_env="HUB_TOKEN")
        files = node.store.backends.open("far")
        assert isinstance(files, FilesPlace)

        def there() -> Files:
            return {one.key: b"".join(files.open(one.locator)) for one in files.scan() if one.key.endswith(".bin")}

        yield there, lambda old: [files.put(body(data), name) for name, data in old.items()]


@pytest.mark.parametrize("kind", ["local", "s3", "hf"])
def test_killed_while_it_replaces_each_file_is_the_old_or_the_new(
    node: Node, cold: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    there, put_old = request.getfixturevalue(f"a_{kind}")
    old, new = {f"{n:02}.bin": os.urandom(50_000) for n in range(12)}, contents(cold)
    put_old(old)
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

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        weather.cut = len(waits) < 20

    node.migrations._carrying = replace(node.migrations._carrying, sleep=sleep)
    weather.cut_at = 4
    outcomes = [one.outcome for one in node.migrations.migrate("cold:", "far:", Options(transfers=3))]
    assert outcomes == ["copied"] * 12
    assert len(waits) >= 20
    assert max(waits) <= 5
    once_each(node, set(contents(cold)))
    assert lying(seaweed, weather.prefix) == contents(cold)


def test_who_has_no_patience_ends_and_goes_on_later(
    node: Node, cold: Path, weather: Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPFS_ACCEL_MIGRATE_PATIENCE_SECONDS", "0")
    weather.cut_at = 4
    with pytest.raises(TryAgain, match="far has not answered"):
        list(node.migrations.migrate("cold:", "far:", Options(transfers=1)))
    weather.cut = False
    assert [run.state for run in node.migrations.status().runs] == ["interrupted"]
    assert all(0 < run.done < 12 for run in node.migrations.status().runs)
    list(node.migrations.migrate("cold:", "far:", Options()))
    once_each(node, set(contents(cold)))


def test_dags_wait_for_a_node_that_is_away(node: Node, cold: Path, ipfs_node: JsIpfs) -> None:
    stored = list(node.store.put(sorted(cold.glob("*.bin"))))
    with faulty_proxy("127.0.0.1", ipfs_node.port) as proxy:
        node.store.backends.add("far", "ipfs", {"url": proxy.url})
        waits: list[float] = []

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            proxy.is_down = len(waits) < 5

        class Third(list[tuple[str, str, dict[str, str]]]):
            def append(self, asked: tuple[str, str, dict[str, str]]) -> None:
                super().append(asked)
                imports = sum("dag/import" in path for _, path, _ in self)
                proxy.is_down = proxy.is_down or (imports == 3 and not waits)

        proxy.seen = Third()
        node.migrations._carrying = replace(node.migrations._carrying, sleep=sleep)
        moved = list(node.migrations.migrate("here:", "far:", Options(transfers=1)))
    assert [one.outcome for one in moved] == ["copied"] * 12
    assert len(waits) >= 5
    once_each(node, {one.cid for one in stored})


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
