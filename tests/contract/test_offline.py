"""`--offline` opens no socket, whatever the command."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def listener() -> Iterator[tuple[str, list[Any]]]:
    """A server that only counts who knocks."""
    knocks: list[Any] = []
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, address = server.accept()
            except OSError:
                return
            knocks.append(address)
            connection.close()

    threading.Thread(target=accept, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", knocks
    server.close()


@pytest.mark.parametrize("reference", ["pypi://no-such-thing-at-all", "hf://org/name"])
def test_a_pull_fails_at_once_and_knocks_nowhere(
    cli: Callable[..., Any], listener: tuple[str, list[Any]], reference: str
) -> None:
    url, knocks = listener
    ran = cli("--offline", "model", "pull", reference, "--json", PIP_INDEX_URL=f"{url}/simple", HF_ENDPOINT=url)
    assert ran.status == 6
    assert ran.json["error"]["code"] == "offline"
    assert knocks == []


def test_what_needs_no_network_works_offline(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello world")
    assert cli("store", "put", tmp_path / "file", "-q", "--offline").stdout.strip() == (
        "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
    )
    for arguments in (("hw", "info"), ("model", "ls"), ("store", "ls"), ("doctor",), ("peer", "id")):
        assert cli(*arguments, "--json", IPFS_ACCEL_NETWORK_OFFLINE="true").status == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt-get install strace)")
def test_the_kernel_saw_no_internet_socket(home: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    (tmp_path / "file").write_text("hello world")
    for arguments in (["store", "put", str(tmp_path / "file")], ["hw", "info"], ["model", "pull", "pypi://nothing"]):
        command = [sys.executable, "-m", "ipfs_accel_cli", "--offline", *arguments]
        subprocess.run(["strace", "-f", "-e", "trace=socket,connect", "-o", str(trace), *command], capture_output=True)
        assert "AF_INET" not in trace.read_text()
