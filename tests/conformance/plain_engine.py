"""A second engine, unlike the first in every way: no library, no weights, no threads. It passes the same suite.

Its vectors count letters, its text repeats the prompt's words. Tests of the service use it where torch is only slow.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy

from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.engines.base import (
    Chunk,
    Device,
    Fit,
    Loadable,
    Machine,
    ModelFacts,
    Plan,
    Request,
    RequestId,
    Session,
)
from ipfs_accel_cli.engines.chatting import check_room
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.exchange.text import (
    EmbedOptions,
    GenerateOptions,
    Messages,
    Piece,
    Prompt,
    Texts,
    Vectors,
)
from ipfs_accel_cli.engines.text import StopStrings

DIMENSIONS, CONTEXT, SIZE_BYTES = 26, 500, 1000


def plain_model(folder: Path, name: str = "letters", *, step_ms: float = 0, size_bytes: int = SIZE_BYTES) -> Loadable:
    """Write a model of this engine: how long each of its steps takes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "letters.txt").write_text(f"{step_ms}")
    facts = ModelFacts(
        name, f"manifest-of-{name}", ("Letters",), "letters", ("embed", "generate"), weight_bytes=size_bytes
    )
    return Loadable(facts, folder)


class PlainEngine:
    """Runs models of type `letters`."""

    name = "plain"

    def devices(self) -> tuple[Device, ...]:
        return (Device("cpu"),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        if model.model_type != "letters":
            return Fit(0, 0, f"no architecture {model.model_type}", supported=False)
        if model.weight_bytes > machine.memory_available_bytes:
            return Fit(0, model.weight_bytes, "too large")
        return Fit(0.5, model.weight_bytes, "counting letters takes little")

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        choose_device(plan.device, self.devices())
        if not (files / "letters.txt").exists():
            raise MalformedContent(f"{model.name} has no letters.txt")
        return PlainSession(plan.task, float((files / "letters.txt").read_text()) / 1000)


class PlainSession:
    """One request is one list of pending texts or words."""

    def __init__(self, task: str, step_s: float) -> None:
        self._task, self._step_s = task, step_s
        self._texts: dict[RequestId, tuple[list[tuple[int, str]], int]] = {}
        self._words: dict[RequestId, tuple[list[str], int, GenerateOptions, random.Random, StopStrings, int]] = {}

    def submit(self, request: Request) -> None:
        if {"chat": "generate"}.get(request.kind, request.kind) != self._task:
            raise Invalid(f"loaded for {self._task}, not for {request.kind}")
        if isinstance(request.payload, Texts) and isinstance(request.options, EmbedOptions):
            self._texts[request.id] = (list(enumerate(request.payload.texts)), request.options.batch)
        if isinstance(request.payload, Prompt | Messages) and isinstance(request.options, GenerateOptions):
            words, options = spoken(request.payload).split(), request.options
            check_room(len(words), options.max_tokens, CONTEXT, "letters")
            state = (words, len(words), options, random.Random(options.seed), StopStrings(options.stop), 0)
            self._words[request.id] = state

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        if self._texts or self._words:
            time.sleep(self._step_s)
        return [*self._embedded(), *self._generated()]

    def abort(self, request: RequestId) -> None:
        self._texts.pop(request, None)
        self._words.pop(request, None)

    def close(self) -> None:
        self._texts.clear()
        self._words.clear()

    def _embedded(self) -> list[tuple[RequestId, Chunk]]:
        done = []
        for request, (texts, batch) in list(self._texts.items()):
            now, later = texts[:batch], texts[batch:]
            rows = numpy.array([letters(text) for _, text in now], dtype=numpy.float32)
            done.append((request, Chunk(Vectors(tuple(at for at, _ in now), rows, "letters"), finished=not later)))
            if later:
                self._texts[request] = (later, batch)
            else:
                del self._texts[request]
        return done

    def _generated(self) -> list[tuple[RequestId, Chunk]]:
        done = []
        for request, (words, prompt, options, chance, stops, count) in list(self._words.items()):
            word = chance.choice(words) if options.temperature else words[count % prompt]
            text, stopped = stops.feed(f" {word}")
            full = count + 1 >= options.max_tokens
            if full and not stopped:
                text += stops.flush()
            reason = "stop" if stopped else "length" if full else None
            done.append((request, Chunk(Piece(text, count + 1, prompt, reason), finished=reason is not None)))
            self._words[request] = (words, prompt, options, chance, stops, count + 1)
            if reason is not None:
                del self._words[request]
        return done


def spoken(payload: Prompt | Messages) -> str:
    """Return a prompt, or all that was said, who said it in front."""
    if isinstance(payload, Prompt):
        return payload.text
    return " ".join(f"{one.role}: {one.content}" for one in payload.messages)


def letters(text: str) -> list[float]:
    """Return how often each letter comes, as parts of a third so that float32 rounds."""
    return [text.lower().count(chr(97 + at)) / 3 for at in range(DIMENSIONS)]


def engines(**others: str) -> Registry:
    """Return a registry of this engine and others, as `module:attribute`."""
    plugins = {name: Plugin(reference) for name, reference in others.items()}
    return Registry("engines", {"plain": Plugin(f"{__name__}:PlainEngine"), **plugins})
