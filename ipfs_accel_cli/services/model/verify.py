"""Reading a model's every byte again and comparing it with what its manifest says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ipfs_accel_cli.content.manifest import FileEntry, Manifest
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from ipfs_accel_cli.core.parallel import ordered, usable_cores
from ipfs_accel_cli.services.model import safetensors
from ipfs_accel_cli.services.model.content import Store

READ_BYTES = 1 << 20


def whole_files(store: Store, manifest: Manifest) -> None:
    """Hash every file whole; raises VerificationFailed listing each that is missing or has another sha-256."""
    total_bytes, done_bytes = manifest.size_bytes, 0
    errors: list[dict[str, str]] = []
    for entry, problem in ordered(lambda entry: (entry, _problem(store, entry)), manifest.files, usable_cores()):
        done_bytes += entry.size_bytes
        current().progress(done_bytes, total_bytes, "Hashing whole files")
        if problem:
            errors.append({"pointer": entry.path, "detail": problem})
    if errors:
        raise VerificationFailed(
            f"{len(errors)} of {len(manifest.files)} files are damaged: {errors[0]['pointer']}: {errors[0]['detail']}",
            errors=errors,
        )


def structure(store: Store, manifest: Manifest) -> int:
    """Check the headers of all safetensors files and return how many tensors they hold; raises MalformedContent."""
    return sum(
        safetensors.read(store.object_path(entry.cid), entry.path).tensors
        for entry in manifest.files
        if entry.path.endswith(".safetensors")
    )


def _problem(store: Store, entry: FileEntry) -> str | None:
    digest = hashlib.sha256()
    try:
        for chunk in _chunks(store, entry):
            digest.update(chunk)
    except (NotFound, FileNotFoundError):
        return "it is not in the store"
    if digest.digest() != entry.sha256:
        return f"its sha-256 is {digest.hexdigest()}, the manifest says {entry.sha256.hex()}"
    return None


def _chunks(store: Store, entry: FileEntry) -> Iterator[bytes]:
    with store.object_path(entry.cid).open("rb") as file:
        while chunk := file.read(READ_BYTES):
            current().check()
            yield chunk
