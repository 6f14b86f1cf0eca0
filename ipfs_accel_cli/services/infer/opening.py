"""Holding a model, loaded for a task: what every service of inference begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, DoesNotFit, Invalid, NotAuthorised, UnsupportedContent
from ipfs_accel_cli.engines.base import Adapter, Loadable, ModelFacts, Request
from ipfs_accel_cli.services.infer.choice import AUTO, Wanted
from ipfs_accel_cli.services.infer.line import Urgency
from ipfs_accel_cli.services.infer.loader import Loader
from ipfs_accel_cli.services.infer.runtime import Warm
from ipfs_accel_cli.services.infer.stats import Pace, Unit, Watch
from ipfs_accel_cli.tasks.base import Task

# Takes the folder of a model and how fast a run of it was, and keeps it.
Note = Callable[[Path, Pace], None]
Find = Callable[[str | None, str], Loadable]
# Gives what is known of the registered models that can do a task.
Others = Callable[[str], Iterable[ModelFacts]]
T = TypeVar("T")
# Names of models that run elsewhere begin so, and this engine asks for them.
REMOTE_PREFIX, REMOTE = "endpoint:", "remote"
# Who may only look here may not send anything elsewhere with the owner's key.
_SENDS = "infer:write"
# What a model is loaded for, beside what its files say that it can do: any network with a tokenizer gives vectors.
_ALSO = {
    "score": frozenset({"generate"}),
    "embed": frozenset({"classify", "generate", "fill-mask", "token-classify"}),
    "image-embed": frozenset({"image-classify"}),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that is held, loaded for a task."""

    model: Loadable
    warm: Warm

    def answer(self, task: Task[Any, Any, T], request: Request, urgency: Urgency = Urgency.NORMAL) -> T:
        """Ask, wait for the whole answer and return it; raises what the session raises, and Cancelled."""
        with closing(self.warm.worker.ask(request, urgency)) as chunks:
            return task.collect(chunks)


class Opener:
    """Finds models, chooses engines and loads. Safe to share between threads."""

    def __init__(
        self,
        find: Find,
        loader: Loader,
        note: Note,
        others: Others = lambda _task: (),
        elsewhere: Callable[[str, str], Loadable] | None = None,
    ) -> None:
        self._find, self._note, self._others, self.loader = find, note, others, loader
        self._elsewhere = elsewhere

    def find(self, name: str | None, task: str) -> Loadable:
        """Return the model of a name, or the default one for a task.

        Raises NotFound with the command that fetches one, and UnsupportedContent for a model of other tasks.
        """
        remote = name is not None and name.startswith(REMOTE_PREFIX)
        caller = current().principal
        if remote and not caller.may(_SENDS):
            raise NotAuthorised(
                f"{caller.name} may not use endpoints: what is asked leaves this machine, at the owner's cost",
                suggestion="ipfs-accel serve-mcp --toolsets all",
                permission=_SENDS,
            )
        found = self._elsewhere(name, task) if name and remote and self._elsewhere else self._find(name, task)
        known = set(found.facts.tasks)
        if known and task not in known and not known & _ALSO.get(task, frozenset()):
            raise UnsupportedContent(
                f"{found.facts.name} cannot {task}: it can {', '.join(found.facts.tasks)}",
                suggestion=f"ipfs-accel model ls --filter task={task}",
                tasks=list(found.facts.tasks),
            )
        return found

    def named(self, name: str) -> Loadable:
        """Return the model of a name, whatever it can do; raises NotFound."""
        return self._find(name, "")

    def check(self, model: Loadable, task: str) -> None:
        """Raise what choosing an engine for a model raises, before anything is loaded."""
        if not model.facts.name.startswith(REMOTE_PREFIX):
            self.loader.runnable(model, self.loader.wanted(task, None, None))

    @contextmanager
    def open(
        self,
        model: Loadable,
        task: str,
        engine: str | None,
        device: str | None,
        watch: Watch | None = None,
        *,
        adapters: tuple[Adapter, ...] = (),
        compiled: bool = False,
        tokens: int = 0,
    ) -> Iterator[Opened]:
        """Hold a model, loaded for a task, for the block; raises what choosing, making and loading raise.

        `tokens` is how many will be asked for at most, 0 where nobody knows.
        DoesNotFit says which other models for the task would fit.
        """
        if model.facts.name.startswith(REMOTE_PREFIX):
            if engine not in (None, AUTO, REMOTE):
                raise Invalid(f"{model.facts.name} runs elsewhere, so the engine {engine} cannot run it")
            engine, device = REMOTE, device or AUTO
        wanted = self.loader.wanted(task, engine, device, adapters=adapters, compiled=compiled)
        try:
            with self.loader.leased(model, wanted, watch or Watch(), tokens) as warm:
                yield Opened(model, warm)
        except DoesNotFit as error:
            raise self._with_what_fits(error, model, wanted) from error

    def _with_what_fits(self, error: DoesNotFit, model: Loadable, wanted: Wanted) -> DoesNotFit:
        facts = [one for one in self._others(wanted.task) if one.manifest != model.facts.manifest]
        names = self.loader.fitting(facts, replace(wanted, engine=AUTO))
        told = f"; these models would fit: {', '.join(names)}" if names else f"; no other model here can {wanted.task}"
        known = {key: value for key, value in error.context.items() if key != "would_fit"}
        less = error.suggestion if error.context.get("tokens_that_fit") else None
        other = f"ipfs-accel model show {names[0]}" if names else f"ipfs-accel hw recommend --task {wanted.task}"
        return DoesNotFit(error.detail + told, suggestion=less or other, would_fit=names, **known)

    def keep(self, opened: Opened, value: float, unit: Unit, shape: tuple[int, int]) -> None:
        """Keep how fast a run was; where that cannot be kept, the answer is no worse for it."""
        warm = opened.warm
        if warm.key.engine == REMOTE:
            return
        with suppress(AccelError):
            pace = Pace(warm.key.engine, warm.plan.device, warm.plan.dtype, value, unit, *shape)
            self._note(opened.model.folder, pace)


def cid_of(manifest: str) -> str | None:
    """Return the CID that a model was verified against; none for one that runs elsewhere, of which nothing was."""
    return None if manifest.startswith(REMOTE_PREFIX) else manifest
