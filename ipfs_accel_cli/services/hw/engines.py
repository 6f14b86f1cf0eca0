"""Which engines run models here: what they need, what of it is installed, and what they compute on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from shutil import which
from subprocess import DEVNULL, PIPE, SubprocessError, run

from pydantic import Field

from ipfs_accel_cli.core.distributions import installed, normalised
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.probes import child
from ipfs_accel_cli.services.hw.results import State

Ask = Callable[[str], Sequence[str]]
# Distributions that bring a module under another name, the one that we ask for first.
_BRINGS = {"fasttext": ("fasttext-predict", "fasttext-wheel", "fasttext")}
# Engines that are programs, which read with data of their own and are asked by one task.
_PROGRAMS = {"tesseract": ("image-ocr", "apt-get install tesseract-ocr")}
_VERSION_SECONDS = 5.0


class EngineState(Result):
    """One engine: whether it runs here, on what, and how to install it."""

    columns = ("engine", "state", "versions", "devices", "computes_on", "tasks", "install", "reason")
    essence = "engine"

    engine: str = Field(description="Its name, as --engine takes it.")
    state: State = Field(description="present runs here, absent lacks a library, unknown cannot be told.")
    reason: str = Field(default="", description="What is missing, or why it is not known.")
    versions: dict[str, str] = Field(default_factory=dict, description="The libraries that it needs, as installed.")
    devices: list[str] = Field(default_factory=list, description="Kinds of device that it can compute on.")
    computes_on: list[str] | None = Field(default=None, description="Devices that it sees; null until it was asked.")
    tasks: list[str] = Field(default_factory=list, description="What it can be asked for.")
    install: str = Field(description="The line that installs what it needs.")


class Engines(Result):
    """All engines, our own first."""

    essence = "engines"

    engines: list[EngineState]


def survey(*, full: bool = False, registry: Registry = ENGINES, ask: Ask | None = None) -> Engines:
    """Describe every engine from what is installed; `full` loads each in a process of its own to see its devices."""
    asking = (ask or _ask) if full else None
    names = registry.names()
    states = list(ordered(lambda name: _state(name, registry.plugin(name), asking), names, max(1, len(names))))
    programs = [_program(name, full=full) for name in _PROGRAMS] if registry is ENGINES else []
    return Engines(engines=states + programs)


def devices_of(name: str) -> list[str]:
    """Load an engine and return the devices that it sees; runs in a process of its own."""
    return [device.name for device in ENGINES.load(name)().devices()]


def _ask(name: str) -> Sequence[str]:
    told: Sequence[str] = child.ask("ipfs_accel_cli.services.hw.engines:devices_of", name, seconds=60.0)
    return told


def _state(name: str, plugin: Plugin, ask: Ask | None) -> EngineState:
    state, reason, seen = _judged(plugin, name, ask)
    versions = installed()
    needed = [normalised(one) for module in plugin.requires for one in _BRINGS.get(module, (module,))]
    return EngineState(
        engine=name,
        state=state,
        reason=reason,
        versions={package: versions[package] for package in needed if package in versions},
        devices=list(plugin.devices),
        computes_on=seen,
        tasks=list(plugin.tasks),
        install=plugin.install,
    )


def _judged(plugin: Plugin, name: str, ask: Ask | None) -> tuple[State, str, list[str] | None]:
    missing = [module for module in plugin.requires if not _there(module)]
    if missing:
        return "absent", f"needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed", None
    if ask is None:
        if not plugin.requires:
            return "unknown", "it does not say what it needs; `hw engines --full` loads it", None
        return "present", "", None
    try:
        return "present", "", list(ask(name))
    except child.NoAnswer as error:
        return "unknown", f"installed, but it cannot be loaded ({error})", None


def _program(name: str, *, full: bool) -> EngineState:
    """Describe a program; it is run only where all is to be looked at."""
    task, install = _PROGRAMS[name]
    place = which(name)
    version = _version(place) if place and full else ""
    return EngineState(
        engine=name,
        state="present" if place else "absent",
        reason="" if place else f"the program {name} is not installed",
        versions={name: version} if version else {},
        devices=["cpu"],
        computes_on=["cpu"] if place and full else None,
        tasks=[task],
        install=install,
    )


def _version(place: str) -> str:
    try:
        told = run(
            [place, "--version"], stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, timeout=_VERSION_SECONDS, check=False
        )
    except (OSError, SubprocessError):
        return ""
    words = told.stdout.decode("utf-8", "replace").split()
    return words[1] if len(words) > 1 else ""


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):  # What is blocked or half installed is as good as not there.
        return False
