"""Batches on an engine that needs no library: order, failures, endless input, and runs that are killed."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.core.call import using
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound, SomeFailed
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.services.infer.batch.items import Wanted
from ipfs_accel_cli.services.infer.inference import Inference
from tests.conformance.plain_engine import engines, plain_model
from tests.unit.services.infer.serving import SETTINGS, from_input

LINES = 60


def service(folder: Path, *, step_ms: float = 0) -> Inference:
    model = plain_model(folder / "letters", step_ms=step_ms)

    def find(name: str | None, _task: str) -> Loadable:
        if name not in (None, "letters"):
            raise NotFound(f"no model named {name!r} is here")
        return model

    return Inference(SETTINGS, find, engines())


@pytest.fixture
def inference(tmp_path: Path) -> Iterator[Inference]:
    made = service(tmp_path)
    yield made
    made.close()


def answers(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_answers_stand_in_the_order_of_the_lines(inference: Inference, tmp_path: Path) -> None:
    texts = [json.dumps("a b " * (1 + number * 7 % 11)) for number in range(300)]
    (tmp_path / "in.jsonl").write_text("\n".join(texts))
    done = inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted("embed"))
    assert (done.lines, done.resumed, done.models) == (300, 0, ["letters"])
    found = answers(tmp_path / "out.jsonl")
    assert [answer["line"] for answer in found] == list(range(300))
    alone = [one.vector for one in inference.embed([json.loads(text) for text in texts])]
    assert [answer["embedding"] for answer in found] == alone


def test_a_line_that_cannot_be_answered_says_why_in_its_place(inference: Inference, tmp_path: Path) -> None:
    lines = [json.dumps({"custom_id": f"c{at}", "url": "/v1/embeddings", "body": {"input": "x"}}) for at in range(3)]
    lines[1] = json.dumps({"custom_id": "c1", "url": "/v1/embeddings", "body": {"input": "x", "model": "other"}})
    (tmp_path / "in.jsonl").write_text("\n\n".join(lines) + "\n{\n")
    with pytest.raises(SomeFailed, match="2 of 4 lines") as told:
        inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted())
    assert told.value.exit_code == 11
    assert [error["pointer"] for error in told.value.errors] == ["/1", "/3"]
    found = answers(tmp_path / "out.jsonl")
    assert [answer["custom_id"] for answer in found] == ["c0", "c1", "c2", None]
    assert [answer["response"]["status_code"] for answer in found] == [200, 404, 200, 422]  # type: ignore[index]


def test_nothing_is_begun_where_no_model_could_answer(inference: Inference, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('"a"\n')
    for wanted, error in ((Wanted("embed", "other"), NotFound), (Wanted("fly"), Invalid)):
        with pytest.raises(error):
            inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", wanted)
    assert not list(tmp_path.glob("out*"))


def test_an_input_without_an_end_is_answered_in_bounded_memory(inference: Inference, tmp_path: Path) -> None:
    read = itertools.count()

    class Endless(io.RawIOBase):
        """Lines without end, which notes how far ahead of the output it is read."""

        ahead = 0

        def readline(self, _limit: int | None = -1) -> bytes:
            number = next(read)
            if number == 5000:
                raise KeyboardInterrupt
            partial = tmp_path / "out.jsonl.partial"
            if number % 100 == 0 and partial.exists():
                Endless.ahead = max(Endless.ahead, number - partial.read_bytes().count(b"\n"))
            return b'"some words of no meaning"\n'

    with using(from_input(Endless())), pytest.raises(KeyboardInterrupt):  # type: ignore[arg-type]
        inference.batches.run(None, tmp_path / "out.jsonl", Wanted("generate"))
    # What is under way, and what a file object keeps in its buffer.
    assert 0 < Endless.ahead < 1500


KILLED = """
import sys
from pathlib import Path
from ipfs_accel_cli.services.infer.batch import service
from ipfs_accel_cli.services.infer.batch.items import Wanted
from tests.unit.services.infer.batch.test_batches import service as made
service.COMMIT_SECONDS = 0.02
folder = Path(sys.argv[1])
inference = made(folder, step_ms=2)
print("begun", flush=True)
inference.batches.run(folder / "in.jsonl", folder / "out.jsonl", Wanted("generate"))
print("done", flush=True)
"""


def test_killed_again_and_again_no_line_is_lost_or_twice(tmp_path: Path) -> None:
    prompts = [f"say {number} now" for number in range(LINES)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"id": prompt, "text": prompt}) + "\n" for prompt in prompts))
    kills, done = 0, False
    for attempt in range(40):
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), str(tmp_path)], stdout=subprocess.PIPE, env=os.environ
        ) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"begun\n"
            time.sleep(0.05 + 0.03 * attempt)
            child.send_signal(signal.SIGKILL)
            done = child.stdout.readline() == b"done\n"
        if done:
            break
        kills += 1
    assert done
    assert kills >= 1
    assert [answer["id"] for answer in answers(tmp_path / "out.jsonl")] == prompts
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.jsonl"]


def test_a_run_goes_on_only_with_the_same_options(inference: Inference, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('"a"\n"b"\n')
    (tmp_path / "out.jsonl.journal").write_text(json.dumps({"asked": "otherwise", "lines": 0, "failed": 0}))
    with pytest.raises(Conflict, match="other options"):
        inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted("embed"))
    assert (
        inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted("embed"), restart=True).lines == 2
    )
