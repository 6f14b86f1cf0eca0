"""Running one shape on a session that is at hand: each answer's moments, without anything between."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.core.figures import Row, row
from ipfs_accel_cli.engines.base import Request, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, GenerateOptions, Piece, Prompt, Texts
from ipfs_accel_cli.services.infer.bench.percentiles import of_latency
from ipfs_accel_cli.services.infer.bench.wanted import Shape
from ipfs_accel_cli.services.infer.driving import chunks_of
from ipfs_accel_cli.tasks import TASKS

_TEXT = "the rain in spain stays mainly in the plain while a small red bird sings on the old tree"
_WORDS = _TEXT.split()
_TRIES = 4


@dataclass(slots=True)
class Ran:
    """What was seen: `counts` units in `seconds`, a pair for each repetition, and the latencies of all answers."""

    prompt: int = 0
    new: int = 0
    rates: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    between: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    def figures(self, unit: str) -> list[Row]:
        """Return the rate, then the latencies."""
        named = (("ttft", self.first), ("tpot", self.between), ("latency", self.whole))
        return [row("rate", unit, self.rates), *(one for name, seen in named for one in of_latency(name, seen))]


def write(session: Session, shape: Shape, repetitions: int, *, warm_up: bool) -> Ran:
    """Let a session write: of a shape without new tokens the prompt counts, else the new tokens.

    Raises Invalid where the model reads less, and UnsupportedContent for one that ends before its second token.
    """
    prompt = _prompt(session, max(1, shape.prompt))
    ran = Ran()
    for number in range(repetitions + warm_up):
        current().check()
        one = _written(session, prompt, shape)
        if number >= warm_up:
            _add(ran, one)
    if shape.new and not ran.rates:
        raise UnsupportedContent("there is no second token, so there is no time per token")
    return ran


def read(session: Session, task: str, shape: Shape, repetitions: int, *, warm_up: bool) -> Ran:
    """Let a session read texts, all of a shape at once."""
    made = TASKS.load(task)()
    texts = _texts(session, task, shape)
    ran = Ran()
    for number in range(repetitions + warm_up):
        current().check()
        begun = time.perf_counter()
        tokens = _tokens(session, made.prepare(Texts(texts), EmbedOptions(shape.batch)))
        seconds = time.perf_counter() - begun
        if number >= warm_up:
            ran.rates.append(shape.batch / seconds)
            ran.whole.append(seconds)
            ran.prompt = round(tokens / shape.batch)
    return ran


@dataclass(slots=True)
class _Answer:
    first: float = 0.0
    last: float = 0.0
    tokens: int = 0
    prompt: int = 0
    between: list[float] = field(default_factory=list)


def _written(session: Session, prompt: str, shape: Shape) -> tuple[Shape, float, list[_Answer]]:
    task = TASKS.load("generate")()
    options = GenerateOptions(max_tokens=shape.new or 1)
    requests = [task.prepare(Prompt(prompt), options) for _ in range(shape.batch)]
    begun = time.perf_counter()
    for request in requests:
        session.submit(request)
    answers = {request.id: _Answer() for request in requests}
    while moved := session.step():
        now = time.perf_counter()
        for request_id, chunk in moved:
            assert isinstance(chunk.data, Piece)
            _noted(answers[request_id], chunk.data, now)
    return shape, begun, list(answers.values())


def _noted(answer: _Answer, piece: Piece, now: float) -> None:
    if not answer.first:
        answer.first = now
    elif piece.tokens > answer.tokens:
        answer.between.append((now - answer.last) / (piece.tokens - answer.tokens))
    answer.last, answer.tokens, answer.prompt = now, piece.tokens, piece.prompt_tokens


def _add(ran: Ran, one: tuple[Shape, float, list[_Answer]]) -> None:
    shape, begun, answers = one
    ran.prompt, ran.new = answers[0].prompt, max(answer.tokens for answer in answers) if shape.new else 0
    ran.first += [answer.first - begun for answer in answers]
    ran.between += [gap for answer in answers for gap in answer.between]
    ended = max(answer.last for answer in answers)
    if not shape.new:
        ran.rates.append(sum(answer.prompt for answer in answers) / (ended - begun))
        return
    # With a prompt of its own the whole counts; without, only what follows the first tokens.
    since = begun if shape.prompt else max(answer.first for answer in answers)
    tokens = sum(answer.tokens - (not shape.prompt) for answer in answers)
    if tokens > 0 and ended > since:
        ran.rates.append(tokens / (ended - since))


def _prompt(session: Session, tokens: int) -> str:
    """Return a text that the model reads as so many tokens, as nearly as words allow."""
    words = tokens
    for _ in range(_TRIES):
        text = _some(words)
        found = _counted(session, text)
        if found == tokens:
            break
        better = max(1, round(words * tokens / found))
        if better == words:
            break
        words = better
    return text


def _counted(session: Session, text: str) -> int:
    task = TASKS.load("generate")()
    request = task.prepare(Prompt(text), GenerateOptions(max_tokens=1))
    session.submit(request)
    found = 0
    while moved := session.step():
        found = next(chunk.data.prompt_tokens for _, chunk in moved if isinstance(chunk.data, Piece))
    if not found:
        raise Invalid("the model does not say how many tokens it reads")
    return found


def _tokens(session: Session, request: Request) -> int:
    """Answer a request and return how many tokens were read for it."""
    return sum(getattr(chunk.data, "tokens", 0) for chunk in chunks_of(session, request))


def _texts(session: Session, task: str, shape: Shape) -> tuple[str, ...]:
    made, words = TASKS.load(task)(), shape.prompt
    for _ in range(_TRIES):
        found = _tokens(session, made.prepare(Texts((_some(words),)), EmbedOptions(1)))
        better = max(1, round(words * shape.prompt / max(found, 1)))
        if found == shape.prompt or better == words:
            break
        words = better
    return tuple(_some(words, at) for at in range(shape.batch))


def _some(words: int, first: int = 0) -> str:
    return " ".join(_WORDS[(first + word) % len(_WORDS)] for word in range(words))
