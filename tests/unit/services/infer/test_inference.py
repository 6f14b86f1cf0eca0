"""The inference service as commands use it, with an engine that needs no library."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.call import using
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.services.infer.inference import Inference
from ipfs_accel_cli.services.infer.results import Embedding
from tests.conformance.plain_engine import DIMENSIONS, engines, letters, plain_model
from tests.unit.services.infer.serving import SETTINGS, Told, from_input


@pytest.fixture
def model(tmp_path: Path) -> Loadable:
    return plain_model(tmp_path / "letters")


@pytest.fixture
def inference(model: Loadable) -> Iterator[Inference]:
    def find(name: str | None, task: str) -> Loadable:
        if name not in (None, "letters"):
            raise NotFound(f"no model named {name!r}")
        assert task in model.facts.tasks
        return model

    made = Inference(SETTINGS, find, engines())
    yield made
    made.close()


def test_every_text_is_answered_in_its_order(inference: Inference) -> None:
    texts = [f"{'ab' * (at % 7)} {at}" for at in range(100)]
    found = list(inference.embed(texts, batch=8))
    assert [(one.index, one.text) for one in found] == list(enumerate(texts))
    for one in found:
        assert one.vector is not None
        assert one.vector == pytest.approx(letters(one.text))
        assert (one.dimensions, one.pooling, one.rank, one.score) == (DIMENSIONS, "letters", None, None)


def test_vectors_are_written_as_short_as_float32_allows(inference: Inference) -> None:
    found = next(iter(inference.embed(["a"])))
    assert json.loads(json.dumps(found.model_dump(mode="json")))["vector"][0] == 0.33333334


def test_a_query_ranks_the_nearest_first_without_vectors(inference: Inference) -> None:
    found = list(inference.embed(["bbb", "ab", "a"], query="aa"))
    assert [(one.rank, one.text, one.index) for one in found] == [(1, "a", 2), (2, "ab", 1), (3, "bbb", 0)]
    assert [one.score for one in found] == pytest.approx([1, 0.5**0.5, 0], abs=1e-6)
    assert all(one.vector is None for one in found)


def test_a_query_gives_vectors_and_only_the_top_when_asked(inference: Inference) -> None:
    found = list(inference.embed(["bbb", "ab", "a"], query="aa", vectors=True, top=1))
    assert [one.text for one in found] == ["a"]
    assert found[0].vector == pytest.approx(letters("a"))


@pytest.mark.parametrize("options", [{"top": 2}, {"top": 0, "query": "a"}, {"batch": 0}])
def test_options_that_make_no_sense_are_refused_at_once(inference: Inference, options: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        inference.embed(["a"], **options)


def test_a_model_that_is_not_here_is_not_found_at_once(inference: Inference) -> None:
    with pytest.raises(NotFound):
        inference.embed(["a"], model="absent")


def test_answers_come_before_the_last_line_is_read(inference: Inference) -> None:
    class Counting(io.RawIOBase):
        lines = 0

        def readable(self) -> bool:
            return True

        def readline(self, size: int | None = -1, /) -> bytes:
            self.lines += 1
            return b"text\n" if self.lines <= 10_000 else b""

    source = Counting()
    with using(from_input(source)):  # type: ignore[arg-type]
        stream = inference.embed()
        next(iter(stream))
        assert source.lines <= 33
        assert sum(1 for _ in stream) == 9_999


def test_ten_thousand_lines_take_constant_memory(inference: Inference) -> None:
    def peak(count: int) -> int:
        with using(from_input(b"some text\n" * count)):
            stream = inference.embed()
            next(iter(stream))
            tracemalloc.start()
            assert sum(1 for _ in stream) == count - 1
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    assert peak(10_000) < 1.5 * peak(2_000)


def test_lines_come_from_a_file_or_from_the_input(inference: Inference, tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("a\n\nb\n")
    assert [one.text for one in inference.embed(file=tmp_path / "texts")] == ["a", "", "b"]
    with using(from_input(b"c\n")):
        assert [one.text for one in inference.embed()] == ["c"]
    with using(from_input(b"")):
        assert list(inference.embed()) == []


def test_binary_input_is_refused_before_anything_is_loaded(inference: Inference) -> None:
    with using(from_input(b"\x7fELF\x80")), pytest.raises(Invalid, match="byte 4"):
        list(inference.embed())
    assert inference.loaded().models == []


def test_binary_after_good_lines_ends_the_stream_with_the_error(inference: Inference) -> None:
    with using(from_input(b"good\n" * 40 + b"\xff\n")):
        stream = iter(inference.embed(batch=8))
        assert next(stream).text == "good"
        with pytest.raises(Invalid, match="byte 200"):
            list(stream)


def test_a_model_stays_warm_and_is_listed(inference: Inference, model: Loadable) -> None:
    list(inference.embed(["a"]))
    (model.folder / "letters.txt").unlink()
    list(inference.embed(["b"]))
    loaded = inference.loaded().models
    assert [(one.model, one.task, one.engine, one.device, one.in_use) for one in loaded] == [
        ("letters", "embed", "plain", "cpu", False)
    ]
    assert loaded[0].size_bytes == model.facts.weight_bytes


def test_after_closing_the_service_works_again(inference: Inference) -> None:
    list(inference.embed(["a"]))
    inference.close()
    assert len(list(inference.embed(["a"]))) == 1


def test_calls_at_once_on_one_model_are_each_right(inference: Inference) -> None:
    found: dict[int, list[Embedding]] = {}

    def run(count: int) -> None:
        found[count] = list(inference.embed([f"{count}-{'a' * at}" for at in range(count)], batch=2))

    threads = [threading.Thread(target=run, args=(count,)) for count in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for count, answers in found.items():
        assert [one.text for one in answers] == [f"{count}-{'a' * at}" for at in range(count)]
        assert all(one.vector == pytest.approx(letters(one.text)) for one in answers)


def test_stats_of_embeddings_go_to_the_log(inference: Inference, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ipfs_accel_cli"):
        list(inference.embed(["a", "b"]))
        assert not caplog.records
        list(inference.embed(["a", "b"], stats=True))
    assert "2 texts" in caplog.text
    assert "load 0 ms" in caplog.text


def test_progress_is_reported(inference: Inference) -> None:
    told = Told()
    with using(from_input(b"a\n" * 100, told)):
        list(inference.embed())
    assert told.messages[0] == (0, "loading letters")
    assert [done for done, _ in told.messages[1:]] == [32, 96, 100]


def test_a_stream_that_is_closed_early_gives_the_model_back(inference: Inference) -> None:
    stream = inference.embed(["a"] * 1000, batch=1)
    next(iter(stream))
    assert inference.loaded().models[0].in_use
    stream.close()
    assert not inference.loaded().models[0].in_use
    assert len(list(inference.embed(["a"]))) == 1


@pytest.mark.parametrize(
    ("ending", "status"),
    [("", 0), ("raise SystemExit(7)", 7), ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -2)],
)
def test_a_process_ends_though_a_model_is_working(tmp_path: Path, ending: str, status: int) -> None:
    """The stream is left open in the middle of its work, as a shell that is interrupted leaves it."""
    script = f"""
from pathlib import Path
from ipfs_accel_cli.services.infer.inference import Inference
from tests.conformance.plain_engine import engines, plain_model
model = plain_model(Path({str(tmp_path / "letters")!r}), step_ms=20)
inference = Inference({SETTINGS!r}, lambda name, task: model, engines())
stream = iter(inference.embed(["a"] * 10_000, batch=1))
print(next(stream).text, flush=True)
{ending}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "a\n"
    assert done.returncode == status
