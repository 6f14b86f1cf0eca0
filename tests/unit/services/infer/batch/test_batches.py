"""Batches on an engine that needs no library: order, failures, endless input, and runs that are killed."""

from __future__ import annotations

import copy
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
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.call import using
from ipfs_accel_cli.core.errors import Conflict, DoesNotFit, Invalid, NotFound, SomeFailed
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.services.infer.batch.items import Wanted
from ipfs_accel_cli.services.infer.batch.service import Batches
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
            # One killed after its answers got their name, and before it could say so, is done as well.
            done = child.stdout.readline() == b"done\n" or (tmp_path / "out.jsonl").exists()
        if done:
            break
        kills += 1
    assert done
    assert kills >= 1
    assert [answer["id"] for answer in answers(tmp_path / "out.jsonl")] == prompts
    assert not (tmp_path / "out.jsonl.partial").exists()


def test_a_run_goes_on_only_with_the_same_options(inference: Inference, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('"a"\n"b"\n')
    state = {"asked": "otherwise", "lines": 0, "failed": 0, "size_bytes": 0, "input_sha256": ""}
    (tmp_path / "out.jsonl.journal").write_text(json.dumps(state))
    with pytest.raises(Conflict, match="other options"):
        inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted("embed"))
    assert (
        inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted("embed"), restart=True).lines == 2
    )


def test_a_line_that_no_tokenizer_takes_harms_no_other(inference: Inference, tmp_path: Path) -> None:
    schema = {"type": "json_schema", "json_schema": {"schema": {"const": "\ud800"}}}
    chat = {"messages": [{"role": "user", "content": "x"}]}
    bodies = [
        {"custom_id": "a", "url": "/v1/embeddings", "body": {"input": "half a pair: \ud800"}},
        {"custom_id": "b", "url": "/v1/chat/completions", "body": {**chat, "response_format": schema}},
        {"custom_id": "c", "url": "/v1/chat/completions", "body": {**chat, "max_tokens": 0}},
        {"custom_id": "d", "url": "/v1/embeddings", "body": {"input": "sound"}},
    ]
    lines = [json.dumps(body) for body in bodies]
    deep = lines[1].replace('{"const": "\\ud800"}', '{"items":' * 400 + "{}" + "}" * 400)
    (tmp_path / "in.jsonl").write_text("\n".join([*lines, deep]))
    with pytest.raises(SomeFailed, match="4 of 5 lines"):
        inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted())
    found = answers(tmp_path / "out.jsonl")
    assert [answer["response"]["status_code"] for answer in found] == [422, 422, 422, 200, 422]  # type: ignore[index]


def test_what_is_to_be_read_is_never_written_over(inference: Inference, tmp_path: Path) -> None:
    for name in ("out.jsonl", "out.jsonl.partial", "out.jsonl.journal"):
        (tmp_path / name).write_text('"a"\n')
        (tmp_path / "linked").unlink(missing_ok=True)
        (tmp_path / "linked").symlink_to(tmp_path / name)
        for source in (tmp_path / name, tmp_path / "linked"):
            with pytest.raises(Invalid, match="written over"):
                inference.batches.run(source, tmp_path / "out.jsonl", Wanted("embed"), restart=True)
        assert (tmp_path / name).read_text() == '"a"\n'


def test_a_run_goes_on_only_with_the_same_default_model(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('"a"\n')
    first, second = (plain_model(tmp_path / name, name) for name in ("one", "two"))
    known = first
    inference = Inference(SETTINGS, lambda _name, _task: known, engines())

    def interrupted() -> Iterator[bytes]:
        yield b'"a"\n'
        raise KeyboardInterrupt

    class Stopping(io.RawIOBase):
        def __init__(self) -> None:
            self.lines = interrupted()

        def readline(self, _limit: int | None = -1) -> bytes:
            return next(self.lines)

    with using(from_input(Stopping())), pytest.raises(KeyboardInterrupt):  # type: ignore[arg-type]
        inference.batches.run(None, tmp_path / "out.jsonl", Wanted("embed"))
    known = second
    with pytest.raises(Conflict, match="another version of the model"):
        inference.batches.run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted("embed"))
    inference.close()


def test_models_that_do_not_fit_together_answer_one_after_the_other(tmp_path: Path) -> None:
    models = {name: plain_model(tmp_path / name, name) for name in ("one", "two")}
    inference = Inference(SETTINGS, lambda name, _task: models[name or "one"], engines())

    held: list[str] = []

    @contextmanager
    def tight(model: Loadable, *asked: Any) -> Iterator[Any]:
        """Hold a model, where there is room for one at a time."""
        if set(held) - {model.facts.name}:
            raise DoesNotFit("no room")
        with inference.opener.open(model, *asked) as opened:
            held.append(model.facts.name)
            try:
                yield opened
            finally:
                held.remove(model.facts.name)

    opener = copy.copy(inference.opener)
    opener.open = tight  # type: ignore[method-assign, assignment]
    bodies = [
        {"custom_id": str(at), "url": "/v1/embeddings", "body": {"input": "x", "model": name}}
        for at, name in enumerate(["one", "one", "two", "one", "two", "two"])
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, bodies)))
    done = Batches(opener).run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", Wanted())
    assert (done.lines, done.models) == (6, ["one", "two"])
    inference.close()
