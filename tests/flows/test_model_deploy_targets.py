"""What is rendered works: servers start from it, and each format is read by what it is for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import pytest
import yaml
from mcp import Client

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.services.model.deploy.results import Target
from tests.conformance import tiny_models
from tests.servers.systemd import INSTALLED, settings, unit_words, verified
from tests.servers.tiny_model import lay_out, tiny_model
from tests.unit.formats import builders

TOKEN = "0123456789abcdef-0123456789abcdef"
GGUF = builders.gguf({"w": ((4, 8), 0, 128)}, {"general.architecture": "llama"})
FILE = "a \"m\" $x 'y' %h.gguf"
TEMPLATE = '{{ .Prompt }}\n"x"'


@pytest.fixture
def gguf(node: Node, tmp_path: Path) -> Node:
    """A node with a deployment of a GGUF model whose file is named to break out of every quote."""
    files = {FILE: GGUF, "template": TEMPLATE.encode(), "params": b'{"stop": ["<|end|>", "a b"]}'}
    node.models.add(lay_out(tmp_path / "made", files), name="quantised")
    node.models.deploys.new(
        "llm",
        "quantised",
        assignments=[
            *("context=1024", "parallel=2", "threads=3", "kv_dtype=q8_0", "memory_limit=2GiB", "cpu_limit=1.5"),
            *("device=cpu", "port=18081", "api_key_env=LLM_KEY", "labels.note=$(id) \"%h\" 'x'"),
            "extra_args=--metrics --grammar 'a $HOME \"%h\"'",
        ],
    )
    return node


@contextmanager
def started(command: list[str], **environment: str) -> Iterator[str]:
    """Run a rendered server until it says where it listens; yield the address."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ | environment)
    try:
        assert process.stderr is not None
        line = process.stderr.readline().decode()
        assert "http://" in line, line + process.stderr.read().decode()
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=30)
        assert process.returncode in (0, -signal.SIGTERM, 143), told


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.models
def test_the_script_of_our_own_server_answers_an_assistant_with_the_model(node: Node, tmp_path: Path) -> None:
    tiny_models.encoder(tmp_path / "encoder")
    node.models.add(tmp_path / "encoder")
    node.models.deploys.new("vectors", "encoder", assignments=[f"port={free_port()}", "threads=1", "engine=torch"])
    script = node.models.deploys.render("vectors", "accel", tmp_path).path

    async def asked(url: str) -> object:
        async with Client(url) as client:
            named = node.models.deploys.show("vectors").config.manifest
            answer = await client.call_tool("infer_embed", {"texts": ["a cat"], "model": named})
            return answer.structured_content

    with started([str(script)], IPFS_ACCEL_HOME="/nowhere") as url:
        answer = anyio.run(asked, url)
    assert "vector" in str(answer)


