"""Models of Ollama and OCI registries: what a user meets beside the conformance suite."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    DiskFull,
    Invalid,
    MalformedContent,
    NotAuthorised,
    NotFound,
    Unavailable,
    UnsafeContent,
    VerificationFailed,
)
from ipfs_accel_cli.sources.distribution import Registry
from tests.servers.oci import INDEX, MANIFEST, WEIGHT, docker_registry, manifest, push_oci, tar
from tests.servers.ollama import Ollama, ollama
from tests.servers.tiny_model import lay_out, tiny_model
from tests.servers.web import web

GGUF = b"GGUF" + (3).to_bytes(4, "little") + bytes(16) + os.urandom(200_000)
LAYERS = [("model", GGUF, {}), ("template", b"{{ .Prompt }}", {}), ("params", b'{"stop": ["</s>"]}', {})]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ollama]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with ollama() as served:
        yield served


def test_the_layers_of_an_ollama_model_are_files_that_say_what_they_are(node: Node, site: Ollama) -> None:
    licences = [("license", b"MIT License", {}), ("license", b"and another", {})]
    digest = site.push("library/tiny:latest", [*LAYERS, ("projector", GGUF[:5000], {}), *licences])

    pulled = node.models.pull(f"ollama://{site.host}/tiny")

    assert (pulled.name, pulled.revision) == ("tiny", digest)
    assert pulled.reference == f"ollama://{site.host}/library/tiny@{digest}"
    assert [file.path for file in node.models.show("tiny").files] == [
        *("license", "license-2", "mmproj.gguf", "model.gguf", "params.json", "template")
    ]


def test_a_model_that_is_here_is_not_fetched_again_until_its_tag_moves(node: Node, site: Ollama) -> None:
    site.push("acme/tiny:small", LAYERS)
    first = node.models.pull(f"ollama://{site.host}/acme/tiny:small")
    again = node.models.pull(f"ollama://{site.host}/acme/tiny:small")
    site.push("acme/tiny:small", [("model", GGUF + b"more", {})])
    moved = node.models.pull(f"ollama://{site.host}/acme/tiny:small")

    assert (first.name, again.fetched_bytes, again.new) == ("tiny-small", 0, False)
    assert moved.version == 2
    with using(Call(offline=True)):
        assert node.models.pull(f"ollama://{site.host}/acme/tiny:small").manifest_cid == moved.manifest_cid


def test_a_pinned_model_whose_tag_moved_is_not_another_one(node: Node, site: Ollama) -> None:
    digest = site.push("acme/tiny:small", LAYERS)
    site.push("acme/tiny:small", LAYERS[:1])
    with pytest.raises(NotFound, match="another model now") as raised:
        node.models.pull(f"ollama://{site.host}/acme/tiny:small@{digest}")
    assert raised.value.suggestion == f"ipfs-accel model pull ollama://{site.host}/acme/tiny:small"


def test_a_pull_that_was_killed_goes_on_where_it_stopped(node: Node, site: Ollama) -> None:
    site.push("acme/tiny:latest", LAYERS[:1])
    site.faults.hold = threading.Event()
    command = [sys.executable, "-m", "ipfs_accel_cli", "model", "pull", f"ollama://{site.host}/acme/tiny"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    assert site.held.wait(60)
    while not any(path.stat().st_size for path in node.home.partial.glob("*/fetched/model.gguf")):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    site.faults.hold.set()
    site.faults.hold = None

    (kept,) = [path.stat().st_size for path in node.home.partial.glob("*/fetched/model.gguf")]
    pulled = node.models.pull(f"ollama://{site.host}/acme/tiny")
    assert site.log[-1] == f"GET /v2/acme/tiny/blobs/sha256:{hashlib.sha256(GGUF).hexdigest()} bytes={kept}-"
    assert (pulled.size_bytes, pulled.fetched_bytes) == (len(GGUF), len(GGUF) - kept)


@pytest.mark.parametrize("scheme", ["ollama", "oci"])
def test_what_is_not_there_and_who_is_not_there_have_their_status_and_next_command(
    site: Ollama, cli: Callable[..., Any], scheme: str
) -> None:
    absent = cli("model", "pull", f"{scheme}://{site.host}/acme/nothing", "--json")
    down = cli("model", "pull", f"{scheme}://127.0.0.1:9/acme/tiny", "--json")

    assert (absent.status, absent.json["error"]["code"]) == (3, "not-found")
    assert (down.status, down.json["error"]["code"]) == (6, "unavailable")
    assert down.json["error"]["suggestion"] == "curl -I http://127.0.0.1:9/v2/"


def test_a_token_is_asked_for_as_the_registry_says_and_again_when_it_has_run_out(node: Node, site: Ollama) -> None:
    from ipfs_accel_cli.sources.ollama import OllamaSource
    from ipfs_accel_cli.sources.reference import parse

    site.push("acme/tiny:latest", LAYERS)
    site.token = "first"
    source = OllamaSource()
    (weights, *_) = source.resolve(parse(f"ollama://{site.host}/acme/tiny")).files
    assert b"".join(source.open(weights)) == GGUF
    site.token = "second"

    assert b"".join(source.open(weights, 1000)) == GGUF[1000:]
    assert site.tokens == 2
    assert node.models.pull(f"ollama://{site.host}/acme/tiny").files == 3


def test_a_login_that_docker_keeps_is_used_for_the_owner_alone(
    node: Node, site: Ollama, tmp_path: Path, cli: Callable[..., Any]
) -> None:
    site.push("acme/tiny:latest", LAYERS)
    secret = base64.b64encode(b"me:hush").decode()
    site.token, site.login = "given", f"Basic {secret}"
    refused = cli("model", "pull", f"oci://{site.host}/acme/tiny", "--json")
    assert (refused.status, refused.json["error"]["suggestion"]) == (7, f"docker login {site.host}")

    (tmp_path / "docker").mkdir()
    config = tmp_path / "docker" / "config.json"
    config.write_text(json.dumps({"auths": {site.host: {"auth": secret}}}))
    pulled = node.models.pull(f"oci://{site.host}/acme/tiny")

    assert "hush" not in node.models.show(pulled.name).model_dump_json()
    with using(Call(folders=())), pytest.raises(NotAuthorised, match="public internet"):
        node.models.pull(f"oci://{site.host}/acme/tiny:other")
    from ipfs_accel_cli.sources.logins import login_for

    assert login_for(site.host) is not None
    assert login_for("elsewhere.example.org") is None
    with using(Call(folders=())):
        assert login_for(site.host) is None
    config.write_text("not json, but hush")
    with pytest.raises(Invalid) as raised:
        node.models.pull(f"oci://{site.host}/acme/tiny:other")
    assert "hush" not in str(raised.value)


def test_a_token_does_not_follow_a_layer_to_another_server(node: Node, site: Ollama) -> None:
    site.push("acme/tiny:latest", LAYERS)
    site.token = "given"
    with ollama() as storage:
        storage.push("acme/tiny:latest", LAYERS)
        # Another host by name: this machine has both.
        site.elsewhere = storage.url.replace("127.0.0.1", "localhost")
        assert node.models.pull(f"oci://{site.host}/acme/tiny").files == 3
        assert set(site.authorizations) == {"Bearer given"}
        assert set(storage.authorizations) == {None}


def test_a_token_is_not_asked_for_without_encryption_where_the_registry_has_it() -> None:
    import httpx

    challenge = {"www-authenticate": 'Bearer realm="http://tokens.example.org/token",service="x"'}
    answer = httpx.Response(401, headers=challenge, request=httpx.Request("GET", "https://ghcr.io/v2/acme/tiny"))
    with httpx.Client() as opened, pytest.raises(Unavailable, match="without encryption"):
        Registry()._authorise(opened, "https://ghcr.io/v2/acme/tiny", answer, "tiny")


def test_a_model_that_does_not_fit_the_disk_is_refused_before_it_is_fetched(
    node: Node, site: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.push("acme/tiny:latest", LAYERS)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=1 << 40, used=0, free=1000))
    with pytest.raises(DiskFull):
        node.models.pull(f"ollama://{site.host}/acme/tiny")
    monkeypatch.undo()
    assert not [line for line in site.log if "/blobs/" in line]
    assert node.models.ls().models == []


def test_a_manifest_that_is_not_the_one_asked_for_is_refused(node: Node, site: Ollama) -> None:
    site.by_digest = True
    digest = push_oci(site, "acme/tiny:latest", tiny_model())
    site.manifests["acme/tiny:" + digest] = b"{}"
    real = site._manifest
    site._manifest = lambda name, reference: b"{}" if reference == digest else real(name, reference)  # type: ignore[method-assign]
    with pytest.raises(VerificationFailed, match="not sha256"):
        node.models.pull(f"oci://{site.host}/acme/tiny@{digest}")


@pytest.mark.parametrize("title", ["../x", "/etc/passwd", "a/../../x"])
def test_a_layer_that_would_leave_the_folder_is_refused(node: Node, site: Ollama, title: str) -> None:
    layer = {"mediaType": "application/octet-stream", **site.keep(b"x")}
    layer["annotations"] = {"org.opencontainers.image.title": title}
    site.publish("acme/tiny:latest", {"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer]})
    with pytest.raises(UnsafeContent, match="leave its folder"):
        node.models.pull(f"oci://{site.host}/acme/tiny")
    packed = {"mediaType": f"{WEIGHT}.tar", **site.keep(tar({title: b"x"}))}
    site.publish("acme/tiny:latest", {"schemaVersion": 2, "mediaType": MANIFEST, "layers": [packed]})
    with pytest.raises(UnsafeContent, match="leave its folder"):
        node.models.pull(f"oci://{site.host}/acme/tiny")
    assert node.models.ls().models == []


@pytest.mark.parametrize("layers", [None, [], [{"digest": "sha256:12", "size": 1}], [{"size": -1}], ["text"]])
def test_a_manifest_without_proper_layers_is_malformed(node: Node, site: Ollama, layers: Any) -> None:
    site.publish("acme/tiny:latest", {"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers})
    for scheme in ("oci", "ollama"):
        with pytest.raises(MalformedContent):
            node.models.pull(f"{scheme}://{site.host}/acme/tiny")


def test_an_index_of_several_models_asks_which(node: Node, site: Ollama) -> None:
    site.by_digest = True
    entries = []
    for seed in (0, 1):
        digest = site.publish(f"acme/tiny:{seed}", manifest(site.keep, tiny_model(seed)))
        entries.append({"mediaType": MANIFEST, "digest": digest, "size": 1})
    site.publish("acme/tiny:latest", {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
    with pytest.raises(Invalid, match="name one") as raised:
        node.models.pull(f"oci://{site.host}/acme/tiny")
    assert node.models.pull(str(raised.value.suggestion).split()[-1]).files == len(tiny_model())


def test_a_choice_of_files_fetches_no_others(node: Node, site: Ollama) -> None:
    site.by_digest = True
    push_oci(site, "acme/tiny:latest", tiny_model())
    pulled = node.models.pull(f"oci://{site.host}/acme/tiny", include=["*.json"])
    assert pulled.fetched_bytes < len(tiny_model()["model.safetensors"])
    assert "model.safetensors" not in {file.path for file in node.models.show(pulled.name).files}


@pytest.mark.slow
def test_the_registry_that_everybody_runs_is_understood(node: Node, tmp_path: Path) -> None:
    with docker_registry(tmp_path) as registry:
        digest = registry.push("acme/tiny", "v1", lambda keep: manifest(keep, tiny_model()))
        pulled = node.models.pull(f"oci://{registry.host}/acme/tiny:v1")
        assert pulled.revision == digest
        assert pulled.manifest_cid == node.models.add(lay_out(tmp_path / "tiny", tiny_model()), "again").manifest_cid
        assert node.models.pull(f"oci://{registry.host}/acme/tiny:v1@{digest}").fetched_bytes == 0
        assert node.models.pull(f"oci://{registry.host}/acme/tiny@{digest}").manifest_cid == pulled.manifest_cid
        with pytest.raises(NotFound, match="there are: v1") as raised:
            node.models.pull(f"oci://{registry.host}/acme/tiny:v2")
        assert raised.value.suggestion == f"ipfs-accel model pull oci://{registry.host}/acme/tiny:v1"
        with pytest.raises(Unavailable):
            node.models.pull(f"oci://{registry.host.replace('127.0.0.1', 'nowhere.invalid')}/acme/tiny:v1")


def test_one_model_from_a_folder_the_web_ollama_and_oci_is_one_manifest_and_one_set_of_bytes(
    node: Node, site: Ollama, tmp_path: Path
) -> None:
    lay_out(tmp_path / "tiny", {"model.gguf": GGUF})
    site.by_digest = True
    site.push("acme/tiny:latest", LAYERS[:1])
    push_oci(site, "acme/packed:v1", {"model.gguf": GGUF})
    first = node.models.add(tmp_path / "tiny", "folder")
    objects = sorted(path.name for path in node.home.objects.rglob("*") if path.is_file())
    with web(tmp_path / "tiny") as served:
        pulled = [
            node.models.pull(f"{served.url}/model.gguf", "web"),
            node.models.pull(f"ollama://{site.host}/acme/tiny", "ollama"),
            node.models.pull(f"oci://{site.host}/acme/packed:v1", "oci"),
        ]

    assert {one.manifest_cid for one in pulled} == {first.manifest_cid}
    assert not any(one.new for one in pulled)
    assert sorted(path.name for path in node.home.objects.rglob("*") if path.is_file()) == objects
