"""The inference service: finds the model, chooses the engine, and streams what comes of it."""

from __future__ import annotations

import logging
import secrets
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.registry import Registry
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import (
    Chunk,
    Device,
    EmbedOptions,
    GenerateOptions,
    Loadable,
    Machine,
    ModelFacts,
    Piece,
    Prompt,
    Texts,
)
from ipfs_accel_cli.engines.machine import available_bytes, measure
from ipfs_accel_cli.services.infer.choice import Choice, Wanted, choose
from ipfs_accel_cli.services.infer.embedding import EmbedRun, EmbedTask, Query
from ipfs_accel_cli.services.infer.results import Embedding, Generation, LoadedModel, LoadedModels
from ipfs_accel_cli.services.infer.runtime import Key, Runtime, Warm
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.services.infer.texts import open_texts, read_prompt, windows
from ipfs_accel_cli.services.infer.worker import Answer
from ipfs_accel_cli.tasks import TASKS
from ipfs_accel_cli.tasks.base import Task

BATCH = 32
_LARGEST_CHOSEN_SEED = 1 << 31

log = logging.getLogger("ipfs_accel_cli")


class SettingsLike(Protocol):
    """Where settings come from."""

    def get(self, name: str, /) -> Any: ...


class Inference:
    """Runs registered models. Models stay warm between calls of one process; safe to share between threads.

    `find(name or None, task)` returns the files of a model, or of the default model for the task; it raises NotFound
    with the command that fetches one.
    """

    def __init__(
        self, settings: SettingsLike, find: Callable[[str | None, str], Loadable], engines: Registry = ENGINES
    ) -> None:
        self._settings, self._find, self._engines = settings, find, engines
        self._runtime = Runtime(partial(_bound_bytes, settings))
        self._choices: dict[tuple[str, Wanted], Choice] = {}
        # A process that just ends must not kill a thread in the middle of a matrix product.
        weakref.finalize(self, self._runtime.close)

    def embed(
        self,
        texts: Sequence[str] = (),
        *,
        file: Path | None = None,
        query: str | None = None,
        model: str | None = None,
        vectors: bool = False,
        top: int | None = None,
        batch: int | None = None,
        engine: str | None = None,
        device: str | None = None,
        stats: bool = False,
    ) -> Stream[Embedding]:
        """Turn texts into vectors, or rank them by nearness to a query.

        Texts come from the arguments, else from the lines of `file`, else from the caller's input. Without a query
        they stream in constant memory. Raises Invalid for missing or unreadable texts and whatever finding, choosing
        and loading a model raises.
        """
        if top is not None and (query is None or top < 1):
            raise Invalid("--top needs a --query, and a number of at least 1")
        source = open_texts(texts, file, current())
        options = EmbedOptions(BATCH if batch is None else batch)
        task: EmbedTask = TASKS.load("embed")()
        task.prepare(Texts(("",)), options)
        loadable = self._find(model, task.name)
        wanted = self._wanted(task.name, engine, device)
        ranked = None if query is None else Query(query, top, vectors)
        return Stream(self._embed(loadable, wanted, task, source, options, ranked, stats))

    def generate(
        self,
        prompt: str | None = None,
        *,
        model: str | None = None,
        max_tokens: int = 128,
        temperature: float = 0.0,
        top_p: float = 1.0,
        top_k: int = 0,
        seed: int | None = None,
        stop: Sequence[str] = (),
        engine: str | None = None,
        device: str | None = None,
        stats: bool = False,
    ) -> Generation:
        """Continue a prompt, from the argument or the caller's input; the text is emitted as it comes.

        With a temperature of 0 the likeliest token is taken each time. Raises Invalid for options that make no sense
        and for a prompt that leaves no room, and whatever finding, choosing and loading a model raises.
        """
        if seed is None:
            seed = secrets.randbelow(_LARGEST_CHOSEN_SEED) if temperature > 0 else 0
        task: Task[Prompt, GenerateOptions, Piece] = TASKS.load("generate")()
        options = GenerateOptions(max_tokens, temperature, top_k, top_p, seed, tuple(stop))
        request = task.prepare(Prompt(read_prompt(prompt, current())), options)
        loadable, watch = self._find(model, task.name), Watch()
        with self._leased(loadable.facts, loadable.folder, self._wanted(task.name, engine, device), watch) as warm:
            with closing(warm.worker.ask(request)) as answer:
                piece = task.collect(_emitting(answer, watch))
            return Generation(
                text=piece.text,
                tokens=piece.tokens,
                prompt_tokens=piece.prompt_tokens,
                finish_reason=piece.finish_reason or "stop",
                model=loadable.facts.name,
                model_cid=loadable.facts.manifest,
                engine=warm.key.engine,
                device=warm.key.device,
                seed=seed if temperature > 0 else None,
                stats=watch.of_tokens(piece, warm.plan) if stats else None,
            )

    def loaded(self) -> LoadedModels:
        """Return what is warm in this process."""
        return LoadedModels(
            models=[
                LoadedModel(
                    model=warm.name,
                    model_cid=warm.key.manifest,
                    task=warm.key.task,
                    engine=warm.key.engine,
                    device=warm.key.device,
                    size_bytes=warm.size_bytes,
                    in_use=warm.users > 0,
                )
                for warm in self._runtime.loaded()
            ]
        )

    def close(self) -> None:
        """Let go of all warm models; a later call loads them again."""
        self._runtime.close()

    def _embed(
        self,
        loadable: Loadable,
        wanted: Wanted,
        task: EmbedTask,
        source: Iterator[str],
        options: EmbedOptions,
        query: Query | None,
        stats: bool,
    ) -> Iterator[Embedding]:
        watch, parts = Watch(), windows(source, options.batch)
        # Reading a little before loading finds unreadable input at once.
        first = next(parts, None)
        if first is None:
            return
        with self._leased(loadable.facts, loadable.folder, wanted, watch) as warm:
            run = EmbedRun(warm.worker, task, options, watch)
            every = chain([first], parts)
            yield from run.in_order(every) if query is None else run.ranked(every, query)
            if run.truncated:
                log.warning("%d texts are longer than the model reads; their ends were left out", run.truncated)
            if stats:
                log.info("%s", watch.of_texts(run.count, warm.plan))

    @contextmanager
    def _leased(self, facts: ModelFacts, folder: Path, wanted: Wanted, watch: Watch) -> Iterator[Warm]:
        """Hold the model, loaded, for the block."""
        choice = self._choices.get((facts.manifest, wanted))
        fresh = choice is None or not self._runtime.is_warm(_key(facts, choice))
        if choice is None or fresh:
            current().progress(0, None, f"loading {facts.name}")
            choice = self._choices[facts.manifest, wanted] = choose(facts, wanted, self._engines, self._measure)
        load = partial(choice.engine.load, facts, folder, choice.plan)
        needed = choice.fit.needed_bytes
        lease = self._runtime.lease(_key(facts, choice), facts.name, choice.plan, needed, choice.free_bytes, load)
        with lease as warm:
            watch.loaded(fresh=fresh)
            yield warm

    def _wanted(self, task: str, engine: str | None, device: str | None) -> Wanted:
        get = self._settings.get
        return Wanted(
            task, engine or get("infer.engine"), device or get("infer.device"), max(0, int(get("infer.threads")))
        )

    def _measure(self, devices: tuple[Device, ...]) -> Machine:
        """Look at the machine; what idle models hold counts as free, for they would be let go."""
        machine = measure(devices)
        return replace(machine, memory_available_bytes=machine.memory_available_bytes + self._runtime.idle_bytes())


def _bound_bytes(settings: SettingsLike, held_bytes: int) -> int:
    """Return how much warm models may hold: what is set, else half of what would be free without them."""
    return int(settings.get("infer.cache-bytes")) or (available_bytes() + held_bytes) // 2


def _key(facts: ModelFacts, choice: Choice) -> Key:
    return Key(facts.manifest, choice.plan.task, choice.engine.name, choice.plan.device)


def _emitting(answer: Answer, watch: Watch) -> Iterator[Chunk]:
    """Pass chunks on, handing their text to the caller at once."""
    call = current()
    for chunk in answer:
        watch.answered()
        if isinstance(chunk.data, Piece) and chunk.data.text:
            call.emit(chunk.data.text)
        else:
            call.check()
        yield chunk
