"""Looking into the files of a model: which tensors their headers list, and what each of them hashes to."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.core.parallel import ordered, usable_cores
from ipfs_accel_cli.formats import gguf, onnx, safetensors
from ipfs_accel_cli.formats.reading import FileReader, Reader
from ipfs_accel_cli.formats.tensors import Header, Tensor
from ipfs_accel_cli.services.model.inspect_results import Inspected, InspectedFile, InspectedTensor, OfDtype
from ipfs_accel_cli.services.model.subject import Subject

READERS: Mapping[str, Callable[[Reader], Header]] = {
    ".safetensors": safetensors.header,
    ".gguf": gguf.header,
    ".onnx": onnx.header,
}
_FORMATS = {
    **dict.fromkeys((".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"), "pickle"),
    **dict.fromkeys((".json",), "json"),
    **dict.fromkeys((".txt", ".md", ".jinja", ".py"), "text"),
}
_READ_BYTES = 1 << 20


def inspect(subject: Subject, *, tensors: bool = False, digest: bool = False) -> Inspected:
    """Read the headers of all weight files; with `digest` also hash each tensor's bytes, which reads all of them.

    A header that cannot be read is told in the file's `problem`, and so is a file that the store has lost.
    """
    files: list[InspectedFile] = []
    found: list[tuple[str, Tensor]] = []
    for name, path in sorted(subject.files.items()):
        current().check()
        file, listed = _file(name, path)
        files.append(file)
        found += [(name, tensor) for tensor in listed]
    files += [_lost(name, problem, subject) for name, problem in sorted(subject.missing.items())]
    read_any = any(file.tensors is not None for file in files)
    return Inspected(
        name=subject.name,
        manifest_cid=str(subject.known.manifest.cid) if subject.known else None,
        size_bytes=sum(file.size_bytes for file in files),
        parameters=sum(tensor.parameters for _, tensor in found) if read_any else None,
        tensor_count=len(found),
        dtypes=_by_dtype(tensor for _, tensor in found),
        files=files,
        tensors=_rows(subject, found, digest=digest) if tensors or digest else [],
    )


def tensors_of(name: str, path: Path) -> tuple[Tensor, ...]:
    """Return the tensors that a file's header lists, none for a file without such a header.

    Raises MalformedContent and UnsupportedContent.
    """
    reader = READERS.get(Path(name).suffix.lower())
    return reader(FileReader(path, name)).tensors if reader else ()


def digest_of(path: Path, tensor: Tensor) -> bytes | None:
    """Return the sha-256 of a tensor's bytes as they are in its file; None where they are no stretch of it."""
    if tensor.offset is None:
        return None
    hashed = hashlib.sha256()
    left = tensor.size_bytes
    with path.open("rb") as file:
        file.seek(tensor.offset)
        while left:
            current().check()
            piece = file.read(min(left, _READ_BYTES))
            if not piece:
                raise MalformedContent(f"{path.name} ends inside the tensor {tensor.name!r}")
            hashed.update(piece)
            left -= len(piece)
    return hashed.digest()


def format_of(name: str) -> str:
    """Return the format that a file's name states."""
    suffix = Path(name).suffix.lower()
    return suffix[1:] if suffix in READERS else _FORMATS.get(suffix, "other")


def _file(name: str, path: Path) -> tuple[InspectedFile, tuple[Tensor, ...]]:
    kind, size_bytes = format_of(name), path.stat().st_size
    if f".{kind}" not in READERS:
        return InspectedFile(path=name, format=kind, size_bytes=size_bytes, tensors=None, problem=None), ()
    try:
        listed = tensors_of(name, path)
    except (MalformedContent, UnsupportedContent) as error:
        return InspectedFile(path=name, format=kind, size_bytes=size_bytes, tensors=None, problem=error.detail), ()
    return InspectedFile(path=name, format=kind, size_bytes=size_bytes, tensors=len(listed), problem=None), listed


def _lost(name: str, problem: str, subject: Subject) -> InspectedFile:
    entries = subject.known.manifest.files if subject.known else ()
    size_bytes = next((entry.size_bytes for entry in entries if entry.path == name), 0)
    return InspectedFile(path=name, format=format_of(name), size_bytes=size_bytes, tensors=None, problem=problem)


def _by_dtype(tensors: Iterable[Tensor]) -> list[OfDtype]:
    groups: dict[str, list[Tensor]] = {}
    for tensor in tensors:
        groups.setdefault(tensor.dtype, []).append(tensor)
    totals = [
        OfDtype(
            dtype=dtype,
            tensors=len(group),
            parameters=sum(one.parameters for one in group),
            size_bytes=sum(one.size_bytes for one in group),
        )
        for dtype, group in groups.items()
    ]
    return sorted(totals, key=lambda one: (-one.size_bytes, one.dtype))


def _rows(subject: Subject, found: list[tuple[str, Tensor]], *, digest: bool) -> list[InspectedTensor]:
    total_bytes = sum(tensor.size_bytes for _, tensor in found)
    done_bytes = 0
    rows: list[InspectedTensor] = []

    def described(one: tuple[str, Tensor]) -> tuple[Tensor, str, bytes | None]:
        name, tensor = one
        return tensor, name, digest_of(subject.files[name], tensor) if digest else None

    for tensor, name, hashed in ordered(described, found, usable_cores() if digest else 1):
        rows.append(
            InspectedTensor(
                name=tensor.name,
                file=name,
                dtype=tensor.dtype,
                shape=list(tensor.shape),
                parameters=tensor.parameters,
                size_bytes=tensor.size_bytes,
                offset=tensor.offset,
                sha256=hashed.hex() if hashed else None,
            )
        )
        done_bytes += tensor.size_bytes
        if digest:
            current().progress(done_bytes, total_bytes, "Hashing tensors", unit="bytes")
    return rows
