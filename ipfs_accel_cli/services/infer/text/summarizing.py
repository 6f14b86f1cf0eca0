"""Three ways to a summary: a model that writes it, a model that is asked for it, and the text's own sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Prompt, RewriteOptions, Texts
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.services.infer.text.comparing import central, unit_vectors
from ipfs_accel_cli.services.infer.text.sentences import pack, sentences
from ipfs_accel_cli.tasks.generate import Generate
from ipfs_accel_cli.tasks.rewrite import Summarize

Method = Literal["sequence-to-sequence", "prompt", "extractive"]
Count = Callable[[str], int]
PROMPT = "Summarize the following text in a few sentences.\n\nText: {}\n\nSummary:"
_PROMPT_TOKENS = 32
# Summaries of summaries get shorter each time; one that does not is not going to.
_MOST_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Made:
    """A summary, how it was made, and in how many parts the text was read."""

    text: str
    method: Method
    windows: int


def by_model(opened: Opened, text: str, options: RewriteOptions, budget: int, count: Count) -> Made:
    """Summarize with a model made for it; a text longer than `budget` tokens in parts, and their summaries again."""
    task = Summarize()

    def write(parts: Sequence[str]) -> list[str]:
        found = opened.answer(task, task.prepare(Texts(tuple(parts)), options))
        return [one.text.strip() for one in found]

    return _in_rounds(text, "sequence-to-sequence", budget, count, write)


def by_prompt(opened: Opened, text: str, options: RewriteOptions, budget: int, count: Count) -> Made:
    """Ask a model that continues texts for a summary, with the same parts."""
    task = Generate()
    asked = GenerateOptions(options.max_tokens, options.temperature, seed=options.seed, stop=("\n\n",))

    def write(parts: Sequence[str]) -> list[str]:
        return [opened.answer(task, task.prepare(Prompt(PROMPT.format(part)), asked)).text.strip() for part in parts]

    room = budget - options.max_tokens - _PROMPT_TOKENS
    if room < 16:
        raise Invalid(
            f"{opened.model.facts.name} reads and writes {budget} tokens together: --max-tokens "
            f"{options.max_tokens} leaves no room for a text",
            suggestion=f"--max-tokens {max(1, budget // 3)}",
        )
    return _in_rounds(text, "prompt", room, count, write)


def by_extract(opened: Opened, text: str, wanted: int) -> Made:
    """Take the sentences of a text that stand for it, in their order (see `central`)."""
    spans = sentences(text)
    bodies = [text[start:end] for start, end in spans]
    chosen = range(len(spans)) if len(spans) <= wanted else central(unit_vectors(opened, bodies), wanted)
    return Made(" ".join(bodies[at] for at in chosen), "extractive", 1)


def _in_rounds(
    text: str, method: Method, budget: int, count: Count, write: Callable[[Sequence[str]], list[str]]
) -> Made:
    parts = pack(text, sentences(text), budget, count)
    first = len(parts)
    for _ in range(_MOST_ROUNDS):
        done = write(parts)
        current().check()
        joined = "\n".join(part for part in done if part)
        if len(parts) == 1 or not joined:
            return Made(joined, method, first)
        again = pack(joined, sentences(joined), budget, count)
        if len(again) >= len(parts):
            return Made(joined, method, first)
        parts = again
    return Made("\n".join(parts), method, first)
