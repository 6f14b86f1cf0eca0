"""Every exposed command, asked by the shell and by an assistant: the same JSON.

Both run on copies of one prepared home, in the same folder of the same files, so that both start alike.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from ipfs_accel_cli import Node
from ipfs_accel_cli.app import app
from ipfs_accel_cli.services.infer.bench.wanted import Wanted
from ipfs_accel_cli.surfaces.cli.main import run
from ipfs_accel_cli.surfaces.mcp.select import Selection
from ipfs_accel_cli.surfaces.mcp.server import build
from ipfs_accel_cli.surfaces.mcp.walk import Found, commands
from tests.conformance import tiny_models, tiny_text_models, tiny_vision
from tests.contract import contents, jobs, migrations, modalities
from tests.flows import drawn
from tests.servers.kubo_answers import kubo_answers
from tests.servers.openai_faults import faulty
from tests.servers.shelves import ollama_store

pytestmark = pytest.mark.models


@dataclass(frozen=True)
class World:
    """A prepared home, a folder of files beside it, and the CIDs of what was put."""

    home: Path
    files: Path
    folder_cid: str
    hello_cid: str
    loose_cid: str
    pinned_cid: str
    name: str


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with faulty() as state:
        state.mode = "well"
        yield state.url


@pytest.fixture(scope="module")
def lab() -> Iterator[str]:
    with kubo_answers() as state:
        state.calls.update(contents.NODE_CALLS)
        yield state.url


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, server: str) -> World:
    base = tmp_path_factory.mktemp("world")
    files = base / "files"
    (files / "folder" / "sub").mkdir(parents=True)
    (files / "folder" / "hello.txt").write_text("hello world")
    (files / "set.jsonl").write_text('{"text": "the cat", "expected": "good"}\n')
    (files / "lines.jsonl").write_text('"the cat"\n"a dog"\n')
    (files / "folder" / "sub" / "numbers.bin").write_bytes(bytes(range(256)) * 5000)
    (files / "cat.md").write_text("the {{ input }}")
    (files / "pipe.toml").write_text(
        '[inputs]\nabout = "text"\n[steps.near]\nrun = "embed"\nmodel = "encoder"\ntexts = ["the cat", "a dog"]\n'
        'query = "$inputs.about"\n[outputs]\nfound = "$near.*.text"\n'
    )
    (files / "cases.jsonl").write_text('{"vars": {"input": "cat"}, "expect": {"contains": "cat"}}\n')
    tiny_models.encoder(files / "encoder")
    tiny_models.decoder(files / "decoder")
    ollama_store(files / "ollama", "registry.ollama.ai/library/tiny/latest", [("template", b"{{ .Prompt }}")])
    with Node(base / "home") as node:
        node.models.add(files / "encoder", name="encoder")
        node.models.add(files / "decoder", name="decoder")
        for task in ("classifier", "detector", "segmenter"):
            node.models.add(getattr(tiny_vision, task)(files / f"sees-{task}").folder, name=f"sees-{task}")
        drawn.text(files / "page.png")
        node.models.add(reader(files / "reader"), name="reader")
        node.models.add(tiny_models.classifier(files / "classifier").folder, name="classifier")
        node.models.add(tiny_models.rewriter(files / "rewriter").folder, name="rewriter")
        node.models.add(tiny_text_models.masked(files / "masked").folder, name="masked")
        modalities.prepare(node, files, server)
        node.inference.prompts.add("cat", files / "cat.md")
        node.models.deploys.new("served", "encoder")
        node.models.deploys.new("served", assignments=["port=9000"])
        (put,) = node.store.put([files / "folder"])
        hello = node.store.stat(f"{put.cid}/hello.txt").cid
        node.store.export_car(put.cid, files / "folder.car")
        node.peers.identity()
        node.models.signatures.sign("encoder")
        quick = Wanted(prompts=(8,), repetitions=2, memory=False, quality=False)
        (files / "bench.json").write_text(node.inference.benches.run(["encoder"], quick).model_dump_json())
        (files / "run.json").write_text(node.benches.run("network", quick=True).model_dump_json())
        (files / "machine.json").write_text(node.machines.find("rtx-4090").model_dump_json())
        node.machines.save("saved", str(files / "machine.json"))
        loose = node.store.single.put(text="loose", keep=False).cid
        pinned = node.store.dags.put(text="[]", keep=False).cid
        contents.prepare(node, base, put.cid)
        jobs.prepare(node)
        migrations.prepare(node, base, files)
        node.store.pins.add([pinned])
        node.store.names.keys.new("site")
        named = node.store.names.publish("site", put.cid, lifetime="30d").name
        node.store.names.files.export("site", files / f"{named}.ipns-record")
        contents.RECORDS[named] = (files / f"{named}.ipns-record").read_bytes()
    return World(base / "home", files, put.cid, hello, loose, pinned, named)


def reader(folder: Path) -> Path:
    """Make a model of the graphs that come with rapidocr, which are those of the catalogue."""
    import rapidocr_onnxruntime

    folder.mkdir()
    for part in ("det", "cls", "rec"):
        (graph,) = (Path(rapidocr_onnxruntime.__file__).parent / "models").glob(f"*_{part}_*.onnx")
        shutil.copyfile(graph, folder / f"{part}.onnx")
    said = {"architectures": ["PPOCRv4"], "model_type": "pp-ocr", "ipfs_accel_tasks": ["image-ocr"]}
    (folder / "config.json").write_text(json.dumps(said))
    return folder


KINDS = ("cpu", "memory", "disk", "content", "network", "accelerator", "all")

# Command line words, and the same as tool arguments. {cid} and {hello} are CIDs, {files} the folder.
CASES: dict[str, tuple[list[str], dict[str, Any]]] = {
    **modalities.CASES,
    **contents.CASES,
    **jobs.CASES,
    **migrations.CASES,
    "hw info": ([], {}),
    "hw engines": ([], {}),
    "hw report": ([], {}),
    "hw fit": (["decoder", "--budget", "1GiB"], {"model": "decoder", "budget": "1GiB"}),
    "hw recommend": (["--task", "embed", "--max-memory", "1GiB"], {"task": "embed", "max_memory": "1GiB"}),
    "hw plan": (["decoder", "--context", "32"], {"model": "decoder", "context": 32}),
    "hw require": (["--cores", "0.5"], {"cores": 0.5}),
    "hw machine ls": ([], {}),
    "hw machine show": (["rtx-4090"], {"name": "rtx-4090"}),
    "hw machine save": (["mine", "--from", "{files}/machine.json"], {"name": "mine", "file": "{files}/machine.json"}),
    "hw machine rm": (["saved"], {"names": ["saved"]}),
    **{f"hw bench {kind}": (["--quick"], {"quick": True}) for kind in KINDS},
    "hw bench ls": ([], {}),
    "hw bench show": (["latest"], {"run": "latest"}),
    "hw bench compare": (["{files}/run.json"] * 2, {"before": "{files}/run.json", "after": "{files}/run.json"}),
    "hw tune": (["--show"], {"show": True}),
    "peer id": ([], {}),
    "doctor": ([], {}),
    "config show": (["--origin"], {"origin": True}),
    "config get": (["infer.device"], {"name": "infer.device"}),
    "config path": ([], {}),
    "model pull": (["{files}/encoder"], {"reference": "{files}/encoder"}),
    "model add": (["{files}/encoder", "--name", "again"], {"path": "{files}/encoder", "name": "again"}),
    "model ls": (["--filter", "task=embed", "--sort", "-size"], {"where": "task=embed", "sort": "-size"}),
    "model show": (["encoder"], {"name": "encoder"}),
    "model rm": (["decoder"], {"names": ["decoder"]}),
    "model verify": (["encoder"], {"name": "encoder"}),
    "model scan": (["encoder"], {"name": "encoder"}),
    "model status": (["encoder", "hf://org/name"], {"names": ["encoder", "hf://org/name"]}),
    "model ps": ([], {}),
    "model versions": (["encoder"], {"name": "encoder"}),
    "model alias": ([], {}),
    "model rollback": (["encoder", "--to", "1"], {"name": "encoder", "to": 1}),
    "model diff": (["encoder", "decoder"], {"before": "encoder", "after": "decoder"}),
    "model dedup": (["--tensors"], {"tensors": True}),
    "model lineage": (["encoder", "--graph", "dot"], {"name": "encoder", "graph": "dot"}),
    "model card": (["encoder"], {"name": "encoder"}),
    "model repair": (["encoder", "--from", "{files}/encoder"], {"name": "encoder", "sources": ["{files}/encoder"]}),
    "model tag": (["encoder", "best"], {"name": "encoder", "alias": "best"}),
    "model gc": (["--dry-run"], {"dry_run": True}),
    "model export": (["encoder", "-o", "{files}/encoder.car"], {"name": "encoder", "output": "{files}/encoder.car"}),
    "model push": (["encoder", "{files}/pushed"], {"name": "encoder", "target": "{files}/pushed"}),
    "model inspect": (["encoder", "--tensors"], {"name": "encoder", "tensors": True}),
    "model verify-attest": (["encoder", "--require"], {"name": "encoder", "require": True}),
    "model meta": (["encoder", "stage=prod"], {"name": "encoder", "settings": ["stage=prod"]}),
    "model prune": (["--older-than", "1d"], {"older_than": "1d"}),
    "model import": (["tiny", "--from", "{files}/ollama"], {"source": "{files}/ollama", "models": ["tiny"]}),
    "model deploy new": (["fresh", "--model", "encoder"], {"name": "fresh", "model": "encoder"}),
    "model deploy ls": ([], {}),
    "model deploy show": (["served@1"], {"deployment": "served@1"}),
    "model deploy render": (["served", "--for", "accel"], {"deployment": "served", "target": "accel"}),
    "model deploy diff": (["served"], {"before": "served"}),
    "model deploy rm": (["served@1"], {"names": ["served@1"]}),
    "model eval": (
        ["classifier", "{files}/set.jsonl", "--threshold", "accuracy>=0"],
        {"name": "classifier", "set_file": "{files}/set.jsonl", "threshold": ["accuracy>=0"]},
    ),
    "infer bench run": (
        ["-m", "encoder", "-p", "8", "-r", "2", "--no-memory", "--no-quality"],
        {"model": ["encoder"], "n_prompt": ["8"], "repetitions": 2, "memory": False, "quality": False},
    ),
    "infer bench ls": ([], {}),
    "infer bench show": (["{files}/bench.json"], {"name": "{files}/bench.json"}),
    "infer bench compare": (
        ["{files}/bench.json", "{files}/bench.json"],
        {"before": "{files}/bench.json", "after": "{files}/bench.json"},
    ),
    "infer batch": (
        ["{files}/lines.jsonl", "-o", "{files}/answers.jsonl", "--task", "embed", "-m", "encoder", "--restart"],
        {
            **{"source": "{files}/lines.jsonl", "output": "{files}/answers.jsonl", "task": "embed"},
            **{"model": "encoder", "restart": True},
        },
    ),
    "model catalogue": (["--task", "embed"], {"task": "embed"}),
    "model perf": (["classifier"], {"names": ["classifier"]}),
    "model compare": (
        ["classifier", "classifier", "--set", "{files}/set.jsonl"],
        {"a": "classifier", "b": "classifier", "set_file": "{files}/set.jsonl"},
    ),
    "infer image classify": (
        ["{files}/page.png", "-m", "sees-classifier"],
        {"files": ["{files}/page.png"], "model": "sees-classifier"},
    ),
    "infer image embed": (
        ["{files}/page.png", "-m", "sees-classifier"],
        {"files": ["{files}/page.png"], "model": "sees-classifier"},
    ),
    "infer image detect": (
        ["{files}/page.png", "-m", "sees-detector", "--threshold", "0"],
        {"files": ["{files}/page.png"], "model": "sees-detector", "threshold": 0},
    ),
    "infer image segment": (
        ["{files}/page.png", "-m", "sees-segmenter", "--masks"],
        {"files": ["{files}/page.png"], "model": "sees-segmenter", "masks": True},
    ),
    "infer image ocr": (
        ["{files}/page.png", "-m", "reader", "--boxes"],
        {"files": ["{files}/page.png"], "model": "reader", "boxes": True},
    ),
    "infer image process": (
        ["{files}/page.png", "-o", "{files}/small.png", "--resize", "50%"],
        {"files": ["{files}/page.png"], "output": "{files}/small.png", "resize": "50%"},
    ),
    "infer embed": (["a cat", "the old dog", "-m", "encoder"], {"texts": ["a cat", "the old dog"], "model": "encoder"}),
    "infer classify": (["the cat", "-m", "classifier"], {"texts": ["the cat"], "model": "classifier"}),
    "infer rerank": (
        ["cat", "a cat", "the old dog", "-m", "encoder"],
        {"query": "cat", "texts": ["a cat", "the old dog"], "model": "encoder"},
    ),
    "infer zero-shot": (
        ["a cat", "--label", "cat", "--label", "rain", "-m", "encoder"],
        {"texts": ["a cat"], "label": ["cat", "rain"], "model": "encoder"},
    ),
    "infer fill-mask": (["the [MASK] sat", "-m", "masked"], {"texts": ["the [MASK] sat"], "model": "masked"}),
    "infer tokens": (["the cat", "-m", "encoder"], {"texts": ["the cat"], "model": "encoder"}),
    "infer answer": (
        ["the cat", "--context", "Rain. A cat sat.", "-m", "encoder"],
        {"questions": ["the cat"], "context": "Rain. A cat sat.", "model": "encoder"},
    ),
    "infer summarize": (
        ["Rain. A cat sat. The sun.", "--sentences", "1", "-m", "encoder"],
        {"texts": ["Rain. A cat sat. The sun."], "sentences": 1, "model": "encoder"},
    ),
    "infer translate": (
        ["the cat", "--to", "fr", "--max-tokens", "4", "-m", "rewriter"],
        {"texts": ["the cat"], "target": "fr", "max_tokens": 4, "model": "rewriter"},
    ),
    "model quantize": (["encoder", "--method", "torch-int8"], {"name": "encoder", "method": "torch-int8"}),
    "infer calibrate": (["encoder"], {"model": "encoder"}),
    "infer pipeline run": (
        ["{files}/pipe.toml", "-i", "about=dog", "--save", "{files}/out"],
        {"file": "{files}/pipe.toml", "given": ["about=dog"], "save": "{files}/out"},
    ),
    "infer pipeline check": (["{files}/pipe.toml"], {"file": "{files}/pipe.toml"}),
    "infer pipeline graph": (
        ["{files}/pipe.toml", "--language", "dot"],
        {"file": "{files}/pipe.toml", "language": "dot"},
    ),
    "infer chat": (
        ["the cat", "-m", "decoder", "--template", "plain", "--max-tokens", "4"],
        {"message": "the cat", "model": "decoder", "template": "plain", "max_tokens": 4},
    ),
    "infer prompt add": (["mine", "{files}/cat.md"], {"name": "mine", "file": "{files}/cat.md"}),
    "infer prompt ls": (["--all"], {"every": True}),
    "infer prompt show": (["cat"], {"name": "cat"}),
    "infer prompt render": (["cat", "dog"], {"name": "cat", "text": "dog"}),
    "infer prompt test": (["cat", "--set", "{files}/cases.jsonl"], {"name": "cat", "cases": "{files}/cases.jsonl"}),
    "infer prompt rm": (["cat"], {"name": "cat"}),
    "infer generate": (
        ["the cat", "-m", "decoder", "--max-tokens", "5"],
        {"prompt": "the cat", "model": "decoder", "max_tokens": 5},
    ),
}
# What may differ between two runs because the world went on between them; a folder's revision tells its change time.
VOLATILE = {
    "load_1m", "load_5m", "load_15m", "available_bytes", "limit_used_bytes", "swap_free_bytes", "memory_free_bytes",
    "home_free_bytes", "free_bytes", "created_at", "pulled_at", "kept_at", "added_at", "saved_at", "revision",
    "duration_ms", "seconds", "measured_at", "at", "verified_at", "processes", "engine", "chosen", "id", "started_at",
    "median", "mad", "samples", "noisy", "busy_share", "texts_s", "one_texts_s", "many_texts_s", "long_texts_s",
    "threads", "markdown", "fit", "statement_cid", "original", "quantized", "ratio", "original_spread",
    "quantized_spread", "rounds", "lines_s", "latency_ms", "one_long_texts_s", "real_time_factor",
    "rtfx", "short_rtfx", "long_rtfx", "modified_at", "changed_at", "oldest", "read_bytes_s", "write_bytes_s",
    "pictures_s", "one_pictures_s", "many_pictures_s",
}  # fmt: skip
EXPOSED = [command for command in commands(app) if command.effects.exposed]


def test_every_exposed_command_is_compared() -> None:
    assert {" ".join(command.path) for command in EXPOSED} == set(CASES)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads are chosen from the load of the moment, and the last digit of a sum depends on how many share it."""
    monkeypatch.setenv("IPFS_ACCEL_INFER_THREADS", "1")


