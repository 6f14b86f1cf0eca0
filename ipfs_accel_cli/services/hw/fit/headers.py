"""Where a model lies and what its headers say: a file, a folder, a registered name, a URL or a hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core import fetch
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    Invalid,
    LimitReached,
    MalformedContent,
    NotFound,
    Unavailable,
    UnsupportedContent,
)
from ipfs_accel_cli.formats import gguf, onnx, safetensors
from ipfs_accel_cli.formats.reading import FileReader, RangeReader, Reader
from ipfs_accel_cli.formats.tensors import Header, Tensor

MAX_CONFIG_BYTES = 16 << 20
MAX_SHARDS = 4096
_READERS: dict[str, Callable[[Reader], Header]] = {
    ".safetensors": safetensors.header,
    ".gguf": gguf.header,
    ".onnx": onnx.header,
}


@dataclass(frozen=True, slots=True)
class Described:
    """What a model's files say. `folder` is None where they are elsewhere; `identity` stays the same for its bytes."""

    name: str
    format: str
    tensors: tuple[Tensor, ...]
    config: Mapping[str, Any]
    metadata: Mapping[str, Any]
    read_bytes: int
    identity: str
    folder: Path | None = None


class Counted:
    """A reader that counts what was read through it, in a tally shared by all files of a model."""

    def __init__(self, reader: Reader, tally: list[int]) -> None:
        self._reader, self._tally = reader, tally
        self.name, self.size_bytes = reader.name, reader.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Return a part and count it."""
        data = self._reader.read(offset, length)
        self._tally[0] += len(data)
        return data


def describe(reference: str, find: Callable[[str], Path]) -> Described:
    """Read the headers of a model; `find` gives the folder of a registered name.

    Raises NotFound, Invalid, Offline, MalformedContent, UnsupportedContent and what a source raises.
    """
    if reference.startswith(("http://", "https://")):
        return _from_url(reference)
    if reference.startswith("hf://"):
        return _from_hub(reference)
    path = current().path(reference.removeprefix("file:")) if _is_path(reference) else None
    if path is None:
        folder = find(reference)
        return of_files(reference, _in_folder(folder), folder)
    if path.is_dir():
        return of_files(path.name or str(path), _in_folder(path), path)
    if not path.is_file():
        raise NotFound(f"there is no file or folder {reference!r}", suggestion="ipfs-accel model ls")
    beside = path.parent / "config.json"
    files: dict[str, Reader] = {path.name: FileReader(path)}
    if beside.is_file():
        files["config.json"] = FileReader(beside)
    return of_files(path.name, files, path.parent if path.suffix == ".safetensors" else None)


def of_files(name: str, files: Mapping[str, Reader], folder: Path | None = None) -> Described:
    """Read the headers of the weights among files: safetensors, else GGUF, else ONNX."""
    tally = [0]
    counted = {path: Counted(reader, tally) for path, reader in files.items()}
    config = _config(counted)
    suffix, chosen = _weights(counted)
    headers = [_READERS[suffix](reader) for reader in chosen]
    tensors = tuple(tensor for header in headers for tensor in header.tensors)
    metadata = headers[0].metadata
    identity = f"{sum(one.size_bytes for one in tensors)}:{len(tensors)}:{hash_of(tensors)}"
    return Described(name, suffix[1:], tensors, config, metadata, tally[0], identity, folder)


def hash_of(tensors: tuple[Tensor, ...]) -> str:
    """Return a short digest of names, shapes and dtypes: memory and speed depend on nothing else of the weights."""
    from hashlib import sha256

    digest = sha256()
    for tensor in sorted(tensors, key=lambda one: one.name):
        digest.update(f"{tensor.name}\0{tensor.dtype}\0{tensor.shape}\n".encode())
    return digest.hexdigest()[:16]


def _weights(files: Mapping[str, Counted]) -> tuple[str, list[Counted]]:
    index = next((files[name] for name in files if name.endswith(".safetensors.index.json")), None)
    if index is not None:
        names = _shards(index)
        missing = [name for name in names if name not in files]
        if missing:
            raise NotFound(f"the index names {missing[0]}, which is not there")
        return ".safetensors", [files[name] for name in names]
    for suffix in _READERS:
        found = sorted(name for name in files if name.endswith(suffix))
        at_top = [name for name in found if "/" not in name] or found
        # Several GGUF or ONNX files are variants of one model, unless they are numbered parts.
        if suffix != ".safetensors" and len(at_top) > 1 and "-of-" not in at_top[0]:
            raise Invalid(f"there are several models: {', '.join(at_top[:6])}; name one of the files")
        if at_top:
            return suffix, [files[name] for name in at_top]
    seen = f"only {', '.join(sorted(files)[:4])}" if files else "nothing"
    raise UnsupportedContent(f"no safetensors, GGUF or ONNX weights are there, {seen}; only their headers are read")


def _shards(index: Reader) -> list[str]:
    weights = _json(index).get("weight_map")
    if not isinstance(weights, dict) or not all(isinstance(name, str) for name in weights.values()):
        raise MalformedContent(f"{index.name}: no weight_map")
    names = sorted(set(weights.values()))
    if len(names) > MAX_SHARDS:
        raise LimitReached(f"{index.name} names {len(names)} files, more than {MAX_SHARDS}")
    return names


def _config(files: Mapping[str, Reader]) -> dict[str, Any]:
    found = next((name for name in ("config.json", "0_Transformer/config.json") if name in files), None)
    return _json(files[found]) if found else {}


def _json(reader: Reader) -> dict[str, Any]:
    if reader.size_bytes > MAX_CONFIG_BYTES:
        raise LimitReached(f"{reader.name} has {reader.size_bytes} bytes, more than {MAX_CONFIG_BYTES}")
    try:
        value = json.loads(reader.read(0, reader.size_bytes))
    except (ValueError, RecursionError) as error:
        raise MalformedContent(f"{reader.name} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedContent(f"{reader.name} is not a JSON object")
    return value


def _in_folder(folder: Path) -> dict[str, Reader]:
    wanted = (*_READERS, ".json")
    return {
        path.relative_to(folder).as_posix(): FileReader(path, path.relative_to(folder).as_posix())
        for path in sorted(folder.rglob("*"))
        if path.name.endswith(wanted) and path.is_file()
    }


def _from_url(url: str) -> Described:
    name = url.partition("?")[0].rpartition("/")[2]
    if not name.endswith(tuple(_READERS)):
        raise Invalid(f"{name!r} is no .safetensors, .gguf or .onnx file; a repository is hf://ORG/NAME")
    try:
        files = {name: _remote(url, name)}
    except Unavailable as error:
        # What cannot be reached from here may be here under a name, or be described by a file that is.
        raise Unavailable(error.detail, suggestion=error.suggestion or "ipfs-accel model ls") from error
    if name.endswith(".safetensors"):
        beside = url.partition("?")[0].rpartition("/")[0] + "/config.json"
        with suppress(NotFound):
            files["config.json"] = _remote(beside, "config.json")
    return of_files(name, files)


def _from_hub(reference: str) -> Described:
    from huggingface_hub.utils import build_hf_headers

    from ipfs_accel_cli.sources.reference import parse
    from ipfs_accel_cli.sources.registry import SOURCES

    parsed = parse(reference)
    headers = build_hf_headers()
    files: dict[str, Reader] = {}
    for file in SOURCES.load("hf")().resolve(parsed).files:
        if file.path.endswith((*_READERS, ".json")) and file.size_bytes is not None:
            files[file.path] = RangeReader(file.path, file.size_bytes, _part(file.address, file.path, headers))
    return of_files(reference, files)


def _remote(url: str, name: str) -> RangeReader:
    size = fetch.length(url, name)
    return RangeReader(name, size, _part(url, name, {}))


def _part(url: str, name: str, headers: Mapping[str, str]) -> Callable[[int, int], bytes]:
    return lambda offset, length: fetch.part(url, offset, length, name, headers=headers)


def _is_path(reference: str) -> bool:
    return reference.startswith(("file:", "/", "./", "../", "~")) or Path(reference).exists()
