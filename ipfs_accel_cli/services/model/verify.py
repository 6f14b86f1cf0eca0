"""Reading a model's every byte again and comparing it with what its manifest says."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from ipfs_accel_cli.content.manifest import FileEntry, Manifest
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.core.parallel import ordered, usable_cores
from ipfs_accel_cli.formats import safetensors
from ipfs_accel_cli.services.model import numbers, results
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.inspecting import tensors_of
from ipfs_accel_cli.services.model.lookup import Known

READ_BYTES = 1 << 20
BLOCKS: Literal["blocks"] = "blocks"
FULL: Literal["full"] = "full"


def verify(store: Store, known: Known, *, full: bool = False) -> results.Verified:
    """Hash every block of a model again and check the structure of the weights.

    The manifest states CID and sha-256 of a file together, and both were computed of the same bytes when it was made
    here: bytes that give the one have the other. `full` computes each sha-256 all the same, and reads the numbers of
    the tensors. Raises VerificationFailed, whose `errors` name the damaged files and then their damaged blocks with
    offset and length, and MalformedContent.
    """
    blocks = 0
    damaged: list[dict[str, str]] = []
    try:
        blocks = store.verify([known.named.manifest]).blocks
    except VerificationFailed as error:
        damaged = error.errors or [{"pointer": known.named.manifest, "detail": error.detail}]
    files = _by_file(known.manifest, damaged)
    if full:
        named = {file["pointer"] for file in files}
        files += [file for file in _damaged_files(store, known.manifest) if file["pointer"] not in named]
    if damaged or files:
        first = (files or damaged)[0]
        raise VerificationFailed(
            f"{known.named.name} is damaged: {first['pointer']}: {first['detail']}",
            suggestion=repair_line(known),
            errors=[*files, *damaged],
        )
    tensors = structure(store, known.manifest)
    read = _numbers(store, known.manifest) if full else None
    return results.Verified(
        name=known.named.name,
        manifest_cid=known.named.manifest,
        files=len(known.manifest.files),
        size_bytes=known.manifest.size_bytes,
        blocks=blocks,
        tensors=tensors,
        level=FULL if full else BLOCKS,
        numbers_read=read.read if read else None,
        numbers_unread=read.unread if read else None,
        suspect_tensors=read.suspects if read else [],
    )


def repair_line(known: Known) -> str:
    """Return the command that mends a model from where it came."""
    return (
        f"ipfs-accel model repair {known.named.name}@{known.named.version} --from {shlex.quote(known.named.reference)}"
    )


def structure(store: Store, manifest: Manifest) -> int:
    """Check the headers of all safetensors files and return how many tensors they hold; raises MalformedContent."""
    return sum(
        safetensors.read(store.object_path(entry.cid), entry.path).tensors
        for entry in manifest.files
        if entry.path.endswith(".safetensors")
    )


def _by_file(manifest: Manifest, damaged: list[dict[str, str]]) -> list[dict[str, str]]:
    """Say of each damaged file where, in bytes; and put the path beside every damaged block of it."""
    paths = {entry.sha256.hex(): entry.path for entry in reversed(manifest.files)}
    ranges: dict[str, list[str]] = {}
    for one in damaged:
        path = paths.get(one.get("object", ""))
        if path is not None:
            one["path"] = path
            start = int(one["offset"])
            ranges.setdefault(path, []).append(f"bytes {start} to {start + int(one['length']) - 1}: {one['detail']}")
    return [
        {"pointer": path, "detail": found[0] + (f", and {len(found) - 1} more" if len(found) > 1 else "")}
        for path, found in ranges.items()
    ]


def _damaged_files(store: Store, manifest: Manifest) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    done_bytes = 0
    for entry, problem in ordered(lambda entry: (entry, _problem(store, entry)), manifest.files, usable_cores()):
        done_bytes += entry.size_bytes
        current().progress(done_bytes, manifest.size_bytes, "Hashing whole files", unit="bytes")
        if problem:
            found.append({"pointer": entry.path, "detail": problem})
    return found


def _problem(store: Store, entry: FileEntry) -> str | None:
    digest = hashlib.sha256()
    try:
        for chunk in _chunks(store, entry):
            digest.update(chunk)
    except NotFound:
        return "it is not in the store"
    except VerificationFailed as error:
        return error.detail
    if digest.digest() != entry.sha256:
        return f"its sha-256 is {digest.hexdigest()}, the manifest says {entry.sha256.hex()}"
    return None


def _chunks(store: Store, entry: FileEntry) -> Iterator[bytes]:
    with store.object_path(entry.cid).open("rb") as file:
        while chunk := file.read(READ_BYTES):
            current().check()
            yield chunk


@dataclass(slots=True)
class _Numbers:
    read: int = 0
    unread: int = 0
    suspects: list[results.SuspectTensor] = field(default_factory=list)


def _numbers(store: Store, manifest: Manifest) -> _Numbers:
    """Count the numbers of all tensors that are not a number, or infinite; a type that is not known is not counted."""
    found = _Numbers()
    for entry in manifest.files:
        path = store.object_path(entry.cid)
        try:
            tensors = tensors_of(entry.path, path)
        except UnsupportedContent:
            continue
        for tensor in tensors:
            current().progress(found.read, None, f"Reading the numbers of {entry.path}")
            counted = numbers.count(path, tensor)
            if counted is None:
                found.unread += tensor.parameters
                continue
            found.read += counted.read
            if counted.nans or counted.infinities:
                found.suspects.append(
                    results.SuspectTensor(
                        file=entry.path,
                        name=tensor.name,
                        dtype=tensor.dtype,
                        nans=counted.nans,
                        infinities=counted.infinities,
                    )
                )
    return found
