"""Headers of CTranslate2: what was written is read, and damage is named."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.formats import ctranslate2
from ipfs_accel_cli.formats.reading import FileReader, RangeReader
from ipfs_accel_cli.services.model.facts import read

NAMES = st.text(alphabet="abc/_0", min_size=1, max_size=20)
SHAPES = st.lists(st.integers(1, 4), max_size=3)


def string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def built(spec: str, variables: dict[str, list[int]], aliases: dict[str, str]) -> bytes:
    data = struct.pack("<I", 6) + string(spec) + struct.pack("<II", 3, len(variables))
    for name, shape in variables.items():
        count = 1
        for size in shape:
            count *= size
        data += string(name) + bytes([len(shape)]) + struct.pack(f"<{len(shape)}I", *shape)
        data += bytes([4]) + struct.pack("<I", 2 * count) + bytes(2 * count)
    data += struct.pack("<I", len(aliases))
    return data + b"".join(string(one) + string(other) for one, other in aliases.items())


def reader(data: bytes) -> RangeReader:
    return RangeReader("model.bin", len(data), lambda offset, length: data[offset : offset + length])


@given(st.dictionaries(NAMES, SHAPES, max_size=5), st.dictionaries(NAMES, NAMES, max_size=2))
def test_what_was_written_is_read(variables: dict[str, list[int]], aliases: dict[str, str]) -> None:
    found = ctranslate2.header(reader(built("WhisperSpec", variables, aliases)))
    assert found.spec == "WhisperSpec"
    assert {name: list(one.shape) for name, one in found.variables.items()} == variables
    assert found.aliases == aliases


@given(st.integers(0, 200))
def test_a_file_that_ends_early_is_malformed(length: int) -> None:
    data = built("WhisperSpec", {"a/weight": [4, 3], "b": [8]}, {"c": "b"})
    with pytest.raises(MalformedContent):
        ctranslate2.header(reader(data[: min(length, len(data) - 1)]))


@given(st.binary(max_size=300))
def test_other_bytes_are_no_model_of_ctranslate2(data: bytes) -> None:
    if not ctranslate2.is_one(reader(data)):
        with pytest.raises(MalformedContent):
            ctranslate2.header(reader(data))


@pytest.mark.parametrize(
    ("spec", "model_type", "tasks"),
    [("WhisperSpec", "whisper", ("transcribe",)), ("TransformerSpec", "ctranslate2", ("translate",))],
)
def test_the_header_tells_what_a_model_can_do(tmp_path: Path, spec: str, model_type: str, tasks: tuple[str]) -> None:
    (tmp_path / "model.bin").write_bytes(built(spec, {"a": [4, 3], "setting": []}, {}))
    (tmp_path / "config.json").write_text('{"lang_ids": []}')
    facts = read({path.name: path for path in tmp_path.iterdir()})
    assert (facts.model_type, facts.tasks, facts.parameters, facts.dtype) == (model_type, tasks, 12, "float16")
    assert ctranslate2.is_one(FileReader(tmp_path / "model.bin"))
