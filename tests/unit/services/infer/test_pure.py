"""The parts of inference that only compute: floats, ranking, reading texts."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotAuthorised, NotFound
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.ranking import Ranking
from ipfs_accel_cli.services.infer.texts import LONGEST_LINE_BYTES, lines, open_texts, read_prompt, windows


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_read_back_as_the_same_float32_and_are_no_longer_than_numpys(values: list[float]) -> None:
    exact = numpy.array(values, dtype=numpy.float32)
    short = shortest(exact)
    assert numpy.array_equal(short.astype(numpy.float32), exact)
    for value, one in zip(short.tolist(), exact, strict=True):
        assert len(digits(repr(value))) <= len(digits(str(one)))


@given(st.lists(st.floats(-1, 1, width=32), min_size=1))
def test_floats_of_unit_vectors_equal_numpys_shortest(values: list[float]) -> None:
    exact = numpy.array(values, dtype=numpy.float32)
    assert shortest(exact).tolist() == [float(str(one)) for one in exact]


def test_floats_keep_their_shape_through_json() -> None:
    rows = numpy.array([[0.1, 1 / 3], [-2.5, 1e-30]], dtype=numpy.float32)
    text = json.dumps(shortest(rows).tolist())
    assert text == "[[0.1, 0.33333334], [-2.5, 1e-30]]"


def digits(text: str) -> str:
    return text.partition("e")[0].replace(".", "").replace("-", "").strip("0")


ROWS = numpy.array([[1, 0], [0, 2], [3, 3], [0, -1], [0, 0]], dtype=numpy.float32)
NAMES = ["east", "north", "north-east", "south", "nowhere"]


def ranking(top: int | None, *, vectors: bool = False) -> Ranking:
    made = Ranking(numpy.array([[0, 5]], dtype=numpy.float32), top=top, vectors=vectors)
    made.add(0, NAMES[:2], ROWS[:2])
    made.add(2, NAMES[2:], ROWS[2:])
    return made


def test_the_nearest_comes_first_whatever_the_lengths() -> None:
    found = ranking(None).nearest()
    assert [ranked.text for ranked in found] == ["north", "north-east", "east", "nowhere", "south"]
    assert [round(float(ranked.score), 4) for ranked in found] == [1, 0.7071, 0, 0, -1]
    assert all(ranked.row is None for ranked in found)


@pytest.mark.parametrize("top", [1, 2, 3, 9])
def test_the_top_is_the_beginning_of_the_whole(top: int) -> None:
    whole = [(ranked.index, ranked.score) for ranked in ranking(None).nearest()]
    assert [(ranked.index, ranked.score) for ranked in ranking(top).nearest()] == whole[:top]


def test_vectors_are_kept_when_asked_for() -> None:
    assert ranking(1, vectors=True).nearest()[0].row.tolist() == [0, 2]  # type: ignore[union-attr]


def test_lines_lose_their_ends_and_a_byte_order_mark() -> None:
    assert list(lines(io.BytesIO(b"\xef\xbb\xbfone\r\n\ntw o \nthree"))) == ["one", "", "tw o ", "three"]


@pytest.mark.parametrize(
    ("data", "at"), [(b"\x89PNG", 0), (b"ok\nca\xff", 5), (b"\xef\xbb\xbf", None), (b"a\xe2\x82\n", 1)]
)
def test_binary_is_refused_with_the_byte(data: bytes, at: int | None) -> None:
    if at is None:
        assert list(lines(io.BytesIO(data))) == [""]
        return
    with pytest.raises(Invalid, match=f"not UTF-8 at byte {at}$"):
        list(lines(io.BytesIO(data)))


def test_a_line_without_end_is_refused_in_bounded_memory() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:] = b"x" * len(buffer)
            return len(buffer)

    with pytest.raises(LimitReached, match=str(LONGEST_LINE_BYTES)):
        next(lines(io.BufferedReader(Endless())))


def test_a_character_on_the_bound_of_a_line_is_told_as_too_long() -> None:
    with pytest.raises((LimitReached, Invalid)):
        list(lines(io.BytesIO(("é" * LONGEST_LINE_BYTES).encode())))


def test_windows_begin_with_one_batch_and_grow() -> None:
    assert [len(window) for window in windows(iter(["x"] * 100), 4, batches=4)] == [4, 8, 16, 16, 16, 16, 16, 8]
    assert list(windows(iter([]), 4)) == []


def test_arguments_come_before_standard_input(tmp_path: Path) -> None:
    call = Call(input=lambda: io.BytesIO(b"from input\n"))
    (tmp_path / "texts").write_text("from file\n")
    assert list(open_texts(["given"], None, call)) == ["given"]
    assert list(open_texts([], tmp_path / "texts", call)) == ["from file"]
    assert list(open_texts([], None, call)) == ["from input"]


def test_no_text_and_two_sources_of_text_are_invalid(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no text"):
        open_texts([], None, Call())
    with pytest.raises(Invalid, match="both"):
        open_texts(["a"], tmp_path, Call())


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="absent"):
        open_texts([], tmp_path / "absent", Call())
    with pytest.raises(Invalid, match="cannot read"):
        open_texts([], tmp_path, Call())
    with pytest.raises(NotAuthorised):
        open_texts([], tmp_path / "texts", Call(folders=()))


def test_a_prompt_is_the_argument_or_the_whole_input() -> None:
    call = Call(input=lambda: io.BytesIO(b"two\nlines\n"))
    assert read_prompt("given", call) == "given"
    assert read_prompt("", call) == ""
    assert read_prompt(None, call) == "two\nlines"
    with pytest.raises(Invalid, match="no prompt"):
        read_prompt(None, Call())
    with pytest.raises(Invalid, match="byte 1"):
        read_prompt(None, Call(input=lambda: io.BytesIO(b"a\xff")))
