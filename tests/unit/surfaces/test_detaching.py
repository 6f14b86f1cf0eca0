"""--detach: checked now, kept as JSON, run later as the same caller through the same door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.app import app
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotAuthorised
from ipfs_accel_cli.core.jobs.model import State
from ipfs_accel_cli.node import using_node
from ipfs_accel_cli.services.job.worker import Plan
from ipfs_accel_cli.surfaces.cli.main import run
from ipfs_accel_cli.surfaces.job.detaching import detach
from ipfs_accel_cli.surfaces.job.running import runner
from ipfs_accel_cli.surfaces.mcp.walk import Found, command_at, commands
from ipfs_accel_cli.surfaces.reflection import output_model, parameters

DETACHABLE = """
model pull | model add | model push | model import | model export | model quantize | model eval | model verify
model repair
store put | store get | store import | store export | store verify | store copy | store fetch | store sync
store scrub | store repair | store heal | store pin add | store dag export | store dag import
infer batch | infer bench run | infer calibrate
hw bench cpu | hw bench memory | hw bench disk | hw bench content | hw bench network | hw bench accelerator
hw bench all | hw tune
migrate copy | migrate move | migrate sync | migrate check | migrate run | migrate rescue
migrate policy run
"""
ASSISTANT = Principal("assistant", "mcp", frozenset({"store:write"}))


def detached(node: Node, line: str, arguments: dict[str, Any], call: Call | None = None) -> str:
    command = found(line)
    with using_node(node), using(call or Call()):
        return detach(command.path, command.function, arguments).job


def found(line: str) -> Found:
    command = command_at(app, line.split())
    assert command is not None
    return command


def worked(node: Node) -> None:
    with using_node(node):
        node.jobs.work(Plan(threads=1, drain=True), {"command": runner(node)})


def test_the_long_commands_are_exactly_these() -> None:
    listed = {name.strip() for line in DETACHABLE.splitlines() for name in line.split("|") if name.strip()}
    assert {" ".join(one.path) for one in commands(app) if one.effects.detach} == listed


@pytest.mark.parametrize("command", [one for one in commands(app) if one.effects.detach], ids=lambda one: one.tool_name)
def test_no_argument_that_is_kept_is_a_secret(command: Found) -> None:
    names = {parameter.name for parameter, *_ in parameters(command.function)}
    assert not {name for name in names for word in ("token", "password", "secret", "passphrase") if word == name}
    assert not {"job", "detach"} & names
    answer = output_model(command.function)
    assert answer is None or "job" not in answer.model_fields


def test_a_detached_command_gives_what_it_would_have_given(node: Node, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("hello world")
    job = detached(node, "store put", {"paths": [str(tmp_path / "file")]})
    worked(node)

    kept = node.jobs.show(job)
    assert kept.state == "done"
    (direct,) = node.store.put([tmp_path / "file"])
    assert kept.result == {"items": [direct.model_dump(mode="json")]}


def test_the_shell_prints_the_job_and_waits_for_it(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a file").write_text("hello world")
    assert run(["store", "put", "a file", "--detach", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["what"] == f"ipfs-accel store put '{tmp_path}/a file'"
    assert told["worker"] == "nobody yet: ipfs-accel job work"

    monkeypatch.chdir("/")
    worked(node)
    assert run(["job", "wait", told["job"], "--json"]) == 0
    (waited,) = json.loads(capsys.readouterr().out)["jobs"]
    assert waited["result"]["items"][0]["path"] == str(tmp_path / "a file")


def test_waiting_ends_with_the_jobs_own_status(node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = detached(node, "store put", {"paths": [str(tmp_path / "nothing")]})
    cancelled = detached(node, "store scrub", {})
    node.jobs.cancel([cancelled])
    worked(node)

    assert run(["job", "wait", missing]) == 3
    assert run(["job", "wait", cancelled]) == 130
    assert run(["job", "wait", missing, cancelled]) == 11
    assert "nothing" in capsys.readouterr().err


def test_paths_mean_the_same_from_any_folder(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for line, given, name, wanted in (
        ("model pull", {"reference": "./here"}, "reference", f"{tmp_path}/here"),
        ("model pull", {"reference": "file:here#folder"}, "reference", f"file:{tmp_path}/here#folder"),
        ("model pull", {"reference": "hf://org/name"}, "reference", "hf://org/name"),
        ("model pull", {"reference": "name"}, "reference", "name"),
        ("model push", {"name": "m", "target": "shared/m"}, "target", f"{tmp_path}/shared/m"),
        ("model push", {"name": "m", "target": "oci://host/m:v1"}, "target", "oci://host/m:v1"),
        ("model repair", {"name": "m", "sources": ["../b", "m.car"]}, "sources", [f"{tmp_path.parent}/b", "m.car"]),
        ("store export", {"reference": "bafy", "output": "out.car"}, "output", f"{tmp_path}/out.car"),
    ):
        kept: Any = node.jobs.show(detached(node, line, given)).arguments
        assert kept["arguments"][name] == wanted, given


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("model pull", {"reference": "https://ann:password@example.org/model.gguf"}),
        ("model pull", {"reference": "https://example.org/model.gguf?X-Amz-Signature=abc"}),
        ("model repair", {"name": "m", "sources": ["https://example.org/m/?token=abc"]}),
        ("infer batch", {"source": "-", "output": "out"}),
        ("infer batch", {"output": "out"}),
        ("store put", {"paths": ["file"], "misspelt": True}),
        ("store heal", {"least": 0}),
    ],
)
def test_what_must_not_or_cannot_be_kept_is_refused_at_once(node: Node, line: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        detached(node, line, arguments)

    assert node.jobs.ls().jobs == []


def test_who_may_not_run_a_command_may_not_detach_it(node: Node) -> None:
    with pytest.raises(NotAuthorised):
        detached(node, "model pull", {"reference": "hf://org/name"}, Call(principal=ASSISTANT))


def test_a_callers_folders_hold_when_the_job_runs(node: Node, tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "secret").write_text("secret")
    call = Call(principal=ASSISTANT, folders=(tmp_path / "allowed",))
    job = detached(node, "store put", {"paths": [str(tmp_path / "secret")]}, call)
    worked(node)

    kept = node.jobs.queue.get(job)
    assert (kept.state, (kept.problem or {})["code"]) == (State.PARKED, "not-authorised")


def test_an_offline_caller_stays_offline_beside_others(node: Node) -> None:
    job = detached(node, "model pull", {"reference": "hf://org/name"}, Call(offline=True))
    worked(node)

    assert (node.jobs.show(job).problem or {})["code"] == "offline"


def test_assistants_see_only_their_own_jobs(node: Node) -> None:
    mine = detached(node, "store scrub", {}, Call(principal=ASSISTANT))
    other = detached(node, "store scrub", {})

    with using(Call(principal=ASSISTANT)):
        assert [job.id for job in node.jobs.ls().jobs] == [mine]
        with pytest.raises(AccelError, match="no job"):
            node.jobs.cancel([other])
        assert node.jobs.prune(0).count == 0


def test_whoever_may_not_steer_jobs_starts_no_worker(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPFS_ACCEL_JOB_AUTOSTART", "true")
    command = found("store scrub")
    with using_node(node), using(Call(principal=ASSISTANT)):
        assert detach(command.path, command.function, {}).worker.startswith("nobody yet: the owner")


def test_a_job_names_the_backends_whose_limits_hold_for_it(node: Node, tmp_path: Path) -> None:
    node.store.backends.add("cold", "local", {"path": str(tmp_path)})
    copy = detached(node, "store copy", {"reference": "bafy", "to": ["cold:models"]})
    fetch = detached(node, "store fetch", {"reference": "bafy", "on": "cold"})
    sync = detached(node, "store sync", {"source": "here:", "destination": "cold:"})

    assert [node.jobs.show(job).backends for job in (copy, fetch, sync)] == [["cold"]] * 3


def test_a_command_of_another_version_is_parked_with_a_reason(node: Node) -> None:
    job = node.jobs.queue.add("command", {"command": ["store", "nothing"], "arguments": {}})
    shy = node.jobs.queue.add("command", {"command": ["job", "prune"], "arguments": {}})
    worked(node)

    for one in (job, shy):
        assert "that can be a job" in str((node.jobs.show(one).problem or {})["detail"])


def test_a_job_that_has_ended_shows_what_its_command_would(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("cold", "lab"):
        (tmp_path / name).mkdir()
        node.store.backends.add(name, "local", {"path": str(tmp_path / name)})
    (tmp_path / "cold" / "a.bin").write_bytes(b"one")
    job = detached(node, "migrate copy", {"source": "cold:", "destination": "lab:"})
    worked(node)
    for command in ("wait", "show"):
        assert run(["job", command, job]) == 0
        lines = capsys.readouterr().out.splitlines()
        (head,) = [line for line in lines if line.startswith("outcome")]
        assert head.split()[:2] == ["outcome", "name"]
        assert lines[lines.index(head) + 1].split()[:3] == ["copied", "a.bin", "3"]
