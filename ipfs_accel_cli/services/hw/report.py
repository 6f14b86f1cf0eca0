"""What a bug report should say of this machine, in Markdown, without names, addresses or secrets."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import Field

from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.settings import KEYS, Settings
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.engines import EngineState
from ipfs_accel_cli.services.hw.results import Accelerator, Cpu, Disk, Machine, Memory, Network

_HOMES = re.compile(r"/(?:home|Users)/[^/\s`|:]+")
_SHARED = frozenset({"root", "user", "nobody", "runner", "admin"})  # Names that tell nothing of anybody.
_SECRET = re.compile(r"token|secret|password|key$", re.IGNORECASE)


class Report(Result):
    """A block for a bug report."""

    essence = "markdown"

    markdown: str = Field(description="To be pasted as it is.")


def compose(machine: Machine, engines: Sequence[EngineState], settings: Settings) -> Report:
    """Put the report together: versions, machine, what every probe answered, settings that are not the default."""
    lines = [
        f"### ipfs-accel {machine.libraries.get('ipfs-accel', 'of unknown version')}",
        "",
        *_table(("what", "found"), _system(machine)),
        "",
        *_table(("device", "state", "what", "reason"), _devices(machine)),
        "",
        *_table(("runs models", "state", "version", "reason"), _runtimes(machine, engines)),
        "",
        "Libraries: " + (", ".join(f"{name} {version}" for name, version in machine.libraries.items()) or "none"),
        "",
        "Settings that are not the default: " + (", ".join(_changed(settings)) or "none"),
    ]
    return Report(markdown=scrubbed("\n".join(lines), [settings.home.path, Path.home()], _user()) + "\n")


def scrubbed(text: str, homes: Iterable[Path], user: str = "") -> str:
    """Replace home folders by `~` and the user's name by `USER`."""
    folders = {str(form) for home in homes for form in (home, home.resolve()) if len(form.parts) > 1}
    for folder in sorted(folders, key=len, reverse=True):
        text = re.sub(re.escape(folder) + r"(?![\w.-])", "~", text)
    text = _HOMES.sub("~", text)
    if len(user) > 1 and user not in _SHARED:
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(user)}(?![A-Za-z0-9])", "USER", text)
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # A container may run as a number that has no name.
        return ""


def _system(machine: Machine) -> Iterator[tuple[str, str]]:
    yield "system", f"{machine.system} {machine.release}, {machine.architecture}"
    yield "python", machine.python
    yield "torch build", machine.torch_build or "none"
    yield "processor", _cpu(machine.cpu)
    yield "memory", _memory(machine.memory)
    for disk in machine.disks:
        yield "disk", _disk(disk)
    yield "network", _networks(machine.networks)


def _cpu(cpu: Cpu) -> str:
    if cpu.state != "present":
        return f"{cpu.state}: {cpu.reason}"
    cores = f"{cpu.physical_cores or '?'} cores, {cpu.logical_cores or '?'} threads, {cpu.usable_cores or '?'} usable"
    return _joined(cpu.model or "unknown model", cores, " ".join(cpu.instructions or ()), cpu.reason)


def _memory(memory: Memory) -> str:
    if memory.state != "present":
        return f"{memory.state}: {memory.reason}"
    limit = f"limited to {human_bytes(memory.limit_bytes)}" if memory.limit_bytes is not None else ""
    return _joined(f"{_size(memory.total_bytes)}, {_size(memory.available_bytes)} available", limit, memory.reason)


def _disk(disk: Disk) -> str:
    # Neither where it is mounted nor what it is called: shares on a network are named after people and companies.
    turns = {True: "turning", False: "solid state", None: ""}[disk.rotational]
    size = f"{_size(disk.total_bytes)}, {_size(disk.free_bytes)} free"
    return _joined(disk.file_system or disk.state, size, turns, "read only" if disk.read_only else "", disk.reason)


def _networks(networks: Sequence[Network]) -> str:
    kinds = [one.kind or "unknown" for one in networks if one.state == "present" and one.up]
    told = [f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)]
    return _joined(*told) or _joined(*(f"{one.state} {one.reason}" for one in networks if one.reason)) or "none is up"


def _devices(machine: Machine) -> Iterator[tuple[str, ...]]:
    for one in machine.accelerators:
        name = one.kind if one.index is None else f"{one.kind}:{one.index}"
        yield name, one.state, _device(one), one.reason


def _device(one: Accelerator) -> str:
    memory = "" if one.memory_total_bytes is None else _size(one.memory_total_bytes)
    driver = f"driver {one.driver}" if one.driver else ""
    cut = f"{len(one.slices)} slices" if one.mig else ""
    return _joined(one.name or "", memory, driver, one.backend or "", "software" if one.software else "", cut)


def _runtimes(machine: Machine, engines: Sequence[EngineState]) -> Iterator[tuple[str, ...]]:
    for engine in engines:
        versions = _joined(*(f"{name} {version}" for name, version in engine.versions.items()))
        yield f"engine {engine.engine}", engine.state, versions, engine.reason
    for one in machine.runtimes:
        yield one.name, one.state, _joined(one.version or "", *(one.computes_on or ())), one.reason


def _changed(settings: Settings) -> Iterator[str]:
    for name in sorted(KEYS):
        try:
            found = settings.look_up(name)
        except AccelError as error:  # Somebody who reports a bug may have written a setting wrongly.
            yield f"`{name}` cannot be read ({error.detail})"
            continue
        if found.origin != "default" and found.value != found.key.default:
            yield f"`{name} = {'(set)' if _SECRET.search(name) else found.value}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield "|" + "---|" * len(head)
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _size(count: int | None) -> str:
    return "unknown" if count is None else human_bytes(count)
