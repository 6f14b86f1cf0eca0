"""What every test may use: a home of its own, a node on it, and the command line as a user runs it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from ipfs_accel_cli import Node
from tests.running import Run, in_own_process, in_process
from tests.servers.js_ipfs import JsIpfs, js_ipfs
from tests.servers.seaweedfs import Seaweed, seaweedfs
from tests.servers.storacha import Storacha, storacha
from tests.servers.trustless_gateway import Helia, helia_gateway

ROOT = Path(__file__).resolve().parent.parent


# How long an example takes hangs on what else runs here.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_configure() -> None:
    # Read when huggingface_hub is imported, which a test may do before its own world is made.
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    # A run that a shell put in the background ignores Ctrl-C, and so would every command that is started here.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_users_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is started once for many tests does not see the user's home, settings or hub token either."""
    with pytest.MonkeyPatch.context() as patch:
        _leave_users_world(patch, tmp_path_factory)
        yield


@pytest.fixture(scope="session", autouse=True)
def _whole_index() -> Iterator[None]:
    """A query sees all that was put before it, however slow the machine is while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ipfs_accel_cli.services.search.service.CATCH_UP_SECONDS", 600.0)
        yield


@pytest.fixture(autouse=True)
def _own_world(
    _no_users_world: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test sees the home of another."""
    _leave_users_world(monkeypatch, tmp_path_factory)


def _leave_users_world(monkeypatch: pytest.MonkeyPatch, folders: pytest.TempPathFactory) -> None:
    for name in [name for name in os.environ if name.startswith(("IPFS_ACCEL_", "HF_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(folders.mktemp("home")))
    # A test that wants a worker of its own starts one, or says so.
    monkeypatch.setenv("IPFS_ACCEL_JOB_AUTOSTART", "false")
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")


@pytest.fixture
def home() -> Path:
    """The folder that holds this test's state."""
    return Path(os.environ["IPFS_ACCEL_HOME"])


@pytest.fixture
def node(home: Path) -> Iterator[Node]:
    """A node on this test's home."""
    with Node(home) as opened:
        yield opened


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server, started once."""
    with seaweedfs(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture(scope="session")
def storacha_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storacha]:
    """Storacha's upload service, started once."""
    with storacha(tmp_path_factory.mktemp("storacha")) as server:
        yield server


@pytest.fixture(scope="session")
def helia(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Helia]:
    """A real trustless gateway, started once."""
    with helia_gateway(tmp_path_factory.mktemp("helia")) as server:
        yield server


@pytest.fixture
def cli() -> Run:
    """Run `ipfs-accel` within this process, standard input closed unless given."""
    return in_process


@pytest.fixture
def process() -> Run:
    """Run `ipfs-accel` in a process of its own, standard input closed unless given."""
    return in_own_process


@pytest.fixture(scope="session")
def ipfs_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JsIpfs]:
    """A real IPFS node, started once."""
    with js_ipfs(tmp_path_factory.mktemp("ipfs")) as server:
        yield server
