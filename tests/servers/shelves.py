"""Folders as other tools keep their models in, laid out as these tools do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers.hub import LFS_BYTES
from tests.servers.ollama import KIND, MANIFEST

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def hf_cache(
    root: Path, repository: str, files: Mapping[str, bytes], commit: str = COMMIT, branch: str = "main"
) -> Path:
    """Keep a snapshot as huggingface_hub does: links to blobs named by sha-256 (LFS) or git blob id."""
    folder = root / f"models--{repository.replace('/', '--')}"
    for path, data in files.items():
        git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        blob = folder / "blobs" / (hashlib.sha256(data).hexdigest() if len(data) > LFS_BYTES else git)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        link = folder / "snapshots" / commit / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(Path(*[".."] * (2 + path.count("/")), "blobs", blob.name))
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / branch).write_text(commit)
    return folder


def ollama_store(root: Path, name: str, layers: Sequence[tuple[str, bytes]]) -> Path:
    """Keep a model as Ollama does; `name` is REGISTRY/NAMESPACE/MODEL/TAG."""
    blobs = root / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    listed = []
    for kind, data in layers:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / f"sha256-{digest}").write_bytes(data)
        listed.append({"mediaType": KIND + kind, "digest": f"sha256:{digest}", "size": len(data)})
    manifest = root / "manifests" / name
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": {}, "layers": listed}))
    return root
