"""Headers of safetensors files: what they say, and every way in which they lie."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.formats import safetensors
from tests.servers.tiny_model import safetensors as tiny

WHOLE = tiny({"a": (2, 3), "b": (4,)})


def packed(header: object, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(dtype: str, shape: list[Any], start: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def read(tmp_path: Path, data: bytes) -> safetensors.Tensors:
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    return safetensors.read(path, "x.safetensors")


def test_a_sound_header_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == safetensors.Tensors(2, 10, 40, Counter(float32=40))


def test_dtypes_are_counted_by_their_bytes(tmp_path: Path) -> None:
    header = {"__metadata__": {"format": "pt"}, "a": entry("BF16", [3], 0, 6), "b": entry("F4", [4], 6, 8)}

    assert read(tmp_path, packed(header, bytes(8))).dtypes == Counter(bfloat16=6, f4=2)


def test_the_library_agrees(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    library = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "x.safetensors"
    library.save_file({"a": numpy.zeros((2, 5), "float32"), "b": numpy.zeros((), "int64")}, path)

    assert safetensors.read(path, "x") == safetensors.Tensors(2, 11, 48, Counter(float32=40, int64=8))


def test_what_we_accept_of_the_fuzz_corpus_the_library_accepts(tmp_path: Path) -> None:
    library = pytest.importorskip("safetensors")
    for path in (Path(__file__).parents[2] / "fuzz" / "corpus" / "safetensors").iterdir():
        try:
            safetensors.read(path, path.name)
        except MalformedContent:
            continue
        assert library.deserialize(path.read_bytes()) is not None, path.name


def test_truncation_anywhere_is_refused(tmp_path: Path) -> None:
    for length in range(len(WHOLE)):
        with pytest.raises(MalformedContent, match=r"x\.safetensors: truncated"):
            read(tmp_path, WHOLE[:length])


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (WHOLE + b"\0", "truncated or padded"),
        ((200_000_000).to_bytes(8, "little") + b"{}", "over the format's limit"),
        (b"\xff" * 16, "over the format's limit"),
        (packed(b"[1]", b""), "not a JSON object"),
        (packed(b" {}", b""), "not a JSON object"),
        (packed(b"{nonsense", b""), "not JSON"),
        (packed(b"\xff\xfe", b""), "not JSON"),
        (packed(b"[" * 100_000, b""), "not JSON"),
        (packed(b'{"a":1,"a":2}', b""), "given twice"),
        (packed({"__metadata__": [1]}, b""), "not an object of texts"),
        (packed({"__metadata__": {"format": 1}}, b""), "not an object of texts"),
        (packed({"\ud800": entry("U8", [0], 0, 0)}, b""), "surrogate"),
        (packed({"a": entry("U8", [1 << 62, 4, 0], 0, 0)}, b""), "does not fill"),
        (packed({"a": 1}, b""), "not described"),
        (packed({"a": entry("F32", [1], 0, 4) | {"more": 1}}, bytes(4)), "not described"),
        (packed({"a": entry("F99", [1], 0, 4)}, bytes(4)), "unknown dtype"),
        (packed({"a": entry("F32", [-1], 0, 4)}, bytes(4)), "bad shape"),
        (packed({"a": entry("F32", [True], 0, 4)}, bytes(4)), "bad shape"),
        (packed({"a": entry("F32", [1.0], 0, 4)}, bytes(4)), "bad shape"),
        (packed({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}, bytes(4)), "bad offsets"),
        (packed({"a": entry("F32", [2], 0, 4)}, bytes(4)), "does not fill"),
        (packed({"a": entry("F32", [1], 4, 0)}, bytes(4)), "does not fill"),
        (packed({"a": entry("F32", [2**40, 2**40], 0, 4)}, bytes(4)), "does not fill"),
        (packed({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 0, 4)}, bytes(4)), "overlap or leave a hole"),
        (packed({"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 8, 12)}, bytes(12)), "overlap or leave a hole"),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, data: bytes, complaint: str) -> None:
    with pytest.raises(MalformedContent, match=complaint):
        read(tmp_path, data)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, len(WHOLE) - 41), value=st.integers(0, 255))
def test_a_changed_byte_raises_nothing_but_our_error(tmp_path: Path, position: int, value: int) -> None:
    data = bytearray(WHOLE)
    data[position] = value
    try:
        read(tmp_path, bytes(data))
    except MalformedContent:
        return
