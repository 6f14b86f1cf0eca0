"""The service behind `infer bench`."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from ipfs_accel_cli.core import figures
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError, HomeUnusable, Invalid, Regressed, UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, Session
from ipfs_accel_cli.engines.exchange.text import ScoreOptions, Texts
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.infer.audio.measured import beginning
from ipfs_accel_cli.services.infer.bench import comparing, limits, running
from ipfs_accel_cli.services.infer.bench.kept import Kept
from ipfs_accel_cli.services.infer.bench.limits import Limits
from ipfs_accel_cli.services.infer.bench.perceiving import PERCEIVED, SEEING, perceive
from ipfs_accel_cli.services.infer.bench.results import InferCompared, InferRun, InferRuns, Test
from ipfs_accel_cli.services.infer.bench.running import Ran
from ipfs_accel_cli.services.infer.bench.wanted import Shape, Wanted, checked
from ipfs_accel_cli.services.infer.calibrating import versions
from ipfs_accel_cli.services.infer.choice import AUTO, Choice
from ipfs_accel_cli.services.infer.choice import Wanted as Engine
from ipfs_accel_cli.services.infer.driving import chunks_of
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.peak import peak_bytes
from ipfs_accel_cli.services.infer.samples import SAMPLES
from ipfs_accel_cli.tasks import TASKS

ALL = "all"
MEASURED = ("generate", "embed", "classify", *PERCEIVED)


class InferBenches:
    """Measures models and keeps what it found, in the home of `database`."""

    def __init__(self, opener: Opener, database: Database, known: Limits) -> None:
        self._opener, self._limits = opener, known
        self._kept = Kept(database)

    def run(
        self,
        models: Sequence[str | None],
        wanted: Wanted,
        *,
        task: str | None = None,
        engines: Sequence[str] = (),
        device: str | None = None,
        threads: int | None = None,
    ) -> InferRun:
        """Measure each model on each engine, and keep the run; without engines that which `auto` takes, `all` of them.

        An engine that fails on one shape is told with the reason. Raises Invalid for what cannot be measured and what
        finding a model raises.
        """
        checked(wanted)
        before, started, start = figures.load(), datetime.now(UTC), time.perf_counter()
        tests: list[Test] = []
        for name in models or [None]:
            model = self._opener.find(name, task or MEASURED[0]) if name is None or task else self._opener.named(name)
            chosen = _task_of(model, task)
            asked = self._opener.loader.wanted(chosen, None, device)
            asked = replace(asked, threads=threads or asked.threads)
            names = self._opener.loader.able(model, replace(asked, engine=AUTO)) if ALL in engines else engines
            for engine in names or [asked.engine]:
                tests += self._tests(model, replace(asked, engine=engine), wanted)
        tests = [test.model_copy(update={"figures": figures.judged(test.figures, before)}) for test in tests]
        run = InferRun(
            id=started.strftime("%Y%m%dT%H%M%S") + f"-{secrets.token_hex(3)}",
            machine_id=machine_id(),
            version=version("ipfs-accel"),
            versions=versions(),
            started_at=started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - start, 3),
            before=before,
            after=figures.load(),
            tests=tests,
        )
        # A home that is only read keeps nothing; what was measured is shown all the same.
        with suppress(HomeUnusable):
            self._kept.add(run)
        return run

    def ls(self, limit: int | None = 50) -> InferRuns:
        """List the runs that were kept, the newest first; None is no limit."""
        return InferRuns(runs=self._kept.rows(limit))

    def show(self, name: str) -> InferRun:
        """Return a run by its id, `latest`, `previous` or a FILE.json; raises NotFound and Invalid."""
        return self._kept.find(name, machine_id())

    def compare(self, before: str, after: str) -> InferCompared:
        """Compare two runs; raises Regressed, with all of it in `context.compared`, for what is worse beyond the noise.

        Raises Invalid where they have no figure in common.
        """
        found = comparing.compare(self.show(before), self.show(after))
        if found.regressions:
            raise Regressed(
                comparing.told(found) + "; measure again to see whether it stays so",
                suggestion="ipfs-accel infer bench ls",
                compared=found.model_dump(mode="json"),
            )
        return found

    def _tests(self, model: Loadable, asked: Engine, wanted: Wanted) -> list[Test]:
        sound = wanted.sound if asked.task in PERCEIVED else None
        with self._opener.loader.alone(model, asked) as (session, choice):
            quality = self._quality(model, asked, choice) if wanted.quality else (None, "not asked for")
            current().progress(0, None, f"measuring {model.facts.name} on {choice.engine.name}")
            measure = self._perceived if asked.task in PERCEIVED else self._texts
            tests = list(measure(session, model, asked, choice, wanted))
        peak = peak_bytes(model, choice.engine.name, choice.plan, sound) if wanted.memory else None
        about = {"peak_memory_bytes": peak, "quality_value": quality[0], "quality_measure": quality[1]}
        return [test.model_copy(update=about) for test in tests]

    def _texts(
        self, session: Session, model: Loadable, asked: Engine, choice: Choice, wanted: Wanted
    ) -> Iterator[Test]:
        for shape in wanted.writing() if asked.task == "generate" else wanted.reading():
            yield self._test(session, model, asked, choice, shape, wanted)

    def _perceived(
        self, session: Session, model: Loadable, asked: Engine, choice: Choice, wanted: Wanted
    ) -> Iterator[Test]:
        """Measure a model that sees, hears or speaks."""
        sound = beginning(wanted.sound)
        for batch in wanted.batches if asked.task in SEEING else (1,):
            name, seen = perceive(session, asked.task, batch, sound, wanted.repetitions, warm_up=wanted.warm_up)
            about = _about(model, asked.task, choice) | {"test": name, "n_batch": batch, "n_prompt": 0}
            yield Test(**about, repetitions=wanted.repetitions, figures=seen)

    def _test(
        self, session: Session, model: Loadable, asked: Engine, choice: Choice, shape: Shape, wanted: Wanted
    ) -> Test:
        writes, plan = asked.task == "generate", choice.plan
        about = _about(model, asked.task, choice)
        about |= {"test": shape.name if writes else shape.of_texts, "n_batch": shape.batch}
        unit = "tokens/s" if writes else "texts/s"
        try:
            if writes:
                ran = running.write(session, shape, wanted.repetitions, warm_up=wanted.warm_up)
            else:
                ran = running.read(session, asked.task, shape, wanted.repetitions, warm_up=wanted.warm_up)
        except AccelError as error:
            if not isinstance(error, Invalid | UnsupportedContent) and error.exit_code not in (2, 4, 8):
                raise
            lost = [figures.absent("rate", unit, error.detail)]
            return Test(**about, n_prompt=shape.prompt, figures=lost, reason=error.detail)
        share, of = self._roofline(model, plan.device, plan.dtype, shape, ran, writes=writes)
        return Test(
            **about,
            n_prompt=ran.prompt,
            n_gen=ran.new,
            repetitions=wanted.repetitions,
            figures=ran.figures(unit),
            roofline_share=share,
            roofline_of=of,
        )

    def _roofline(
        self, model: Loadable, device: str, dtype: str, shape: Shape, ran: Ran, *, writes: bool
    ) -> tuple[float | None, str]:
        if shape.prompt and shape.new:
            return None, "a prompt and new tokens have limits of their own"
        rate = figures.middle(ran.rates)[0]
        if writes and shape.new:
            lying = limits.lying_in(model.facts.dtype, dtype)
            return limits.writing(self._limits, model.folder, device, lying, rate, shape.batch)
        tokens_s = rate if writes else rate * ran.prompt
        return limits.reading(self._limits, model.folder, device, dtype, tokens_s)

    def _quality(self, model: Loadable, asked: Engine, choice: Choice) -> tuple[float | None, str]:
        """Return how good the answers are, or why that is not known."""
        if asked.task != "generate":
            found = self._opener.loader.agreement(model.facts.manifest, asked.task, choice.engine.name)
            if found is None:
                return None, "engines were not compared: ipfs-accel infer calibrate"
            return found, "agreement with the first engine"
        try:
            with self._opener.loader.alone(model, replace(asked, task="score", engine=choice.engine.name)) as (one, _):
                return _perplexity(one), f"perplexity on {len(SAMPLES)} texts of ours"
        except AccelError as error:
            return None, error.detail


def _about(model: Loadable, task: str, choice: Choice) -> dict[str, Any]:
    plan = choice.plan
    return {
        **{"model": model.facts.name, "model_cid": model.facts.manifest, "task": task},
        **{"engine": choice.engine.name, "device": plan.device, "dtype": plan.dtype, "threads": plan.threads},
    }


def _perplexity(session: Session) -> float | None:
    task = TASKS.load("score")()
    found = task.collect(chunks_of(session, task.prepare(Texts(SAMPLES), ScoreOptions())))
    nats = sum(found.nats) / max(1, sum(found.tokens))
    return math.exp(nats) if nats < 700 else None


def _task_of(model: Loadable, task: str | None) -> str:
    known = task or next((one for one in MEASURED if one in model.facts.tasks), None)
    if known not in MEASURED:
        can = ", ".join(model.facts.tasks) or "nothing that is known"
        raise Invalid(f"{', '.join(MEASURED)} are measured; {model.facts.name} can {can}")
    return known