def test_with_a_key_our_own_server_lets_nobody_else_in(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    node.models.deploys.new("vectors", "tiny", assignments=[f"port={free_port()}", "api_key_env=VECTORS_KEY"])
    script = str(node.models.deploys.render("vectors", "accel", tmp_path).path)
    assert TOKEN not in Path(script).read_text()

    nameless = subprocess.run([script], capture_output=True, text=True)
    assert nameless.returncode != 0
    assert "VECTORS_KEY must hold the token" in nameless.stderr
    with started([script], VECTORS_KEY=TOKEN) as url:
        assert httpx.post(url, json={}).status_code == 401
        assert httpx.post(url, json={}, headers={"Authorization": f"Bearer {TOKEN}"}).status_code != 401

    # The unit reads the key where the manager puts credentials.
    (tmp_path / "VECTORS_KEY").write_text(TOKEN)
    unit = settings(node.models.deploys.render("vectors", "systemd").text)
    assert unit["LoadCredential"] == ["VECTORS_KEY:/etc/credstore/VECTORS_KEY"]
    environment = dict(unit_words(line)[0].split("=", 1) for line in unit["Environment"])
    command = unit_words(unit["ExecStart"][0])
    with started(command, CREDENTIALS_DIRECTORY=str(tmp_path), **environment) as url:
        assert httpx.post(url, json={}).status_code == 401


def test_the_script_of_llama_server_starts_it_with_these_words(gguf: Node, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "llama-server"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\0" "$LLAMA_API_KEY" "$@"\n')
    program.chmod(0o755)
    script = gguf.models.deploys.render("llm", "llama-server", tmp_path).path
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run([str(script)], capture_output=True, env=os.environ | {"LLM_KEY": "sesame", "PATH": path})
    assert done.returncode == 0, done.stderr
    key, *words = done.stdout.decode().split("\0")[:-1]
    model = Path(words[1])
    assert (key, model.name, model.read_bytes()) == ("sesame", FILE, GGUF)
    # Each of the two requests may use all of the context that was asked for.
    assert words[2:] == [
        *("--alias", "llm", "--host", "127.0.0.1", "--port", "18081", "--ctx-size", "2048", "--parallel", "2"),
        *("--threads", "3", "--cache-type-k", "q8_0", "--cache-type-v", "q8_0", "--device", "none"),
        *("--metrics", "--grammar", 'a $HOME "%h"'),
    ]


@pytest.mark.parametrize("server", ["llama-server", "accel"])
def test_a_unit_is_what_systemd_takes_without_a_word(
    gguf: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    program = tmp_path / "bin" / "llama-server"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    if server == "accel":
        gguf.models.add(lay_out(tmp_path / "tiny", tiny_model()))
        gguf.models.deploys.new("llm", "tiny", assignments=["server=accel", "extra_args="])
    rendered = gguf.models.deploys.render("llm", "systemd", tmp_path)
    unit = settings(rendered.text)
    assert unit["MemoryMax"] == [str(2 << 30)]
    assert unit["CPUQuota"] == ["150%"]
    assert unit["NoNewPrivileges"] == unit["PrivateDevices"] == ["yes"]
    assert unit["IPAddressAllow"] == ["localhost"]
    keys = gguf.home.path / "keys"
    assert unit["InaccessiblePaths"] == [f"-{keys}"]
    assert keys.stat().st_mode & 0o777 == 0o700
    if server == "llama-server":
        command = unit_words(unit["ExecStart"][0].replace("${CREDENTIALS_DIRECTORY}", "/run/credentials"))
        assert Path(command[2]).name == FILE
        assert command[-4:] == ["--grammar", 'a $HOME "%h"', "--api-key-file", "/run/credentials/LLM_KEY"]
    if INSTALLED:
        assert verified(Path(str(rendered.path))) == ""


def test_a_compose_file_gives_the_container_the_model_and_the_loopback_only(gguf: Node) -> None:
    text = gguf.models.deploys.render("llm", "compose").text
    service = yaml.safe_load(text)["services"]["model"]
    (volume,) = service["volumes"]
    assert (Path(volume["source"]).read_bytes(), volume["target"], volume["read_only"]) == (
        GGUF,
        f"/models/{FILE}".replace("$", "$$"),
        True,
    )
    words = service["command"]
    assert words[:2] == ["--model", volume["target"]]
    assert words[words.index("--host") + 1] == "0.0.0.0"
    assert words[-1] == 'a $$HOME "%h"'
    assert service["ports"] == ["127.0.0.1:18081:18081"]
    assert service["image"] == "ghcr.io/ggml-org/llama.cpp:server"
    assert service["environment"] == {"LLAMA_API_KEY": "${LLM_KEY:?LLM_KEY must hold the key}"}
    assert service["deploy"]["resources"]["limits"] == {"cpus": "1.5", "memory": str(2 << 30)}
    assert "18081/health" in service["healthcheck"]["test"][-1]
    gguf.models.deploys.new("llm", assignments=["device=cuda:1"])
    on_gpu = yaml.safe_load(gguf.models.deploys.render("llm", "compose").text)["services"]["model"]
    assert on_gpu["image"].endswith(":server-cuda")
    assert on_gpu["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"] == ["1"]
    assert "--device" not in on_gpu["command"]
    assert "--device CUDA1" in gguf.models.deploys.render("llm", "llama-server").text
    gguf.models.deploys.new("llm", assignments=["device=rocm"])
    with pytest.raises(Invalid, match="no default image"):
        gguf.models.deploys.render("llm", "compose")


def test_a_compose_file_of_our_own_server_needs_an_image_and_a_key(node: Node, tmp_path: Path) -> None:
    deploys = node.models.deploys
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    deploys.new("vectors", "tiny")
    with pytest.raises(Invalid, match="name an image"):
        deploys.render("vectors", "compose")
    deploys.new("vectors", assignments=["image=registry.example/accel:1"])
    with pytest.raises(Invalid, match="token"):
        deploys.render("vectors", "compose")
    deploys.new("vectors", assignments=["api_key_env=VECTORS_KEY"])
    service = yaml.safe_load(deploys.render("vectors", "compose").text)["services"]["model"]
    assert service["command"][:6] == ["serve-mcp", "--http", "--host", "0.0.0.0", "--port", "8080"]
    assert service["environment"]["IPFS_ACCEL_MCP_TOKEN"].startswith("${VECTORS_KEY:?")
    assert service["environment"]["IPFS_ACCEL_HOME"] == service["volumes"][0]["target"] == str(node.home.path)
    keys = node.home.path / "keys"
    assert service["volumes"][1] == {"type": "tmpfs", "target": str(keys)}
    # Docker would make a folder that it lacks as root.
    assert keys.is_dir()


def test_a_modelfile_names_the_file_and_what_came_with_it(gguf: Node) -> None:
    rendered = gguf.models.deploys.render("llm", "ollama")
    lines = [line for line in rendered.text.splitlines() if not line.startswith("#")]
    assert Path(lines[0].removeprefix("FROM ")).read_bytes() == GGUF
    assert lines[1:5] == [
        "PARAMETER stop <|end|>",
        "PARAMETER stop a b",
        "PARAMETER num_ctx 1024",
        "PARAMETER num_thread 3",
    ]
    assert "\n".join(lines[6:]) == f'TEMPLATE """{TEMPLATE}"""'
    assert rendered.commands[0].command == "ollama create llm -f Modelfile"


def test_a_model_of_parts_and_a_model_of_several_files(node: Node, tmp_path: Path) -> None:
    deploys = node.models.deploys
    parts = {f"m-{number:05d}-of-00002.gguf": GGUF + bytes(number) for number in (1, 2)}
    node.models.add(lay_out(tmp_path / "parts", {**parts, "mmproj-m.gguf": GGUF}))
    deploys.new("llm", "parts")
    assert "m-00001-of-00002.gguf" in deploys.render("llm", "llama-server").text
    assert "--mmproj" in deploys.render("llm", "llama-server").text
    assert deploys.render("llm", "ollama").text.count("\nFROM ") == 3
    volumes = yaml.safe_load(deploys.render("llm", "compose").text)["services"]["model"]["volumes"]
    assert [volume["target"] for volume in volumes] == [f"/models/{name}" for name in (*parts, "mmproj-m.gguf")]

    node.models.add(lay_out(tmp_path / "many", {"q4.gguf": GGUF, "q8.gguf": GGUF + b"x"}))
    deploys.new("many", "many")
    with pytest.raises(Invalid, match=r"several GGUF files: q4\.gguf, q8\.gguf"):
        deploys.render("many", "llama-server")
    deploys.new("many", assignments=["file=q8.gguf"])
    assert "q8.gguf" in deploys.render("many", "llama-server").text
    with pytest.raises(UnsupportedContent, match="no engine of ours"):
        deploys.render("many", "accel")


@pytest.mark.parametrize("target", ["llama-server", "ollama", "systemd", "compose"])
def test_a_file_whose_name_holds_a_line_end_is_in_no_rendered_file(node: Node, tmp_path: Path, target: Target) -> None:
    node.models.add(lay_out(tmp_path / "made", {"a\nExecStartPre=x\n.gguf": GGUF}))
    node.models.deploys.new("llm", "made")
    with pytest.raises(Invalid, match="control characters"):
        node.models.deploys.render("llm", target)
