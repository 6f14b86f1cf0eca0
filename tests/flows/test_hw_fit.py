"""What fits: through the shell, from files, the registry, a server and a hub, with verdicts as exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.hw.fit import headers, judging, measurements
from ipfs_accel_cli.services.hw.fit.arithmetic import Shape
from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance import tiny_models
from tests.servers.hub import hub
from tests.servers.serving import Handler, Site, serving
from tests.servers.tiny_model import lay_out, safetensors
from tests.unit.formats import builders
from tests.unit.services.hw.machines import machine

CONFIG = {
    **{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "vocab_size": 1000, "max_position_embeddings": 4096, "hidden_act": "silu"},
}
TENSORS = {"model.embed_tokens.weight": (1000, 64), "model.layers.0.w": (64, 64), "model.layers.1.w": (64, 64)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {"config.json": json.dumps(CONFIG).encode(), "model.safetensors": safetensors(TENSORS)}
    return lay_out(tmp_path / "llama", files)


class Files(Site):
    """Serves a folder and counts the bytes of bodies."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root, self.sent = root, 0

    def answer(self, handler: Handler) -> None:
        path = self.root / handler.path.strip("/")
        if not path.is_file():
            return handler.reply(404, b"")
        write = handler.wfile.write

        def counted(data: Any) -> int:
            self.sent += len(data)
            return write(data)

        handler.wfile.write = counted  # type: ignore[method-assign]
        return handler.send_file(path.name, path.read_bytes())


