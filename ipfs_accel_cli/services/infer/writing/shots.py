"""Examples that show a model what is wanted: read, chosen, and put before the input."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy

from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts
from ipfs_accel_cli.services.infer.files import LARGEST_LINES_BYTES, json_lines, read_text
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.results import Shot
from ipfs_accel_cli.services.infer.writing.wish import Wish
from ipfs_accel_cli.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Example:
    """An input with the output that is wanted for it; `index` counts those of its file from 0."""

    index: int
    input: str
    output: str

    @property
    def cid(self) -> str:
        """The raw CID of the example as canonical JSON, the same wherever it is written."""
        body = json.dumps({"input": self.input, "output": self.output}, ensure_ascii=False, sort_keys=True)
        return str(CID.of(body.encode(), RAW))

    def shown(self, score: float | None) -> Shot:
        """Return what a result tells of it."""
        return Shot(index=self.index, cid=self.cid, input=self.input, score=score)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The examples to be shown, in the order they are put before the input: the most similar one comes last."""

    examples: tuple[Example, ...] = ()
    scores: tuple[float | None, ...] = ()

    def shown(self) -> list[Shot] | None:
        """Return what a result tells of them, or nothing."""
        pairs = zip(self.examples, self.scores, strict=True)
        return [example.shown(score) for example, score in pairs] or None

    def before(self, text: str) -> str:
        """Return an input with the examples before it, in the form that models continue best; alone as it is."""
        if not self.examples:
            return text
        shown = "".join(f"Input: {one.input}\nOutput: {one.output}\n\n" for one in self.examples)
        return f"{shown}Input: {text}\nOutput:"


def choose(wish: Wish, text: str, opener: Opener, call: Call) -> Chosen:
    """Return the examples that a wish asks for; raises Invalid for options that make no sense and bad files."""
    if wish.examples is None:
        if wish.shots:
            raise Invalid('--shots needs --examples FILE, with a line of JSON for each: {"input": …, "output": …}')
        return Chosen()
    count = 4 if wish.shots is None else wish.shots
    if count < 0:
        raise Invalid(f"--shots must be 0 or more, not {count}")
    examples = read_examples(wish.examples, call)
    if wish.shots is not None and count > len(examples):
        raise Invalid(f"--shots {count} are asked for, and {wish.examples} has {len(examples)}")
    count = min(count, len(examples))
    if not count:
        return Chosen()
    if wish.shots_by == "first":
        return Chosen(tuple(examples[:count]), (None,) * count)
    return nearest(examples, text, count, opener)


def read_examples(path: Path, call: Call) -> list[Example]:
    """Read JSON lines of inputs and outputs; raises Invalid naming the line, and for a file without any."""
    found: list[Example] = []
    for number, value in json_lines(read_text(path, call, LARGEST_LINES_BYTES), str(path)):
        found.append(example(value, len(found), f"line {number} of {path}"))
    if not found:
        raise Invalid(f"{path} holds no examples")
    return found


def example(value: Any, index: int, where: str) -> Example:
    """Return an example from its JSON; an output that is no text is shown as JSON. Raises Invalid."""
    if not isinstance(value, dict) or not isinstance(value.get("input"), str) or "output" not in value:
        raise Invalid(f'{where} must be an example: {{"input": "…", "output": "…"}}')
    output = value["output"]
    return Example(index, value["input"], output if isinstance(output, str) else json.dumps(output, ensure_ascii=False))


def nearest(examples: Sequence[Example], text: str, count: int, opener: Opener) -> Chosen:
    """Return the examples whose inputs are most similar to a text, by the default embedding model."""
    task = TASKS.load("embed")()
    try:
        model = opener.find(None, task.name)
    except NotFound as error:
        raise _without_embedding(error) from error
    options = EmbedOptions()
    with opener.open(model, task.name, None, None) as opened:
        rows = opened.answer(task, task.prepare(Texts(tuple(one.input for one in examples)), options)).rows
        query = opened.answer(task, task.prepare(Texts((text,)), options)).rows[0]
    scores = (rows @ query) / numpy.maximum(1e-12, numpy.linalg.norm(rows, axis=1) * numpy.linalg.norm(query))
    order = numpy.argsort(-scores, kind="stable")[:count][::-1].tolist()
    return Chosen(tuple(examples[at] for at in order), tuple(round(float(scores[at]), 6) for at in order))


def _without_embedding(error: AccelError) -> NotFound:
    return NotFound(
        f"choosing examples by similarity needs a model that embeds: {error.detail} (--shots-by first needs none)",
        suggestion=error.suggestion,
    )
