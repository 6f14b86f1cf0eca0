"""Migrations when things go wrong: killed workers, servers that fail or lie, sources that change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import Conflict, DiskFull, SomeFailed
from ipfs_accel_cli.services.migrate.model import Options
from tests.running import Ran
from tests.servers.js_ipfs import JsIpfs
from tests.servers.s3_faults import Shady
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY, Seaweed
from tests.servers.serving import Handler, serving

Cli = Callable[..., Ran]


class Flaky(Shady):
    """Answers every `nth` request with an error of the server."""

    nth = 0
    count = 0

    def answer(self, handler: Handler) -> None:
        self.count += 1
        if self.nth and self.count % self.nth == 0:
            handler.body()
            handler.reply(500, b"<Error><Code>InternalError</Code></Error>", {"Content-Type": "application/xml"})
        else:
            super().answer(handler)


@pytest.fixture
def site(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flaky]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("BUCKET_KEYS", f"{ACCESS_KEY}:{SECRET_KEY}")
    made = Flaky(seaweed)
    with serving(made):
        yield made


@pytest.fixture
def cold(node: Node, site: Flaky, tmp_path: Path) -> Path:
    """A folder, `cold`, beside a bucket, `far`."""
    folder = tmp_path / "cold"
    folder.mkdir()
    node.store.backends.add("cold", "local", {"path": str(folder)})
    options = {"bucket": BUCKET, "prefix": site.prefix, "endpoint": site.url}
    node.store.backends.add("far", "s3", options, token_env="BUCKET_KEYS")
    return folder


def migrated(node: Node, source: str, destination: str, **options: object) -> dict[str, str]:
    chosen = Options(**options)  # type: ignore[arg-type]
    return {one.name: one.outcome for one in node.migrations.migrate(source, destination, chosen)}


def test_a_bucket_gets_and_gives_everything_while_its_server_fails_now_and_then(
    node: Node, cold: Path, site: Flaky, tmp_path: Path
) -> None:
    data = {f"{n:02}.bin": os.urandom(2000 + n) for n in range(30)}
    for name, content in data.items():
        (cold / name).write_bytes(content)
    site.nth = 20
    assert set(migrated(node, "cold:", "far:", verify="full").values()) == {"copied"}
    (tmp_path / "lab").mkdir()
    node.store.backends.add("lab", "local", {"path": str(tmp_path / "lab")})
    assert set(migrated(node, "far:", "lab:").values()) == {"copied"}
    assert {path.name: path.read_bytes() for path in (tmp_path / "lab").iterdir()} == data


def test_a_second_run_asks_the_bucket_for_its_list_alone(node: Node, cold: Path, site: Flaky) -> None:
    for n in range(5):
        (cold / f"{n}.bin").write_bytes(os.urandom(100))
    migrated(node, "cold:", "far:")
    site.log.clear()
    assert migrated(node, "cold:", "far:") == {}
    assert [line.split(" ")[0] for line in site.log if "list-type" not in line and not line.startswith("HEAD")] == []
    assert len(site.log) <= 2


def test_a_bucket_that_keeps_other_bytes_fails_that_item_alone(node: Node, cold: Path, site: Flaky) -> None:
    for name in ("a", "b", "c"):
        (cold / f"{name}.bin").write_bytes(name.encode() * 100)
    site.ignores = True
    site.spoils = ["PUT"]
    with pytest.raises(SomeFailed) as raised:
        migrated(node, "cold:", "far:", transfers=1, verify="full")
    assert [one["code"] for one in raised.value.errors] == ["verification-failed"]
    site.spoils = []
    assert len(migrated(node, "cold:", "far:", verify="full")) == 1


def test_a_source_that_changes_during_its_copy_is_not_left_half_old(node: Node, cold: Path, site: Flaky) -> None:
    (cold / "a.bin").write_bytes(b"old" * 100)
    site.first["PUT"] = lambda: (cold / "a.bin").write_bytes(b"newer" * 100)
    with pytest.raises(SomeFailed):
        migrated(node, "cold:", "far:", retries=1)
    assert migrated(node, "cold:", "far:") == {"a.bin": "replaced"}
    found = site.owner().get_object(Bucket=BUCKET, Key=f"{site.prefix}/a.bin")["Body"].read()
    assert found == b"newer" * 100


def test_a_network_that_comes_back_loses_nothing(node: Node, cold: Path, site: Flaky) -> None:
    for name in ("a", "b"):
        (cold / f"{name}.bin").write_bytes(name.encode() * 100)
    site.refuses = (503, "SlowDown")
    with pytest.raises(Exception):  # noqa: B017 - the listing or the items, whichever is asked first
        migrated(node, "cold:", "far:")
    site.refuses = None
    assert migrated(node, "cold:", "far:") == {"a.bin": "copied", "b.bin": "copied"}


def test_files_of_a_bucket_become_dags_of_an_ipfs_node(node: Node, cold: Path, site: Flaky, ipfs_node: JsIpfs) -> None:
    content = os.urandom(3 << 20)
    site.upload({"big.bin": content, "empty.bin": b""}, folder="")
    node.store.backends.add("kubo", "ipfs", {"url": ipfs_node.url})
    assert migrated(node, "far:", "kubo:", verify="full") == {"big.bin": "copied", "empty.bin": "copied"}
    (cold / "big.bin").write_bytes(content)
    (computed,) = node.store.cid_of([cold / "big.bin"])
    assert computed.cid in {str(cid) for cid in node.store.exchange.roots("kubo")}
    assert migrated(node, "far:", "kubo:") == {}


def test_a_killed_migration_goes_on_where_it_stopped(node: Node, cold: Path, tmp_path: Path, cli: Cli) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    node.store.backends.add("lab", "local", {"path": str(lab)})
    for n in range(12):
        (cold / f"{n:02}.bin").write_bytes(os.urandom(100_000))
    for _ in range(2):
        command = [sys.executable, "-m", "ipfs_accel_cli", "migrate", "copy", "cold:", "lab:", "--bwlimit", "300k"]
        killed = subprocess.Popen([*command, "--transfers", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = len(list(lab.glob("*.bin")))
        while len(list(lab.glob("*.bin"))) < before + 2 and killed.poll() is None:
            time.sleep(0.02)
        with pytest.raises(Conflict):
            migrated(node, "cold:", "lab:")
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    done = cli("migrate", "copy", "cold:", "lab:")
    assert done.status == 0, done.stderr
    assert {p.name: p.read_bytes() for p in lab.glob("*.bin")} == {p.name: p.read_bytes() for p in cold.glob("*.bin")}
    (run,) = node.migrations.history().runs
    report = node.migrations.report(run.run)
    assert (run.state, report.chain) == ("done", "whole")
    assert sorted({one.name for one in report.receipts}) == sorted(p.name for p in cold.glob("*.bin"))


def test_a_full_destination_ends_the_run_and_the_rest_waits(
    node: Node, cold: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    (tmp_path / "lab").mkdir()
    node.store.backends.add("lab", "local", {"path": str(tmp_path / "lab")})
    for name in ("a", "b"):
        (cold / f"{name}.bin").write_bytes(b"x" * (1 if name == "a" else 30_000_000))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000_000, hard))
    try:
        with pytest.raises((DiskFull, SomeFailed)):
            migrated(node, "cold:", "lab:", transfers=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in (tmp_path / "lab").iterdir() if not path.name.startswith(".")] == ["a.bin"]
    assert migrated(node, "cold:", "lab:") == {"b.bin": "copied"}
