"""Models behind endpoints, through the command line; the key is never seen."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.surfaces.cli.main import run
from tests.servers.openai_faults import KEY, Faults, faulty


@pytest.fixture
def server() -> Iterator[Faults]:
    with faulty() as found:
        yield found


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def added(server: Faults, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)
    assert run(["infer", "endpoint", "add", "lab", server.url, "--key-env", "LAB_KEY", "--model", "m"]) == 0
    capfd.readouterr()


def test_an_endpoint_is_added_used_tested_and_forgotten(
    server: Faults, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    added(server, monkeypatch, capfd)
    server.mode = "well"
    assert run(["infer", "generate", "-m", "endpoint:lab", "Say", "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert (answer["text"], answer["engine"], answer["model"]) == ("Hello", "remote", "endpoint:lab/m")
    assert answer["model_cid"] is None
    assert server.seen[-1][1]["Authorization"] == f"Bearer {KEY}"
    assert run(["infer", "endpoint", "test", "lab", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["models"] == ["m"]
    assert run(["infer", "endpoint", "rm", "lab"]) == 0
    assert run(["infer", "generate", "-m", "endpoint:lab", "Say"]) == 3
    assert KEY not in "".join(capfd.readouterr())


def test_one_that_cannot_be_reached_names_the_command_that_shows_where_it_is(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["infer", "endpoint", "add", "lab", "http://127.0.0.1:9/v1"]) == 0
    for asked in (["infer", "endpoint", "test", "lab"], ["infer", "generate", "hi", "-m", "endpoint:lab/m"]):
        capfd.readouterr()
        assert run(asked) == 6
        assert "next: ipfs-accel infer endpoint show lab" in capfd.readouterr().err


@pytest.mark.parametrize("mode", ["echo", "page", "nonsense", "redirect", "cut", "busy_for_ever"])
def test_no_failure_shows_the_key(
    server: Faults, mode: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    added(server, monkeypatch, capfd)
    server.mode = mode
    assert run(["infer", "generate", "-m", "endpoint:lab", "Say", "--json", "--traceback"]) != 0
    told = "".join(capfd.readouterr())
    assert told
    assert KEY not in told


def test_a_key_from_standard_input_is_kept_for_the_owner_alone(
    server: Faults, home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{KEY}\n".encode())))
    assert run(["infer", "endpoint", "add", "lab", server.url, "--key-stdin", "--model", "m"]) == 0
    kept = home / "keys/endpoints/lab/key"
    assert kept.read_text() == KEY
    assert kept.stat().st_mode & 0o777 == 0o600
    assert run(["infer", "endpoint", "show", "lab", "--json"]) == 0
    told = capfd.readouterr().out
    assert "stored" in told
    assert KEY not in told
    kept.chmod(0o644)
    assert run(["infer", "endpoint", "test", "lab"]) == 7


def test_offline_asks_nobody(
    server: Faults, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    added(server, monkeypatch, capfd)
    assert run(["--offline", "infer", "generate", "-m", "endpoint:lab", "Say"]) == 6
    assert run(["--offline", "infer", "endpoint", "test", "lab"]) == 6
    assert server.seen == []


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["../up", "https://example.org"], 2),
        (["lab", "http://example.org"], 2),
        (["lab", "https://example.org", "--key-env", "sk-not-a-name"], 2),
        (["lab", "https://example.org", "--key-env", "A", "--key-stdin"], 2),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused(arguments: list[str], status: int) -> None:
    assert run(["infer", "endpoint", "add", *arguments]) == status


def test_a_name_is_not_taken_twice_unless_asked(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["infer", "endpoint", "add", "lab", "https://example.org"]) == 0
    assert run(["infer", "endpoint", "add", "lab", "https://example.com"]) == 10
    assert run(["infer", "endpoint", "add", "lab", "https://example.com", "--replace"]) == 0


def test_a_bound_on_the_time_closes_the_connection(
    server: Faults, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    added(server, monkeypatch, capfd)
    server.mode = "endless"
    assert run(["infer", "generate", "-m", "endpoint:lab", "Say", "--timeout", "1", "--json"]) == 5
    error = json.loads(capfd.readouterr().out)["error"]
    assert "--timeout" in error["suggestion"]
    # The server, which would write for ever, sees that nobody listens.
    assert server.gone.wait(5)


def test_a_schema_is_handed_to_the_server(
    server: Faults, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    added(server, monkeypatch, capfd)
    server.mode = "well"
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object"}')
    assert run(["infer", "generate", "-m", "endpoint:lab", "Say", "--schema", str(schema)]) != 0
    assert server.seen[-1][2]["response_format"]["json_schema"]["schema"] == {"type": "object"}
    # What the server makes of it is looked at: this one answers Hello, which is no JSON.
    assert "did not keep to the schema" in capfd.readouterr().err
