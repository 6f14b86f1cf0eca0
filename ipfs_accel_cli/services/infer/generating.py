"""Text that goes on from a prompt: the request, the adapters, the words as they come."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import closing

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Adapter, Chunk
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Prompt
from ipfs_accel_cli.services.infer.deadline import within
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.results import AdapterUsed, Generation
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.services.infer.texts import read_prompt
from ipfs_accel_cli.services.infer.worker import Answer
from ipfs_accel_cli.tasks import TASKS
from ipfs_accel_cli.tasks.base import Task

ADAPTER = "adapter"
_LARGEST_CHOSEN_SEED = 1 << 31
_LARGEST_SCALE = 100.0


def generate(
    opener: Opener,
    prompt: str | None,
    options: GenerateOptions,
    *,
    model: str | None,
    seed: int | None,
    adapters: Sequence[str] = (),
    compiled: bool = False,
    timeout: float | None = None,
    engine: str | None = None,
    device: str | None = None,
    stats: bool = False,
) -> Generation:
    """Continue a prompt, from the argument or the caller's input; the text is emitted as it comes.

    Raises Invalid for options that make no sense and for a prompt that leaves no room, TryAgain when the time is over,
    and whatever finding, choosing and loading a model raises.
    """
    task: Task[Prompt, GenerateOptions, Piece] = TASKS.load("generate")()
    request = task.prepare(Prompt(read_prompt(prompt, current())), options)
    watch = Watch()
    with within(timeout):
        loadable = opener.find(model, task.name)
        added = tuple(_adapter(opener, text) for text in adapters)
        with opener.open(loadable, task.name, engine, device, watch, adapters=added, compiled=compiled) as opened:
            warm = opened.warm
            with closing(warm.worker.ask(request)) as answer:
                piece = task.collect(_emitting(answer, watch))
    took = watch.of_tokens(piece, warm.plan, warm.worker.about.get("concurrency")) if stats else None
    if took is not None and piece.tokens > 1:
        opener.keep(opened, took.tokens_s, "tokens/s", (piece.prompt_tokens + piece.tokens, 1))
    return Generation(
        text=piece.text,
        tokens=piece.tokens,
        prompt_tokens=piece.prompt_tokens,
        finish_reason=piece.finish_reason or "stop",
        model=loadable.facts.name,
        model_cid=loadable.facts.manifest,
        adapters=[AdapterUsed(name=one.name, cid=one.manifest, scale=one.scale) for one in added],
        engine=warm.key.engine,
        device=warm.key.device,
        seed=seed if options.temperature > 0 else None,
        stats=took,
    )


def chosen_seed(seed: int | None, temperature: float) -> int:
    """Return the seed that was given, else one by chance where chance is wanted."""
    if seed is not None:
        return seed
    return secrets.randbelow(_LARGEST_CHOSEN_SEED) if temperature > 0 else 0


def _adapter(opener: Opener, text: str) -> Adapter:
    """Read `NAME` or `NAME:SCALE`; raises NotFound, and Invalid for a scale that is no number."""
    name, colon, scale = text.rpartition(":")
    if not colon:
        name, scale = text, "1"
    try:
        factor = float(scale)
    except ValueError as error:
        raise Invalid(f"--adapter {text}: the scale after the colon is no number") from error
    if not -_LARGEST_SCALE <= factor <= _LARGEST_SCALE:
        raise Invalid(f"--adapter {text}: a scale lies between -{_LARGEST_SCALE:g} and {_LARGEST_SCALE:g}")
    found = opener.find(name, ADAPTER)
    return Adapter(found.facts.name, found.facts.manifest, found.folder, factor)


def _emitting(answer: Answer, watch: Watch) -> Iterator[Chunk]:
    """Pass chunks on, handing their text to the caller at once."""
    call = current()
    for chunk in answer:
        piece = chunk.data if isinstance(chunk.data, Piece) else None
        # While a long prompt is read, pieces without a token say that it goes on.
        if piece is not None and piece.tokens:
            watch.answered()
        if piece is not None and piece.text:
            call.emit(piece.text)
        else:
            call.check()
        yield chunk
