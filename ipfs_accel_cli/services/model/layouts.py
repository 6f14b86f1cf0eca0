"""Handing a model on as files: a plain folder, a cache that the hub's library reads, a store that Ollama reads.

Every byte is hashed on its way out. A file that is there already and equal is left alone, any other is a conflict.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ipfs_accel_cli.content.manifest import FileEntry
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.core.files import folder_inside, refuse_links, replacing_inside, writing_into
from ipfs_accel_cli.core.space import check_space
from ipfs_accel_cli.formats import gguf
from ipfs_accel_cli.formats.reading import FileReader
from ipfs_accel_cli.services.model import leaving
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.sources.reference import of_path, parse
from ipfs_accel_cli.targets.base import Delivery, Parcel
from ipfs_accel_cli.targets.folder import FolderTarget

_READ_BYTES = 1 << 20
# The hub's library names small files of a repository by git, large ones by sha-256.
_LARGE_BYTES = 10 << 20
_OLLAMA_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_OLLAMA_CONFIG = "application/vnd.docker.container.image.v1+json"
_OLLAMA_LAYER = "application/vnd.ollama.image.{}"


@dataclass(slots=True)
class Written:
    """What was written into `root`: where the model lies now, its files and bytes, and whether all was there before."""

    root: Path
    path: Path
    model: str
    files: int = 0
    size_bytes: int = 0
    unchanged: bool = True


def plain(store: Store, known: Known, folder: Path) -> Written:
    """Write the files of a model and its passport into a folder, so that `model add` of it gives the same manifest.

    Raises Conflict for a file that is there and differs, VerificationFailed for one that is damaged in the store.
    """
    target, where = FolderTarget(), of_path(folder)
    ours = leaving.joined(leaving.passport_of(store, known), leaving.passport_at(target, where))
    parcel = Parcel(known.named.exact, known.named.manifest, leaving.items(store, known, ours))
    holding = target.look(where, parcel)
    target.send(where, Delivery(parcel, holding))
    manifest = known.manifest
    return Written(folder, folder, known.named.exact, len(manifest.files), manifest.size_bytes, holding.settled)


def hub(store: Store, known: Known, folder: Path) -> Written:
    """Write a model into a cache folder as huggingface_hub lays it out; raises as `plain`.

    A model of the hub keeps its repository and commit, any other becomes `local/NAME` at a revision of its manifest.
    """
    repository, revision = _repository(known)
    place = f"models--{repository.replace('/', '--')}"
    _check_room(known, folder)
    written = Written(folder, folder / place, known.named.exact)
    for entry in known.manifest.files:
        blob = f"{place}/blobs/{_blob_name(store, entry)}"
        _file(store, entry, blob, written)
        link = PurePosixPath(place, "snapshots", revision, entry.path)
        _link(link, Path(os.path.relpath(blob, link.parent)), written)
    _text(f"{place}/refs/main", revision.encode(), written)
    return written


def ollama(store: Store, known: Known, folder: Path) -> Written:
    """Write a model into a folder as Ollama keeps its models; raises UnsupportedContent unless it is one GGUF file."""
    weights = [entry for entry in known.manifest.files if entry.path.endswith(".gguf")]
    if len(weights) != 1:
        raise UnsupportedContent(
            f"Ollama runs a model of one GGUF file; {known.named.exact} has {len(weights)}",
            suggestion=f"ipfs-accel model export {known.named.exact} -o FOLDER --layout plain",
        )
    _check_room(known, folder)
    written = Written(folder, folder, known.named.exact)
    licences = [entry for entry in known.manifest.files if entry.path.upper() in ("LICENSE", "LICENSE.TXT", "LICENCE")]
    layers = []
    for kind, entry in [("model", weights[0]), *(("license", one) for one in licences)]:
        _file(store, entry, f"blobs/sha256-{entry.sha256.hex()}", written)
        layers.append(_descriptor(_OLLAMA_LAYER.format(kind), entry.sha256.hex(), entry.size_bytes))
    config = _ollama_config(store, weights[0], [layer["digest"] for layer in layers])
    digest = hashlib.sha256(config).hexdigest()
    _text(f"blobs/sha256-{digest}", config, written)
    manifest = {
        "schemaVersion": 2,
        "mediaType": _OLLAMA_MANIFEST,
        "config": _descriptor(_OLLAMA_CONFIG, digest, len(config)),
        "layers": layers,
    }
    place = f"manifests/registry.ollama.ai/library/{known.named.name.lower()}/latest"
    _text(place, json.dumps(manifest, separators=(",", ":")).encode(), written)
    return written


def _check_room(known: Known, folder: Path) -> None:
    with writing_into(folder):
        folder.mkdir(parents=True, exist_ok=True)
        check_space(folder, known.manifest.size_bytes)


def _file(store: Store, entry: FileEntry, path: str, written: Written) -> None:
    written.files += 1
    written.size_bytes += entry.size_bytes
    target = _place(written, path)
    if _is_there(target):
        if target.is_symlink() or not target.is_file() or _digest(target) != entry.sha256:
            raise _differs(target)
        return
    written.unchanged = False
    hashed = hashlib.sha256()
    with writing_into(written.root), replacing_inside(written.root, path) as out:
        for piece in _pieces(store.object_path(entry.cid)):
            hashed.update(piece)
            out.write(piece)
        if hashed.digest() != entry.sha256:
            raise VerificationFailed(
                f"{entry.path} is damaged in the store, and was not written",
                suggestion=f"ipfs-accel model repair {written.model}",
            )
    current().progress(written.size_bytes, None, f"Writing {entry.path}", unit="bytes")


def _text(path: str, data: bytes, written: Written) -> None:
    target = _place(written, path)
    if _is_there(target):
        if target.is_symlink() or not target.is_file() or target.read_bytes() != data:
            raise _differs(target)
        return
    written.unchanged = False
    with writing_into(written.root), replacing_inside(written.root, path) as out:
        out.write(data)


def _link(path: PurePosixPath, target: Path, written: Written) -> None:
    link = _place(written, str(path))
    if _is_there(link):
        if not link.is_symlink() or link.readlink() != target:
            raise _differs(link)
        return
    written.unchanged = False
    with writing_into(written.root), folder_inside(written.root, str(path.parent)) as folder:
        os.symlink(target, path.name, dir_fd=folder)


def _place(written: Written, path: str) -> Path:
    # What lies behind a link is not even read, since the caller may have no business there.
    refuse_links(written.root, path)
    return written.root / path


def _differs(path: Path) -> Conflict:
    return Conflict(f"{path} is there already and differs", suggestion="choose another folder")


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _digest(path: Path) -> bytes:
    hashed = hashlib.sha256()
    for piece in _pieces(path):
        hashed.update(piece)
    return hashed.digest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            current().check()
            yield piece


def _repository(known: Known) -> tuple[str, str]:
    reference = parse(known.named.reference)
    if reference.scheme == "hf" and reference.revision:
        return reference.locator, reference.revision
    # The library takes 40 hex digits for a commit, and then asks nobody what they mean.
    return f"local/{known.named.name}", known.manifest.cid.multihash.digest.hex()[:40]


def _blob_name(store: Store, entry: FileEntry) -> str:
    if entry.size_bytes > _LARGE_BYTES:
        return entry.sha256.hex()
    header = b"blob %d\0" % entry.size_bytes
    return hashlib.sha1(header + store.object_path(entry.cid).read_bytes(), usedforsecurity=False).hexdigest()


def _descriptor(media_type: str, digest: str, size_bytes: int) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size_bytes}


def _ollama_config(store: Store, weights: FileEntry, digests: list[str | int]) -> bytes:
    metadata = gguf.header(FileReader(store.object_path(weights.cid), weights.path)).metadata
    family = str(metadata.get("general.architecture", ""))
    config = {
        "model_format": "gguf",
        "model_family": family,
        "model_families": [family],
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": digests},
    }
    return json.dumps(config, separators=(",", ":")).encode()
