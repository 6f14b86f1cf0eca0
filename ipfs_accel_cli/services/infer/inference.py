"""The inference service: finds the model, chooses the engine, and streams what comes of it."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.registry import Registry
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.exchange.audio import Waveform
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.infer.asking import Asking
from ipfs_accel_cli.services.infer.calibrating import Calibrations
from ipfs_accel_cli.services.infer.classifying import labelled
from ipfs_accel_cli.services.infer.embedding import Query, in_order, ranked
from ipfs_accel_cli.services.infer.loader import Loader, SettingsLike
from ipfs_accel_cli.services.infer.making import Derived
from ipfs_accel_cli.services.infer.opening import Find, Note, Opener, Others, cid_of
from ipfs_accel_cli.services.infer.quantizing import Workshop
from ipfs_accel_cli.services.infer.questions import MEASURED_TASKS
from ipfs_accel_cli.services.infer.remembering import Remembered
from ipfs_accel_cli.services.infer.results import (
    CalibrationShown,
    Classification,
    Embedding,
    Generation,
    LoadedModel,
    LoadedModels,
)
from ipfs_accel_cli.services.infer.rooms import Rooms
from ipfs_accel_cli.services.infer.runtime import Warm
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.services.infer.text_run import TextRun
from ipfs_accel_cli.services.infer.texts import open_texts, windows
from ipfs_accel_cli.services.infer.timing import TIMED_TASKS
from ipfs_accel_cli.tasks import TASKS

if TYPE_CHECKING:
    from ipfs_accel_cli.core.database import Database
    from ipfs_accel_cli.services.infer.bench.limits import Limits
    from ipfs_accel_cli.services.infer.prompts.service import Content

BATCH = 32
log = logging.getLogger("ipfs_accel_cli")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What every task that takes texts is asked with."""

    texts: Sequence[str]
    file: Path | None
    model: str | None
    batch: int | None
    engine: str | None
    device: str | None
    stats: bool


