"""Reading a model's every byte again and comparing it with what its manifest says."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import Literal

from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.core.errors import MalformedContent, NotFound, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.formats import safetensors
from ipfs_accel_cli.services.model import results
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.inspecting import tensors_of
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.services.model.numbers import Numbers

BLOCKS: Literal["blocks"] = "blocks"
FULL: Literal["full"] = "full"


def verify(store: Store, known: Known, *, full: bool = False) -> results.Verified:
    """Hash every block of a model again and check the structure of the weights.

    The manifest states CID and sha-256 of a file together, and both were computed of the same bytes when it was made
    here: bytes that give the one have the other. `full` computes each sha-256 all the same, and looks at the numbers of
    the tensors, in one reading. Raises VerificationFailed, whose `errors` name the damaged files and then their damaged
    blocks with offset and length, and MalformedContent.
    """
    blocks = 0
    damaged: list[dict[str, str]] = []
    numbers = _numbers(store, known.manifest) if full else None
    try:
        look = numbers.look if numbers else None
        blocks = store.verify([known.named.manifest], whole=full, look=look).blocks
    except VerificationFailed as error:
        damaged = error.errors or [{"pointer": known.named.manifest, "detail": error.detail}]
    files = _by_file(known.manifest, damaged) or _misstated(store, known.manifest)
    if damaged or files:
        first = (files or damaged)[0]
        raise VerificationFailed(
            f"{known.named.name} is damaged: {first['pointer']}: {first['detail']}",
            suggestion=repair_line(known),
            errors=[*files, *damaged],
        )
    tensors = structure(store, known.manifest)
    looked = numbers.finish() if numbers else None
    return results.Verified(
        name=known.named.name,
        manifest_cid=known.named.manifest,
        files=len(known.manifest.files),
        size_bytes=known.manifest.size_bytes,
        blocks=blocks,
        tensors=tensors,
        level=FULL if full else BLOCKS,
        numbers_read=looked.read if looked else None,
        numbers_unread=looked.unread if looked else None,
        suspect_tensors=[
            results.SuspectTensor(
                file=path, name=tensor.name, dtype=tensor.dtype, nans=counts.nans, infinities=counts.infinities
            )
            for path, tensor, counts in (looked.suspects if looked else ())
        ],
    )


def repair_line(known: Known) -> str:
    """Return the command that mends a model from where it came."""
    return f"ipfs-accel model repair {known.named.exact} --from {shlex.quote(known.named.reference)}"


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


def _misstated(store: Store, manifest: Manifest) -> list[dict[str, str]]:
    """Say of which files the store knows another sha-256, to which it holds their bytes, than the manifest states."""
    return [
        {"pointer": entry.path, "detail": f"its sha-256 is {known.hex()}, the manifest says {entry.sha256.hex()}"}
        for entry in manifest.files
        if (known := store.sha256(entry.cid)) != entry.sha256
    ]


def _numbers(store: Store, manifest: Manifest) -> Numbers:
    """List the tensors whose numbers are to be looked at; what cannot be read is told by other checks."""
    numbers = Numbers()
    for entry in manifest.files:
        with suppress(UnsupportedContent, MalformedContent, NotFound, VerificationFailed):
            path = store.object_path(entry.cid)
            numbers.add(entry.path, entry.cid, path, tensors_of(entry.path, path))
    return numbers
