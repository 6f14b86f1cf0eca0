"""Checkpoints are judged without being loaded."""

from __future__ import annotations

import collections
import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import UnsafeContent
from ipfs_accel_cli.services.model import pickles
from ipfs_accel_cli.services.model.scan import scan


class Evil:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call


CALL = Evil(os.system, ("false",))


def judge(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    scan({name: path})


def zipped(*members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["model.bin", "model.pt", "model.pkl", "x/model.PTH", "model.joblib"])
def test_a_pickle_that_calls_is_refused_by_name(tmp_path: Path, protocol: int, name: str) -> None:
    data = pickle.dumps({"weights": [1.0], "more": CALL}, protocol)

    with pytest.raises(UnsafeContent, match=rf"{name} is a pickle that calls (posix|nt)\.system") as raised:
        judge(tmp_path, name, data)

    assert raised.value.context["file"] == name


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_pickle_is_recognised_under_any_name(tmp_path: Path, protocol: int) -> None:
    with pytest.raises(UnsafeContent, match="system"):
        judge(tmp_path, "tokenizer.model", pickle.dumps(CALL, protocol))


@pytest.mark.parametrize("protocol", range(6))
def test_plain_data_passes(tmp_path: Path, protocol: int) -> None:
    value = collections.OrderedDict(a=[1, 2.5, "x", b"y", None, True, (1, 2)], b={"c": 2**80})

    judge(tmp_path, "data.pkl", pickle.dumps(value, protocol).replace(b"", b""))


def test_a_real_checkpoint_passes_in_both_forms(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    state = {
        "a": torch.nn.Parameter(torch.zeros(2)),
        "b": torch.ones(2, dtype=torch.bfloat16),
        "c": torch.arange(3),
        "d": torch.float16,
    }
    for number, zip_form in enumerate((True, False)):
        path = tmp_path / f"{number}.bin"
        torch.save(collections.OrderedDict(state), path, _use_new_zipfile_serialization=zip_form)
        scan({"pytorch_model.bin": path, "model.pt": path})


def test_a_checkpoint_with_a_module_is_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for number, zip_form in enumerate((True, False)):
        path = tmp_path / f"{number}.pt"
        torch.save(torch.nn.Linear(1, 1), path, _use_new_zipfile_serialization=zip_form)
        with pytest.raises(UnsafeContent, match=r"torch\.nn\.modules\.linear\.Linear"):
            scan({"model.pt": path})


def test_a_call_after_the_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContent, match="system"):
        judge(tmp_path, "model.pkl", pickle.dumps([1]) + pickle.dumps(CALL))


def test_a_call_before_the_damage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContent, match=r"calls posix\.system"):
        judge(tmp_path, "model.bin", b"cposix\nsystem\n(S'false'\ntR\xff\xff\xff")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93.",
        # the name comes out of the memo
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94]\x94h\x00h\x01\x93.",
        b"(iposix\nsystem\n.",
    ],
)
def test_every_way_to_name_a_callable_is_seen(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnsafeContent, match=r"posix\.system"):
        judge(tmp_path, "x.pkl", data)


@pytest.mark.parametrize(
    "data",
    [
        # an allowed pair is shown, another is taken: the last text is popped
        b"\x80\x04\x8c\x05posix\x8c\x06system\x8c\x01x0\x93.",
        # the texts are made by other operations
        b"\x80\x04\x8c\x05posix2\x8c\x06system2\x93.",
        b"\x80\x04U\x05posixU\x06system\x93.",
        b"\x80\x04\x8c\x0bcollections(1\x8c\x0bOrderedDict\x93.",
    ],
)
def test_a_hidden_name_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnsafeContent, match="hides the name"):
        judge(tmp_path, "x.pkl", data)


@pytest.mark.parametrize("name", ["model.pt", "model.pkl", "model.joblib", "model.ckpt"])
@pytest.mark.parametrize("data", [b"", b"no pickle at all", b"\x80\x04\x95", b"\x1f\x8b\x08\x00", b"\x82\x01."])
def test_a_pickle_that_cannot_be_read_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(UnsafeContent):
        judge(tmp_path, name, data)


@pytest.mark.parametrize("data", [b"", b"\x06\x00\x00\x00WhisperSpec", bytes(range(256)), b"\x82\x01plain data"])
def test_a_bin_file_that_is_no_pickle_passes(tmp_path: Path, data: bytes) -> None:
    judge(tmp_path, "model.bin", data)


def test_an_archive_with_a_call_is_refused(tmp_path: Path) -> None:
    data = zipped(("archive/data.pkl", pickle.dumps(CALL)), ("archive/data/0", b"1234"))

    with pytest.raises(UnsafeContent, match=r"model\.bin:archive/data\.pkl is a pickle that calls"):
        judge(tmp_path, "model.bin", data)


@pytest.mark.parametrize("name", ["../data.pkl", "/data.pkl", "a/../../data.pkl", "a\\..\\..\\data.pkl"])
def test_an_archive_with_a_name_that_leaves_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafeContent, match="leave its folder"):
        judge(tmp_path, "model.pt", zipped((name, pickle.dumps([1]))))


def test_an_archive_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    data = zipped(("archive/data.pkl", pickle.dumps([1])))

    with pytest.raises(UnsafeContent, match="cannot be read"):
        judge(tmp_path, "model.pt", data[:-10])


def test_a_checkpoint_archive_without_a_pickle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContent, match="without the pickle"):
        judge(tmp_path, "model.pt", zipped(("readme.txt", b"")))


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeContent, match="array of Python objects"):
        judge(tmp_path, "x.npy", b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n")


def test_a_huge_pickle_is_refused_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "MAX_PICKLE_BYTES", 1000)
    monkeypatch.setattr(pickles, "MAX_OPCODES", 100)

    with pytest.raises(UnsafeContent, match="too large"):
        pickles.check(io.BytesIO(pickle.dumps("x" * 2000)), "x")
    with pytest.raises(UnsafeContent, match="too many"):
        pickles.check(io.BytesIO(b"N0" * 200 + b"N."), "x")


@given(st.binary(max_size=200))
def test_random_bytes_raise_nothing_but_our_error(data: bytes) -> None:
    for prefix in (b"", b"\x80\x04"):
        try:
            pickles.check(io.BytesIO(prefix + data), "x")
        except UnsafeContent:
            continue
