"""The service behind `hw machine`: finds machines by name, saves and forgets those of the user."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotFound
from ipfs_accel_cli.core.files import replacing, sync_folder
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.machines import reading
from ipfs_accel_cli.services.hw.machines.results import (
    MachineList,
    MachineRow,
    NamedMachine,
    RemovedMachines,
    SavedMachine,
)
from ipfs_accel_cli.services.hw.results import Accelerator, Machine

DATA = Path(__file__).parent / "data"
_FOLDER = "machines"
_LOCK = ".lock"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")


class Machines:
    """Machines by name. `here` describes this machine; True asks what takes a second or more, too."""

    def __init__(self, home: Home, here: Callable[[bool], Machine]) -> None:
        self._home, self._here = home, here

    def names(self, *, own: bool = False) -> list[str]:
        """Return the names, sorted; `own` leaves those out that ship with the package."""
        mine = {path.stem for path in self._folder.glob("*.json") if _NAME.fullmatch(path.stem)}
        return sorted(mine - _shipped() if own else mine | _shipped())

    def find(self, name: str | None) -> Machine:
        """Return a machine by its name, None being this one. Raises NotFound with near names, Invalid."""
        return self._here(False) if name is None else self.show(name).machine

    def ls(self) -> MachineList:
        """List all machines, one whose file is damaged with the reason."""
        return MachineList(machines=[self._row(name) for name in self.names()])

    def show(self, name: str) -> NamedMachine:
        """Return a machine with what is said about it. Raises NotFound with near names, Invalid."""
        if name in _shipped():
            about, sources, machine = reading.shipped_of((DATA / f"{name}.toml").read_bytes(), name)
            return NamedMachine(name=name, origin="shipped", about=about, sources=sources, machine=machine)
        data = self._saved(name)
        if data is None:
            raise self._missing(name)
        try:
            machine, ignored = reading.machine_of(data, f"the machine {name}")
        except Invalid as error:
            raise Invalid(error.detail, suggestion=f"ipfs-accel hw machine rm {name}", errors=error.errors) from error
        return NamedMachine(name=name, origin="own", ignored=ignored, machine=machine)

    def save(self, name: str, file: str | None = None, *, full: bool = False, replace: bool = False) -> SavedMachine:
        """Keep this machine, or the one that a file describes, under a name.

        Raises Invalid for a name or a file that will not do, Conflict for a name that means another machine.
        """
        _check(name)
        machine, ignored = (self._here(full), []) if file is None else reading.machine_of_file(file)
        folder = self._home.ensure(_FOLDER)
        path, data = folder / f"{name}.json", machine.model_dump_json(indent=2).encode() + b"\n"
        with locked(folder / _LOCK):
            before = self._saved(name)
            if before not in (None, data) and not replace:
                raise Conflict(
                    f"there is a machine {name!r} already", suggestion=f"ipfs-accel hw machine save {name} --replace"
                )
            if before != data:
                with replacing(path, 0o600) as out:
                    out.write(data)
        return SavedMachine(name=name, path=str(path), replaced=before not in (None, data), ignored=ignored)

    def remove(self, names: Sequence[str]) -> RemovedMachines:
        """Forget machines of the user, all or none. Raises Invalid for a shipped one, NotFound with near names."""
        for name in names:
            if name in _shipped():
                raise Invalid(f"{name} ships with ipfs-accel and stays", suggestion="ipfs-accel hw machine ls")
        missing = next((name for name in names if self._saved(name) is None), None)
        if missing is not None:
            raise self._missing(missing, own=True)
        folder = self._home.ensure(_FOLDER)
        with locked(folder / _LOCK):
            for name in names:
                (folder / f"{name}.json").unlink(missing_ok=True)
            sync_folder(folder)
        return RemovedMachines(names=list(dict.fromkeys(names)))

    @property
    def _folder(self) -> Path:
        return self._home.path / _FOLDER

    def _saved(self, name: str) -> bytes | None:
        if not _NAME.fullmatch(name):
            return None
        try:
            with (self._folder / f"{name}.json").open("rb") as file:
                return file.read(reading.LARGEST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._home.unusable(error) from error

    def _missing(self, name: str, *, own: bool = False) -> NotFound:
        near = difflib.get_close_matches(name, self.names(own=own), n=3, cutoff=0.5)
        told = f"; near names: {', '.join(near)}" if near else ""
        suggestion = f"ipfs-accel hw machine show {near[0]}" if near else "ipfs-accel hw machine ls"
        return NotFound(f"no machine named {name!r}{told}", suggestion=suggestion, near=near)

    def _row(self, name: str) -> MachineRow:
        try:
            found = self.show(name)
        except AccelError as error:
            return MachineRow(name=name, origin="own", problem=error.detail)
        memory = found.machine.memory
        return MachineRow(
            name=name,
            origin=found.origin,
            about=found.about or found.machine.cpu.model or "",
            cores=found.machine.cpu.usable_cores,
            memory_bytes=memory.usable_bytes or memory.total_bytes,
            bandwidth_bytes_s=memory.bandwidth_bytes_s,
            accelerators=_kinds(found.machine.accelerators),
        )


def _shipped() -> frozenset[str]:
    return frozenset(path.stem for path in DATA.glob("*.toml"))


def _check(name: str) -> None:
    """Refuse a name that is taken by the package, would be read as a file, or would not do as one."""
    if name in _shipped():
        raise Invalid(f"{name} ships with ipfs-accel; choose another name", suggestion="ipfs-accel hw machine ls")
    if not _NAME.fullmatch(name) or reading.is_file(name):
        raise Invalid(
            f"{name!r} is no name of a machine: 1 to 64 of a-z, 0-9, dot, dash and underscore, no mark at either end,"
            " and no .json",
            suggestion="ipfs-accel hw machine save my-server",
        )


def _kinds(devices: Sequence[Accelerator]) -> list[str]:
    """Say in words what accelerators there are, alike ones together."""
    counted = Counter(_said(one) for one in devices if one.state == "present" and not one.software)
    return [f"{count} x {said}" if count > 1 else said for said, count in counted.items()]


def _said(device: Accelerator) -> str:
    size, rate = device.memory_total_bytes, device.bandwidth_bytes_s
    facts = [
        *([human_bytes(size) + (" of the main memory" if device.shares_memory else "")] if size else []),
        *([f"{rate / 1e9:.0f} GB/s"] if rate else []),
    ]
    return (device.name or device.kind) + (f" ({', '.join(facts)})" if facts else "")