@pytest.mark.parametrize("command", EXPOSED, ids=lambda command: " ".join(command.path))
def test_shell_and_assistant_get_the_same(
    command: Found, world: World, lab: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, arguments = CASES[" ".join(command.path)]
    with copied(world, tmp_path):
        if "lab" in words:  # A node beside the other backends would take part in what those do together.
            with Node(tmp_path / "home") as node:
                node.store.backends.add("lab", "ipfs", {"url": lab})
        capsys.readouterr()
        status = run(
            [
                *command.path,
                *(_filled(word, world, tmp_path) for word in words),
                "--json",
                "--home",
                str(tmp_path / "home"),
            ]
        )
        shell = json.loads(capsys.readouterr().out)
    assert status == 0, shell
    with copied(world, tmp_path):
        if "lab" in words:
            with Node(tmp_path / "home") as node:
                node.store.backends.add("lab", "ipfs", {"url": lab})
        filled = {name: _filled(value, world, tmp_path) for name, value in arguments.items()}
        assistant = anyio.run(_called, tmp_path / "home", tmp_path / "files", command.tool_name, filled)
    assert _steady(shell) == _steady(assistant)


@contextmanager
def copied(world: World, folder: Path) -> Iterator[None]:
    """Copy the world to the same place each time, and work inside its files."""
    before = Path.cwd()
    for name, source in (("home", world.home), ("files", world.files)):
        shutil.rmtree(folder / name, ignore_errors=True)
        shutil.copytree(source, folder / name, symlinks=True)
    os.chdir(folder / "files")
    try:
        yield
    finally:
        os.chdir(before)


async def _called(home: Path, files: Path, tool: str, arguments: dict[str, Any]) -> Any:
    with Node(home) as node:
        # A pipeline may do no more than the tools that are offered.
        offered = Selection(tools=(tool, "infer_embed"))
        async with Client(build(node, offered, folders=[str(files)])) as client:
            answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content


def _filled(value: Any, world: World, folder: Path) -> Any:
    if isinstance(value, list):
        return [_filled(part, world, folder) for part in value]
    if not isinstance(value, str):
        return value
    if value.startswith("["):
        return value
    known = {"cid": world.folder_cid, "hello": world.hello_cid, "loose": world.loose_cid, "pinned": world.pinned_cid}
    known["name"] = world.name
    return value.format(**known, files=folder / "files")


def _steady(value: Any) -> Any:
    """Leave out what tells the time or the load, and the free space in what the doctor says."""
    if isinstance(value, dict):
        if value.get("name") == "disk" and "detail" in value:
            value = {**value, "detail": ""}
        return {key: _steady(part) for key, part in value.items() if key not in VOLATILE}
    return [_steady(part) for part in value] if isinstance(value, list) else value
