"""GGUF and ONNX headers: what is read, how little is read, and what hostile bytes can do."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import AccelError, MalformedContent
from ipfs_accel_cli.formats import gguf, onnx, safetensors
from ipfs_accel_cli.formats.reading import FileReader, RangeReader
from tests.servers.tiny_model import safetensors as tiny_safetensors
from tests.unit.formats import builders

GGUF = builders.gguf(
    {"token_embd.weight": ((256, 10), 12, 1440), "output_norm.weight": ((256,), 0, 1024)},
    {"general.architecture": "llama", "llama.block_count": 2, "tokenizer.ggml.tokens": ["a"] * 2000},
)
ONNX = builders.onnx({"weight": ((4, 8), 1), "bias": ((8,), 3)}, raw_bytes=128)


def held(data: bytes) -> RangeReader:
    return RangeReader("file", len(data), lambda offset, length: data[offset : offset + length])


def test_a_gguf_header_gives_tensors_with_their_quantised_sizes_and_short_values() -> None:
    found = gguf.header(held(GGUF))
    assert [(one.name, one.dtype, one.shape, one.size_bytes) for one in found.tensors] == [
        ("token_embd.weight", "q4_k", (10, 256), 1440),
        ("output_norm.weight", "float32", (256,), 1024),
    ]
    assert found.metadata["llama.block_count"] == 2
    assert found.metadata["tokenizer.ggml.tokens.length"] == 2000


def test_an_onnx_model_gives_its_initializers() -> None:
    found = onnx.header(held(ONNX))
    assert [(one.name, one.dtype, one.shape, one.size_bytes) for one in found.tensors] == [
        ("weight", "float32", (4, 8), 128),
        ("bias", "int8", (8,), 8),
    ]


@pytest.mark.parametrize("kind", ["gguf", "onnx", "safetensors"])
def test_only_the_header_is_read_of_a_large_file(kind: str, tmp_path: Path) -> None:
    size = 64 << 20
    path = tmp_path / "model"
    if kind == "gguf":
        head = builders.gguf({"w": ((size // 4,), 0, size)}, data_bytes=0)
        read = gguf.header
    elif kind == "onnx":
        head = builders.onnx({"w": ((size // 4,), 1)}, raw_bytes=size)[:200]
        read = onnx.header
    else:
        entry = b'{"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}' % (size // 4, size)
        head = len(entry).to_bytes(8, "little") + entry
        read = safetensors.header
    total = len(builders.onnx({"w": ((size // 4,), 1)}, raw_bytes=size)) if kind == "onnx" else len(head) + size
    with path.open("wb") as file:
        file.write(head)
        file.truncate(total)
    taken = 0
    whole = FileReader(path)

    def part(offset: int, length: int) -> bytes:
        nonlocal taken
        taken += length
        return whole.read(offset, length)

    assert read(RangeReader("model", total, part)).tensors[0].size_bytes == size
    assert taken <= 256 << 10


@pytest.mark.parametrize("data", [GGUF, ONNX, tiny_safetensors({"a": (4, 4), "b": (3,)})], ids=["gguf", "onnx", "st"])
def test_a_file_cut_anywhere_is_refused_or_read_but_never_a_crash(data: bytes) -> None:
    for read in (gguf.header, onnx.header, safetensors.header):
        for end in sorted(random.Random(1).sample(range(len(data)), min(len(data), 150))):
            try:
                read(held(data[:end]))
            except AccelError:
                continue


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_bytes_end_in_our_error_or_a_header(data: st.DataObject) -> None:
    read, whole = data.draw(st.sampled_from([(gguf.header, GGUF), (onnx.header, ONNX)]))
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 8))):
        damaged[data.draw(st.integers(0, min(len(damaged), 300) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(held(bytes(damaged)))
    except AccelError:
        return
    assert all(tensor.size_bytes >= 0 for tensor in found.tensors)


@pytest.mark.parametrize(
    "data",
    [
        b"GGUF" + (3).to_bytes(4, "little") + (1 << 62).to_bytes(8, "little") * 2 + bytes(64),
        builders.gguf({"w": ((1 << 62, 4), 0, 0)}),
        builders.gguf({"w": ((1024,), 0, 4096)}, data_bytes=100),
        builders.gguf({"a": ((64,), 0, 0), "b": ((64,), 0, 256)}),
    ],
    ids=["counts beyond the file", "more numbers than exist", "truncated data", "overlapping tensors"],
)
def test_a_gguf_file_that_lies_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedContent):
        gguf.header(held(data))
