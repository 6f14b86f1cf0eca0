"""Ollama's own store: manifests by name, and blobs that are named by their sha-256."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.distribution import MAX_MANIFEST_BYTES, Document
from ipfs_accel_cli.sources.ollama import named_files
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.sources.registry_names import canonical
from ipfs_accel_cli.sources.shelves.base import Kept, Shelf, local_file

_SYSTEM = Path("/usr/share/ollama/.ollama/models")  # Where Ollama's own installer lets the service keep them.


def default() -> Path:
    """Return the folder that Ollama uses: OLLAMA_MODELS, else the user's, else the service's."""
    stated = os.environ.get("OLLAMA_MODELS")
    if stated:
        return Path(stated).expanduser()
    own = Path("~/.ollama/models").expanduser()
    return _SYSTEM if not owns(own) and owns(_SYSTEM) else own


def owns(root: Path) -> bool:
    """Say whether a folder is such a store."""
    return (root / "manifests").is_dir() and (root / "blobs").is_dir()


def models(root: Path) -> Iterator[Kept]:
    """Yield each name that has a manifest, called as Ollama calls it."""
    manifests = root / "manifests"
    for path in sorted(manifests.glob("*/*/**/*")):
        parts = path.relative_to(manifests).parts
        named = canonical("ollama", f"{'/'.join(parts[:-1])}:{parts[-1]}")
        if path.is_file() and named is not None and len(parts) > 3:
            yield _kept(root, path, named[0])


def _kept(root: Path, path: Path, name: str) -> Kept:
    data = path.read_bytes()[:MAX_MANIFEST_BYTES]
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    reference = Reference("ollama", name, digest)
    try:
        body = json.loads(data)
        stated = named_files(Document(digest, body if isinstance(body, dict) else {}), name, "")
    except (ValueError, RecursionError, VerificationFailed) as error:
        return Kept(name, reference, digest, (), trouble=f"its manifest cannot be read: {error}")
    files: list[RemoteFile] = []
    trouble = ""
    for file in stated:
        blob = root / "blobs" / f"sha256-{file.sha256.hex() if file.sha256 else ''}"
        one, why = local_file(file.path, blob, root, sha256=file.sha256)
        trouble = trouble or why
        files += [one] if one is not None else []
    facts: dict[str, str | int] = {"digest": digest}
    also = () if ":" in name else (f"{name}:latest",)
    return Kept(name, reference, digest, tuple(files), whole=True, trouble=trouble, also=also, facts=facts)


SHELF = Shelf("Ollama", default, owns, models)
