"""Examples: read, chosen, put before the input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.services.infer.inference import Inference
from ipfs_accel_cli.services.infer.writing.wish import Wish
from tests.conformance.plain_engine import engines, plain_model
from tests.unit.services.infer.serving import SETTINGS

LINES = '{"input": "zzz", "output": "Z"}\n\n{"input": "abc", "output": {"is": 1}}\n{"input": "abd", "output": "D"}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "examples.jsonl").write_text(LINES)
    return tmp_path / "examples.jsonl"


@pytest.fixture
def inference(tmp_path: Path) -> Iterator[Inference]:
    model = plain_model(tmp_path / "letters")
    made = Inference(SETTINGS, lambda name, task: model, engines())
    yield made
    made.close()


def test_the_most_similar_come_and_the_nearest_stands_last(inference: Inference, file: Path) -> None:
    found = inference.writer.input("abcc", Wish(shots=2, examples=file))
    assert [one.index for one in found.chosen.examples] == [2, 1]
    assert found.as_prompt() == 'Input: abd\nOutput: D\n\nInput: abc\nOutput: {"is": 1}\n\nInput: abcc\nOutput:'
    assert [one.content for one in found.as_messages()] == ["abd", "D", "abc", '{"is": 1}', "abcc"]


def test_the_first_ones_need_no_model(file: Path) -> None:
    def find(name: str | None, task: str) -> Loadable:
        raise NotFound(f"no model for {task}")

    writer = Inference(SETTINGS, find, engines()).writer
    found = writer.input("abc", Wish(shots=2, examples=file, shots_by="first"))
    assert [one.index for one in found.chosen.examples] == [0, 1]
    with pytest.raises(NotFound, match="--shots-by first"):
        writer.input("abc", Wish(shots=2, examples=file))


def test_a_result_says_which_were_shown(inference: Inference, file: Path) -> None:
    result = inference.generate("abc", max_tokens=1, shots=1, examples=file)
    assert result.examples is not None
    assert [(one.index, one.input, one.score) for one in result.examples] == [(1, "abc", 1.0)]
    assert result.examples[0].cid == str(CID.of(b'{"input": "abc", "output": "{\\"is\\": 1}"}'))
    assert inference.generate("abc", max_tokens=1, shots=0, examples=file).examples is None


@pytest.mark.parametrize(
    ("wish", "detail"),
    [
        (Wish(shots=3), "--examples FILE"),
        (Wish(shots=-1, examples=Path("examples.jsonl")), "0 or more"),
        (Wish(shots=9, examples=Path("examples.jsonl")), "has 3"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    inference: Inference, file: Path, wish: Wish, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    with pytest.raises(Invalid, match=detail):
        inference.writer.input("abc", wish)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "no examples"),
        ("{", "line 1"),
        ('{"input": "a", "output": "b"}\n{"input": 3}', "line 2"),
        ("\xff", "UTF-8"),
    ],
)
def test_bad_files_are_refused_by_line(inference: Inference, file: Path, text: str, detail: str) -> None:
    file.write_text(text, encoding="latin-1")
    with pytest.raises(Invalid, match=detail):
        inference.writer.input("abc", Wish(examples=file))
