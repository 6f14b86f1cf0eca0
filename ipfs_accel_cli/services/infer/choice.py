"""Which engine runs a model, where and how: what was asked for, else what fits best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ipfs_accel_cli.core.errors import AccelError, DoesNotFit, MissingExtra, Unavailable, UnsupportedContent
from ipfs_accel_cli.core.registry import Registry
from ipfs_accel_cli.engines.base import Adapter, Device, Engine, Fit, Machine, ModelFacts, Plan, Varies
from ipfs_accel_cli.engines.devices import choose_device

AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller asks for; `auto` and 0 leave it to us."""

    task: str
    engine: str = AUTO
    device: str = AUTO
    threads: int = 0
    adapters: tuple[Adapter, ...] = ()
    compiled: bool = False

    @property
    def variants(self) -> frozenset[str]:
        """What an engine must be able to do beside running the model as it is."""
        return frozenset(name for name in ("adapters", "compiled") if getattr(self, name))


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, how well the model fits it, and the plan to load with."""

    engine: Engine
    fit: Fit
    plan: Plan
    free_bytes: int


def choose(
    model: ModelFacts, wanted: Wanted, engines: Registry, measure: Callable[[tuple[Device, ...]], Machine]
) -> Choice:
    """Return the choice that fits best; raises as `best`, and Unavailable for a device that is not there."""
    return best(*candidates(model, wanted, engines, measure))


def candidates(
    model: ModelFacts, wanted: Wanted, engines: Registry, measure: Callable[[tuple[Device, ...]], Machine]
) -> tuple[list[Choice], list[AccelError]]:
    """Return the engines that can run a model, and why others that do its task cannot.

    Raises Unavailable for a device that is not there, and UnsupportedContent for a task that no engine does, or that
    the one asked for does not do; no library is loaded to know that.
    """
    problems: list[AccelError] = []
    choices: list[Choice] = []
    for name in _doing(engines, model, wanted):
        try:
            choices.append(_consider(engines.load(name)(), model, wanted, measure))
        except (MissingExtra, UnsupportedContent, DoesNotFit) as error:
            error.context.setdefault("engine", name)
            problems.append(error)
        except Unavailable as error:
            # A device that one engine does not have, another may.
            if wanted.engine != AUTO:
                raise
            problems.append(error)
    return choices, problems


def best(choices: Sequence[Choice], problems: Sequence[AccelError]) -> Choice:
    """Return the choice that fits best; raises what says most about why there is none."""
    if choices:
        return max(choices, key=lambda choice: choice.fit.score)
    # A model that is too large for an engine that knows it says more than another engine that does not.
    large = next((problem for problem in problems if isinstance(problem, DoesNotFit)), None)
    if large is not None:
        raise large
    missing = [problem for problem in problems if isinstance(problem, MissingExtra)]
    others = [problem for problem in problems if problem not in missing]
    if not missing or not others:
        raise problems[0]
    names = " or ".join(str(problem.context["engine"]) for problem in missing)
    raise MissingExtra(
        f"{others[0].detail}; {names} may run it: {missing[0].detail}", suggestion=missing[0].suggestion
    ) from others[0]


def _doing(engines: Registry, model: ModelFacts, wanted: Wanted) -> list[str]:
    """Return the engines that are asked: those that do the task, as far as they say which they do."""
    asked = engines.names() if wanted.engine == AUTO else [wanted.engine]
    found = [name for name in asked if not (tasks := engines.plugin(name).tasks) or wanted.task in tasks]
    if not found:
        which = "no engine here does" if wanted.engine == AUTO else f"the {wanted.engine} engine does not"
        raise UnsupportedContent(f"{model.name}: {which} {wanted.task}", engine=wanted.engine)
    return found


def _consider(
    engine: Engine, model: ModelFacts, wanted: Wanted, measure: Callable[[tuple[Device, ...]], Machine]
) -> Choice:
    lacking = wanted.variants - (engine.variants if isinstance(engine, Varies) else frozenset())
    if lacking:
        raise UnsupportedContent(
            f"{model.name}: the {engine.name} engine cannot run it with {' and '.join(sorted(lacking))}",
            engine=engine.name,
        )
    devices = engine.devices()
    if wanted.device != AUTO:
        devices = (choose_device(wanted.device, devices),)
    machine = measure(devices)
    fit = engine.fit(model, machine)
    if not fit.supported:
        raise UnsupportedContent(f"{model.name}: {fit.reason} (engine {engine.name})", engine=engine.name)
    if fit.score <= 0:
        raise DoesNotFit(
            f"{model.name} needs more memory than there is: {fit.reason}",
            suggestion="ipfs-accel model ls",
            needed_bytes=fit.needed_bytes,
            available_bytes=machine.memory_available_bytes,
        )
    if wanted.device != AUTO:
        fit = replace(fit, device=devices[0].name)
    plan = Plan(
        wanted.task,
        fit.device,
        fit.dtype,
        wanted.threads or fit.threads,
        memory_bytes=machine.memory_available_bytes,
        adapters=wanted.adapters,
        compiled=wanted.compiled,
    )
    return Choice(engine, fit, plan, machine.memory_available_bytes)
