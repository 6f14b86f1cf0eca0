"""Reading a model's every byte again and comparing it with what its manifest says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ipfs_accel_cli.content.manifest import FileEntry, Manifest
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from ipfs_accel_cli.core.parallel import ordered, usable_cores
from ipfs_accel_cli.formats import safetensors
from ipfs_accel_cli.services.model import results
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.lookup import Known

READ_BYTES = 1 << 20


def verify(store: Store, known: Known) -> results.Verified:
    """Hash every block and every whole file again, and check the structure of the weights.

    Raises VerificationFailed, whose `errors` name the damaged files first and then their damaged blocks, and
    MalformedContent.
    """
    damaged: list[dict[str, str]] = []
    blocks = 0
    try:
        blocks = store.verify([known.named.manifest]).blocks
    except VerificationFailed as error:
        damaged = error.errors or [{"pointer": known.named.manifest, "detail": error.detail}]
    files = _damaged_files(store, known.manifest)
    if damaged or files:
        first = (files or damaged)[0]
        raise VerificationFailed(
            f"{known.named.name} is damaged: {first['pointer']}: {first['detail']}",
            suggestion=f"ipfs-accel model pull {known.named.reference}",
            errors=[*files, *damaged],
        )
    return results.Verified(
        name=known.named.name,
        manifest_cid=known.named.manifest,
        files=len(known.manifest.files),
        size_bytes=known.manifest.size_bytes,
        blocks=blocks,
        tensors=structure(store, known.manifest),
    )


def structure(store: Store, manifest: Manifest) -> int:
    """Check the headers of all safetensors files and return how many tensors they hold; raises MalformedContent."""
    return sum(
        safetensors.read(store.object_path(entry.cid), entry.path).tensors
        for entry in manifest.files
        if entry.path.endswith(".safetensors")
    )


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
