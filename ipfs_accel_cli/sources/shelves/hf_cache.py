"""The cache of huggingface_hub: snapshots of links to blobs, which are named by their digests."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.hf import optional
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.sources.shelves.base import Kept, Shelf, local_file

_OURS = "local/"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def default() -> Path:
    """Return the folder that huggingface_hub uses, by its own environment variables."""
    stated = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if stated:
        return Path(stated).expanduser()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    home = os.environ.get("HF_HOME")
    return (Path(home).expanduser() if home else cache / "huggingface") / "hub"


def owns(root: Path) -> bool:
    """Say whether a folder is such a cache."""
    return root.is_dir() and any(root.glob("models--*/snapshots"))


def models(root: Path) -> Iterator[Kept]:
    """Yield each snapshot; the one that `main` means, or the only one, is called by the repository alone.

    Files that only repeat the weights in another form are left out, as a pull does.
    """
    for repository in sorted(root.glob("models--*")):
        name = repository.name.removeprefix("models--").replace("--", "/")
        snapshots = sorted(path for path in (repository / "snapshots").glob("*") if _COMMIT.fullmatch(path.name))
        references = _references(repository / "refs")
        only = snapshots[0].name if len(snapshots) == 1 else ""
        for snapshot in snapshots:
            branches = [branch for branch, commit in references.items() if commit == snapshot.name]
            leads = "main" in branches or snapshot.name == only
            also = [f"{name}@{branch}" for branch in (*branches, snapshot.name)]
            yield _kept(name if leads else f"{name}@{snapshot.name[:12]}", name, repository, snapshot, tuple(also))


def _kept(shown: str, name: str, repository: Path, snapshot: Path, also: tuple[str, ...]) -> Kept:
    found: list[RemoteFile] = []
    trouble = ""
    for folder, _, names in os.walk(snapshot):
        for file in sorted(names):
            path = Path(folder, file)
            one, why = local_file(path.relative_to(snapshot).as_posix(), path, repository, **_digest(path))
            trouble = trouble or why
            found += [one] if one is not None else []
    skipped = optional(tuple(found))
    files = tuple(file for file in found if file.path not in skipped)
    if not files:
        trouble = trouble or "it holds no files"
    if name.startswith(_OURS):
        # `model export --layout hf` put it here; no hub has it, and the commit is none.
        reference = Reference("file", str(snapshot))
        return Kept(shown, reference, snapshot.name, files, trouble=trouble, also=also, facts={"repository": name})
    facts: dict[str, str | int] = {"repository": name, "commit": snapshot.name}
    return Kept(
        shown, Reference("hf", name, snapshot.name), snapshot.name, files, trouble=trouble, also=also, facts=facts
    )


def _digest(path: Path) -> Mapping[str, Any]:
    """Return what a blob's name says of it: large files are named by their sha-256, small ones as git does."""
    name = path.resolve().name if path.is_symlink() else ""
    if _SHA256.fullmatch(name):
        return {"sha256": bytes.fromhex(name)}
    return {"git_sha1": name} if _COMMIT.fullmatch(name) else {}


def _references(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8", "replace").strip() for path in files}


SHELF = Shelf("huggingface_hub", default, owns, models)
