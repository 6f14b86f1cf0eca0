"""What models hold in common: whole files, which the store keeps once, then blocks and tensors, which could be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.services.model.compare_results import Deduplication, Overlap, SharedFile
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.inspecting import digest_of, tensors_of
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.services.model.subject import of_known


@dataclass(slots=True)
class _Parts:
    """The parts of one model at each level: bytes by digest. `rest_bytes` lie in no tensor."""

    label: str
    files: dict[bytes, int] = field(default_factory=dict)
    blocks: dict[bytes, int] = field(default_factory=dict)
    tensors: dict[bytes, int] = field(default_factory=dict)
    rest: dict[bytes, int] = field(default_factory=dict)


def deduplication(store: Store, models: Sequence[Known], *, read: bool) -> Deduplication:
    """Compare the files and blocks of models, by what the store knows of them; `read` hashes every tensor, too."""
    parts = [_parts(store, one, read=read) for one in models]
    everything = [entry for one in models for entry in one.manifest.files]
    unread = None if not read else _unique(one.tensors for one in parts) + _unique(one.rest for one in parts)
    return Deduplication(
        models=len(models),
        total_bytes=sum(entry.size_bytes for entry in everything),
        stored_bytes=_unique(one.files for one in parts),
        block_unique_bytes=_unique(one.blocks for one in parts),
        tensor_unique_bytes=unread,
        shared=_shared(models),
        overlaps=[
            Overlap(
                one=one.label,
                other=other.label,
                files_bytes=_common(one.files, other.files),
                blocks_bytes=_common(one.blocks, other.blocks),
                tensors_bytes=_common(one.tensors, other.tensors) if read else None,
            )
            for one, other in combinations(parts, 2)
            if one.blocks.keys() & other.blocks.keys() or one.tensors.keys() & other.tensors.keys()
        ],
    )


def _parts(store: Store, known: Known, *, read: bool) -> _Parts:
    found = _Parts(f"{known.named.name}@{known.named.version}")
    paths = of_known(store, known).files if read else {}
    for entry in known.manifest.files:
        current().check()
        if entry.sha256 in found.files:
            continue
        found.files[entry.sha256] = entry.size_bytes
        found.blocks.update(store.repairs.leaves(entry.cid))
        if read and entry.path in paths:
            hashed, whole = digests(entry.path, paths[entry.path])
            found.tensors.update(hashed)
            in_tensors = sum(size for _, size in hashed) if whole else 0
            found.rest[entry.sha256] = entry.size_bytes - in_tensors
    return found


def digests(name: str, path: Path) -> tuple[list[tuple[bytes, int]], bool]:
    """Return sha-256 and size of every tensor in a file, and whether all of it could be read."""
    found: list[tuple[bytes, int]] = []
    try:
        for tensor in tensors_of(name, path):
            digest = digest_of(path, tensor)
            if digest is not None:
                found.append((digest, tensor.size_bytes))
    except (MalformedContent, UnsupportedContent):
        return found, False
    return found, True


def _shared(models: Sequence[Known]) -> list[SharedFile]:
    holders: dict[bytes, list[str]] = defaultdict(list)
    examples = {entry.sha256: entry for one in reversed(models) for entry in one.manifest.files}
    for one in models:
        label = f"{one.named.name}@{one.named.version}"
        for digest in {entry.sha256 for entry in one.manifest.files}:
            holders[digest].append(label)
    shared = [(examples[digest], labels) for digest, labels in holders.items() if len(labels) > 1]
    return [
        SharedFile(path=entry.path, sha256=entry.sha256.hex(), size_bytes=entry.size_bytes, models=labels)
        for entry, labels in sorted(shared, key=lambda one: (-one[0].size_bytes, one[0].path))
    ]


def _unique(parts: Iterable[Mapping[bytes, int]]) -> int:
    merged: dict[bytes, int] = {}
    for one in parts:
        merged.update(one)
    return sum(merged.values())


def _common(one: Mapping[bytes, int], other: Mapping[bytes, int]) -> int:
    return sum(one[key] for key in one.keys() & other.keys())
