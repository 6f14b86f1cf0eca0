"""One text after the other out of a model that is held: what `generate`, `chat` and prompt tests have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.deadline import within
from ipfs_accel_cli.engines.base import Chunk, Loadable, Request
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Prompt
from ipfs_accel_cli.engines.schemas import value_of
from ipfs_accel_cli.services.infer.opening import Opened, Opener, cid_of
from ipfs_accel_cli.services.infer.results import AdapterUsed, Generation
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.services.infer.texts import read_prompt
from ipfs_accel_cli.services.infer.worker import Answer
from ipfs_accel_cli.services.infer.writing.adapting import adapter_of
from ipfs_accel_cli.services.infer.writing.shots import choose
from ipfs_accel_cli.services.infer.writing.templating import Filled, filled
from ipfs_accel_cli.services.infer.writing.wish import Wish, whole
from ipfs_accel_cli.tasks import TASKS

# Gives the text and the CID of a kept prompt template by its name.
Templates = Callable[[str], tuple[str, str]]
LOADED_FOR = "generate"


@dataclass(frozen=True, slots=True)
class Writing:
    """A model that is held, ready to write."""

    opener: Opener
    opened: Opened
    watch: Watch

    def write(
        self, request: Request, *, stats: bool = False, sink: Callable[[str], None] | None = None
    ) -> dict[str, Any]:
        """Write one text, which the caller gets as it comes, and `sink` too; return the fields of a `Generation`.

        With a schema the whole text is checked again at the end: raises LimitReached where it was cut before.
        """
        warm, options = self.opened.warm, request.options
        assert isinstance(options, GenerateOptions)
        task = TASKS.load(request.kind)()
        # Loading is part of what the first text took, and of no other.
        watch, self.watch.load_s = Watch(self.watch.load_s), 0.0
        with closing(warm.worker.ask(request)) as answer:
            piece: Piece = task.collect(_emitting(answer, watch, sink))
        took = watch.of_tokens(piece, warm.plan, warm.worker.about.get("concurrency")) if stats else None
        if took is not None and piece.tokens > 1:
            shape = (piece.prompt_tokens + piece.tokens, 1)
            self.opener.keep(self.opened, took.tokens_s, "tokens/s", shape)
        if options.schema:
            whole(piece.finish_reason, piece.tokens, piece.text)
        facts = self.opened.model.facts
        return {
            "text": piece.text,
            "tokens": piece.tokens,
            "prompt_tokens": piece.prompt_tokens,
            "finish_reason": piece.finish_reason or "stop",
            "model": facts.name,
            "model_cid": cid_of(facts.manifest),
            "adapters": [AdapterUsed(name=one.name, cid=one.manifest, scale=one.scale) for one in warm.plan.adapters],
            "engine": warm.key.engine,
            "device": warm.key.device,
            "seed": options.seed if options.temperature > 0 else None,
            "stats": took,
            "value": value_of(piece.text, options.schema) if options.schema else None,
        }


class Writer:
    """Continues prompts with registered models. Safe to share between threads."""

    def __init__(self, opener: Opener, templates: Templates) -> None:
        self.opener, self._templates = opener, templates

    def find(self, wish: Wish, task: str = LOADED_FOR) -> Loadable:
        """Return the model that is to write, by default one that does a task; raises as `Opener.find`."""
        return self.opener.find(wish.model, LOADED_FOR if wish.model is not None else task)

    @contextmanager
    def open(self, model: Loadable, wish: Wish) -> Iterator[Writing]:
        """Hold the model for the block; raises what choosing and loading raise."""
        watch = Watch()
        adapters = tuple(adapter_of(self.opener, text) for text in wish.adapters)
        with self.opener.open(
            model, LOADED_FOR, wish.engine, wish.device, watch, adapters=adapters, compiled=wish.compiled
        ) as opened:
            yield Writing(self.opener, opened, watch)

    def input(self, given: str | None, wish: Wish) -> Filled:
        """Return what the caller wants written about: the text given or sent, in the template that a wish names.

        Raises Invalid where there is none, and as reading, choosing examples and filling in raise.
        """
        call = current()
        if wish.prompt_name is None:
            text = read_prompt(given, call)
            return Filled(text, chosen=choose(wish, text, self.opener, call))
        template, cid = self._templates(wish.prompt_name)
        return filled(template, cid, given, wish, self.opener, call)

    def generate(self, prompt: str | None, wish: Wish) -> Generation:
        """Continue a prompt, else the caller's whole input, and hand the text to the caller as it comes.

        With a temperature of 0 the likeliest token is taken each time. Raises Invalid for options that make no sense
        and for a prompt that leaves no room, and whatever finding, choosing and loading a model raises.
        """
        options = wish.options(current())
        task = TASKS.load("generate")()
        task.prepare(Prompt(""), options)
        model = self.find(wish)
        given = self.input(prompt, wish)
        request = task.prepare(Prompt(given.as_prompt()), options)
        with within(wish.timeout), self.open(model, wish) as writing:
            return Generation(
                **writing.write(request, stats=wish.stats), examples=given.chosen.shown(), prompt_cid=given.cid
            )


def _emitting(answer: Answer, watch: Watch, sink: Callable[[str], None] | None) -> Iterator[Chunk]:
    """Pass chunks on, handing their text to the caller at once."""
    call = current()
    for chunk in answer:
        # While a long prompt is read, pieces without a token say that it goes on.
        if isinstance(chunk.data, Piece) and chunk.data.tokens:
            watch.answered()
        if isinstance(chunk.data, Piece) and chunk.data.text:
            if sink is not None:
                sink(chunk.data.text)
            call.emit(chunk.data.text)
        else:
            call.check()
        yield chunk