def asked(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    assert run([*arguments, "--json"]) == status
    caught = capsys.readouterr()
    answer: dict[str, Any] = json.loads(caught.out or caught.err)
    return answer.get("error", answer)


def test_a_folder_is_judged_from_its_headers(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "hw", "fit", str(folder), "--context", "100", "--batch", "2")
    assert found["fits"]
    assert found["weights_bytes"] == 4 * (64_000 + 2 * 4096)
    assert found["kv_cache_bytes"] == 2 * 2 * 64 * 4 * 100 * 2
    assert found["basis"] == "estimate"
    assert found["largest_context"] == 4096
    assert found["speed"] == {
        "tokens_s": None,
        "inputs_s": None,
        "basis": "unknown",
        "reason": "no measurement: ipfs-accel hw bench memory",
    }


def test_what_does_not_fit_ends_with_status_8_and_says_what_would(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    problem = asked(capsys, "hw", "fit", str(folder), "--context", "8", "--budget", "20700KiB", status=8)
    assert problem["code"] == "does-not-fit"
    assert problem["context"]["fit"]["fits"] is False
    assert problem["context"]["fit"]["best_dtype"] == "bfloat16"
    assert problem["suggestion"].endswith("--dtype bfloat16")


def test_quiet_prints_the_verdict_and_a_pipe_gets_no_bars(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hw", "fit", str(folder), "--budget", "1GiB", "-q"]) == 0
    assert capsys.readouterr().out.startswith("fits: ")
    assert run(["hw", "fit", str(folder), "--budget", "1GiB"]) == 0
    shown = capsys.readouterr().out
    assert "weights" in shown
    assert "█" not in shown


def test_a_sharded_model_is_read_through_its_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    files = {name: safetensors({tensor: (8, 8)}) for tensor, name in names.items()}
    files["model.safetensors.index.json"] = json.dumps({"weight_map": names}).encode()
    shards = lay_out(tmp_path / "shards", files)
    assert asked(capsys, "hw", "fit", str(shards))["weights_bytes"] == 512
    (shards / "model-2.safetensors").unlink()
    assert asked(capsys, "hw", "fit", str(shards), status=3)["detail"].startswith("the index names model-2")


@pytest.mark.parametrize("kind", ["gguf", "onnx"])
def test_gguf_and_onnx_files_are_judged(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = {"general.architecture": "llama", "llama.embedding_length": 256, "llama.block_count": 2}
    data = (
        builders.gguf({"blk.0.w": ((256, 4), 12, 576)}, values)
        if kind == "gguf"
        else builders.onnx({"w": ((4, 36), 1)}, 576)
    )
    path = tmp_path / f"model.{kind}"
    path.write_bytes(data)
    found = asked(capsys, "hw", "fit", str(path), "--context", "10")
    assert (found["weights_bytes"], found["format"]) == (576, kind)
    assert found["kv_cache_bytes"] == (2 * 2 * 256 * 2 * 10 if kind == "gguf" else 0)


def test_over_http_only_headers_move(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = 32 << 20
    lay_out(folder, {"model.safetensors": safetensors({"w": (size // 4,)})})
    site = Files(folder)
    with serving(site):
        found = asked(capsys, "hw", "fit", f"{site.url}/model.safetensors", "--context", "8")
    assert found["weights_bytes"] == size
    assert site.sent < 100 << 10


def test_a_server_without_ranges_is_refused_instead_of_downloaded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = Files(folder)
    site.faults.ranges = False
    with serving(site):
        problem = asked(capsys, "hw", "fit", f"{site.url}/model.safetensors", status=6)
    assert "ranges" in problem["detail"]
    assert problem["suggestion"].startswith("ipfs-accel model pull http://")


def test_a_server_that_is_down_is_said_to_be_with_a_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    problem = asked(capsys, "hw", "fit", "http://127.0.0.1:9/model.gguf", status=6)
    assert problem["code"] == "unavailable"
    assert problem["suggestion"] == "ipfs-accel model ls"


def test_a_hub_is_asked_for_headers_only(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(folder.parent / "hub" / "org" / "name", {path.name: path.read_bytes() for path in folder.iterdir()})
    with hub(folder.parent / "hub") as site:
        monkeypatch.setenv("HF_ENDPOINT", site.url)
        found = asked(capsys, "hw", "fit", "hf://org/name", "--context", "8")
        fetched = [line for line in site.log if "/resolve/" in line and line.startswith("GET")]
    assert found["weights_bytes"] == 4 * (64_000 + 2 * 4096)
    assert fetched
    assert all(" bytes=" in line for line in fetched)


def test_offline_nothing_elsewhere_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "hw", "fit", "http://127.0.0.1:9/model.gguf", "--offline", status=6)["code"] == "offline"


def test_a_machine_in_a_file_is_judged_instead_of_this_one(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "server.json"
    there.write_text(machine(64, gpus=8).model_dump_json())
    found = asked(capsys, "hw", "fit", str(folder), "--machine", str(there))
    assert (found["device"], found["budget_bytes"]) == ("cuda:0", 80 << 30)
    assert asked(capsys, "hw", "require", "--gpu", "cuda", "--machine", str(there))["met"]
    there.write_text("{}")
    assert asked(capsys, "hw", "fit", str(folder), "--machine", str(there), status=2)["code"] == "invalid-input"


def test_unmet_requirements_end_with_status_8_and_each_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    problem = asked(capsys, "hw", "require", "--memory", "900TiB", "--cores", "0.1", status=8)
    assert [(row["pointer"], row["detail"].split(":")[0]) for row in problem["errors"]] == [
        ("memory", "unmet"),
        ("cores", "met"),
    ]


def test_registered_and_catalogued_models_are_ranked_with_reasons(
    folder: Path, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    node.models.add(folder, name="mine")
    found = asked(capsys, "hw", "recommend", "--task", "generate", "--home", str(node.home.path))
    assert [row["model"] for row in found["models"]] == ["mine"]
    assert any(reason.startswith("fits: ") for reason in found["models"][0]["pros"])
    other = asked(capsys, "hw", "recommend", "--task", "embed", "--home", str(node.home.path))
    assert other["models"][0]["command"].startswith("ipfs-accel model pull")


def test_a_plan_puts_this_machine_to_the_test(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "hw", "plan", str(folder), "--target-tps", "100", "--context", "64")
    assert found["bandwidth_bytes_s"] > 0
    here = next(row for row in found["machines"] if row["machine"] == "this machine")
    assert here["meets"] is None


def test_all_of_it_works_without_torch(folder: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'accelerate'): sys.modules[name] = None\n"
        "from ipfs_accel_cli.surfaces.cli.main import run\n"
        f"assert run(['hw', 'fit', {str(folder)!r}, '--context', '8', '-q']) == 0\n"
        f"assert run(['hw', 'fit', {str(folder)!r}, '--context', '8', '--budget', '1KiB', '-q']) == 8\n"
        f"sys.exit(run(['hw', 'fit', {str(folder)!r}, '--context', '8', '--measure', '-q']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 6, done.stderr
    assert "measuring needs torch" in done.stderr


@pytest.mark.models
@pytest.mark.slow
def test_a_measurement_replaces_the_estimate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_models.decoder(tmp_path / "decoder")
    arguments = ("hw", "fit", str(tmp_path / "decoder"), "--context", "16", "--home", str(tmp_path / "home"))
    assert asked(capsys, *arguments)["basis"] == "estimate"
    assert asked(capsys, *arguments, "--measure")["basis"] == "measured"
    found = asked(capsys, *arguments)
    assert found["basis"] == found["speed"]["basis"] == "measured"
    assert found["speed"]["tokens_s"] > 0


@pytest.mark.models
@pytest.mark.slow
def test_a_run_with_statistics_replaces_the_estimated_speed(
    tmp_path: Path, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_models.decoder(tmp_path / "decoder")
    node.models.add(tmp_path / "decoder", name="mine")
    home = ("--home", str(node.home.path))
    assert asked(capsys, "hw", "fit", "mine", *home)["speed"]["basis"] == "unknown"
    run_ = asked(capsys, "infer", "generate", "a b c", "-m", "mine", "--max-tokens", "6", "--stats", *home)
    found = asked(capsys, "hw", "fit", "mine", *home)
    assert found["speed"]["basis"] == "measured"
    assert found["speed"]["tokens_s"] == pytest.approx(run_["stats"]["tokens_s"], abs=0.1)
    # Memory was not measured: the process held more than this model.
    assert found["basis"] == "estimate"


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.parametrize(("name", "context", "batch"), [("gpt2", 512, 2), ("bert", 256, 4)])
def test_the_arithmetic_stays_within_a_fifth_of_what_a_model_really_takes(
    name: str, context: int, batch: int, tmp_path: Path
) -> None:
    made = "import sys, fit_models as made; made.build(sys.argv[1], made.Path(sys.argv[2]))"
    scripts = Path(__file__).parents[2] / "scripts"
    subprocess.run([sys.executable, "-c", made, name, str(tmp_path / name)], cwd=scripts, check=True)
    model = judging.model_of(headers.describe(str(tmp_path / name), Path))
    need = judging.need(model, Shape(context, batch), "float32", "float32")
    took = measurements.run(tmp_path / name, context=context, batch=batch, dtype="float32")["increment_bytes"]
    assert need.total == pytest.approx(took, rel=0.20)
    assert abs(need.total - took) < abs(need.weights - took)


def test_recommending_for_a_task_that_nobody_knows_is_refused(node: Node) -> None:
    with pytest.raises(Invalid, match="embed"):
        node.fits.recommend("nosuch")


@pytest.mark.models
def test_embedding_with_statistics_replaces_the_estimate_of_an_encoder(
    tmp_path: Path, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_models.encoder(tmp_path / "encoder")
    node.models.add(tmp_path / "encoder", name="mine")
    home = ("--home", str(node.home.path))
    before = asked(capsys, "hw", "fit", "mine", *home)["speed"]
    assert (before["basis"], before["inputs_s"]) == ("unknown", None)
    assert "infer embed" in before["reason"]
    assert run(["infer", "embed", "a b c", "d", "-m", "mine", "--stats", "--json", *home]) == 0
    capsys.readouterr()
    found = asked(capsys, "hw", "fit", "mine", *home)["speed"]
    assert found["basis"] == "measured"
    assert found["inputs_s"] > 0
    assert found["reason"].endswith(", 2 at a time")
    assert [(one.kind, one.unit, one.here) for one in node.fits.measured("mine")] == [("speed", "texts/s", True)]