class Inference(Rooms):
    """Runs registered models. Models stay warm between calls of one process; safe to share between threads.

    `find(name or None, task)` returns the files of a model, or of the default model for the task; it raises NotFound
    with the command that fetches one. `derived` keeps what engines make of models, `calibrations` how fast they are;
    without them those engines are not used and nothing is measured. `tuned` gives what suits this machine, `note` keeps
    what a run with statistics took, and `others` names the models for a task, for when one does not fit. `home` is
    where prompt templates, endpoints and benchmarks are kept, `limits` what the machine could do at best, `mark`
    tells which models have which names.
    """

    def __init__(
        self,
        settings: SettingsLike,
        find: Find,
        engines: Registry = ENGINES,
        derived: Derived | None = None,
        calibrations: Calibrations | None = None,
        tuned: Callable[[str], str | None] = lambda _name: None,
        note: Note = lambda _folder, _pace: None,
        others: Others = lambda _task: (),
        home: tuple[Database, Content, Path] | None = None,
        limits: Limits | None = None,
        mark: Callable[[], str] = lambda: "",
    ) -> None:
        self._loader = Loader(settings, engines, derived, calibrations, tuned)
        remembered = Remembered(find, home[0].stamp) if home else find
        super().__init__(Opener(remembered, self._loader, note, others, self._elsewhere), home, limits, mark)
        self._runtime = self._loader.runtime
        # A process that just ends must not kill a thread in the middle of a matrix product.
        weakref.finalize(self, self._runtime.close)

    @property
    def workshop(self) -> Workshop:
        """What quantises models, with the engines of this service."""
        return Workshop(self._loader)

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
        near = None if query is None else Query(query, top, vectors)
        answers = in_order if near is None else partial(ranked, query=near)
        asked = _Asked(texts, file, model, batch, engine, device, stats)
        return Stream(self._texts("embed", asked, "texts embedded", answers))

    def classify(
        self,
        texts: Sequence[str] = (),
        *,
        file: Path | None = None,
        model: str | None = None,
        top: int | None = None,
        batch: int | None = None,
        engine: str | None = None,
        device: str | None = None,
        stats: bool = False,
    ) -> Stream[Classification]:
        """Give each text the labels of a classifier, in constant memory; texts come from where `embed` takes them.

        Raises Invalid for missing or unreadable texts and whatever finding, choosing and loading a model raises.
        """
        if top is not None and top < 1:
            raise Invalid("--top needs a number of at least 1")
        asked = _Asked(texts, file, model, batch, engine, device, stats)
        return Stream(self._texts("classify", asked, "texts classified", partial(labelled, top=top)))

    def calibrate(
        self,
        model: str | None = None,
        task: str | None = None,
        min_quality: float | None = None,
        sound: Path | None = None,
    ) -> CalibrationShown:
        """Compare the engines for a model on this machine; `auto` takes the fastest that agrees well enough.

        A model that hears is compared on the first 30 s of `sound`. Raises Invalid for a task that is not compared,
        what reading the sound raises, and what the engine that fits best raises.
        """
        known = self.opener.named(model).facts.tasks if model and not task else ()
        chosen = task or next((name for name in MEASURED_TASKS if name in known), "embed")
        loadable = self.opener.find(model, chosen)
        found = self._loader.calibrate(loadable, chosen, min_quality, _sound(sound))
        return CalibrationShown(
            model=loadable.facts.name,
            model_cid=loadable.facts.manifest,
            task=chosen,
            engine=found.engine,
            machine=machine_id(),
            measured_at=found.measured_at,
            trials=list(found.trials),
        )

    def timed(self, model: str, dtype: str, threads: int) -> AbstractContextManager[tuple[int, Callable[[], None]]]:
        """Load a model for the block as asked, beside those that are warm; give what runs so many texts through it.

        Raises what finding, choosing and loading a model raises, and Invalid for one that reads no texts.
        """
        return self._loader.timed(self.opener.find(model, next(iter(TIMED_TASKS))), dtype, threads)

    def generate(self, prompt: str | None = None, **wish: Any) -> Generation:
        """Continue a prompt, else the caller's whole input, and hand the text to the caller as it comes.

        The fields of `writing.wish.Wish` say with which model and how. Raises as `Writer.generate`.
        """
        from ipfs_accel_cli.services.infer.writing.wish import Wish

        return self.writer.generate(prompt, Wish(**wish))

    @contextmanager
    def asking(self, model: str, task: str, engine: str | None = None, device: str | None = None) -> Iterator[Asking]:
        """Hold a model, loaded for a task, for the block; raises whatever finding, choosing and loading raises."""
        with self.opener.open(self.opener.find(model, task), task, engine, device) as opened:
            yield Asking(opened.warm)

    def loaded(self) -> LoadedModels:
        """Return what is warm in this process."""
        return LoadedModels(models=[_loaded(warm) for warm in self._runtime.loaded()])

    def close(self) -> None:
        """Let go of all warm models; a later call loads them again."""
        self._runtime.close()

    def _texts(
        self, name: str, asked: _Asked, done: str, answers: Callable[[TextRun[Any], Iterable[list[str]]], Iterator[T]]
    ) -> Iterator[T]:
        """Check what was asked at once, and return the answers, which come as they are read."""
        source = open_texts(asked.texts, asked.file, current())
        options = EmbedOptions(BATCH if asked.batch is None else asked.batch)
        task = TASKS.load(name)()
        task.prepare(Texts(("",)), options)
        loadable = self.opener.find(asked.model, name)

        def answered() -> Iterator[T]:
            watch, parts = Watch(), windows(source, options.batch)
            # Reading a little before loading finds unreadable input at once.
            first = next(parts, None)
            if first is None:
                return
            with self.opener.open(loadable, name, asked.engine, asked.device, watch) as opened:
                warm = opened.warm
                agreement = self._loader.fidelity(loadable, warm.key)
                run: TextRun[Any] = TextRun(warm.worker, task, options, watch, done, warm.key.engine, agreement)
                yield from answers(run, chain([first], parts))
                if run.truncated:
                    log.warning("%d texts are longer than the model reads; their ends were left out", run.truncated)
                if asked.stats:
                    agrees = "" if agreement is None else f" (agreement {agreement:.4f})"
                    figures = watch.of_texts(run.count, run.busy_s, warm.plan)
                    log.info("%s, engine %s%s", figures, warm.key.engine, agrees)
                    shape = (round(run.tokens / run.count), min(options.batch, run.count))
                    self.opener.keep(opened, run.count / max(1e-9, run.busy_s), "texts/s", shape)

        return answered()


def _sound(file: Path | None) -> Waveform | None:
    if file is None:
        return None
    from ipfs_accel_cli.services.infer.audio.measured import beginning

    return beginning(file)


def _loaded(warm: Warm) -> LoadedModel:
    key, used = warm.key, warm.users > 0
    about = {"model": warm.name, "model_cid": cid_of(key.manifest) or warm.name, "task": key.task, "engine": key.engine}
    return LoadedModel(**about, device=key.device, size_bytes=warm.size_bytes, in_use=used)
