"""The hardware service: asks every probe and puts the answers together."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.stream import Live
from ipfs_accel_cli.probes.base import Finding, Glances, Probe, described
from ipfs_accel_cli.probes.registry import PROBES
from ipfs_accel_cli.services.hw.results import Accelerator, Cpu, Disk, Machine, Memory, Network, Runtime

if TYPE_CHECKING:
    from ipfs_accel_cli.core.settings import Settings
    from ipfs_accel_cli.services.hw.engines import Engines
    from ipfs_accel_cli.services.hw.report import Report
    from ipfs_accel_cli.services.hw.sampling import Sample

UNASKED = "no probe of this name is installed"

# Where the findings go that describe no accelerator.
_LISTS: Mapping[str, tuple[str, type[Result]]] = {"disk": ("disks", Disk), "network": ("networks", Network)}
_RUNTIMES = ("onnxruntime", "openvino")


class Hardware:
    """What this machine is. Probes are kept, so that one that hangs is asked only once."""

    def __init__(
        self,
        home: Home,
        probes: Sequence[Probe] | None = None,
        bandwidth: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._home, self._bandwidth = home, bandwidth
        self._probes = list(probes) if probes is not None else None
        self._broken: list[Finding] = []
        self._lock = Lock()

    def info(self, *, full: bool = False) -> Machine:
        """Describe the machine; what cannot be learned is unknown and never an error.

        `full` also asks what takes a second or more, because it loads a vendor's library in a process of its own.
        """
        found = {finding.name: finding for finding in self.findings(full=full)}
        cpu = found.pop("cpu", Finding("cpu", "unknown", UNASKED))
        memory = found.pop("memory", Finding("memory", "unknown", UNASKED))
        libraries = found.pop("libraries", Finding("libraries", "unknown", UNASKED))
        lists = {field: _rows(kind, found.pop(name, None)) for name, (field, kind) in _LISTS.items()}
        runtimes = [_row(Runtime, found.pop(name), name=name) for name in _RUNTIMES if name in found]
        # One check of the whole: each model that is checked by itself costs as much again.
        return Machine.model_validate(
            {
                "system": platform.system(),
                "release": platform.release(),
                "architecture": platform.machine(),
                "python": platform.python_version(),
                "cpu": _row(Cpu, cpu),
                "memory": {**_row(Memory, memory), **self._measured()},
                "accelerators": [row for finding in found.values() for row in _accelerators(finding)],
                **lists,
                "runtimes": runtimes,
                "libraries": libraries.facts.get("versions", {}),
                "torch_build": libraries.facts.get("torch_build"),
                "home_free_bytes": _free_bytes(self._home),
            }
        )

    def _measured(self) -> dict[str, Any]:
        found = self._bandwidth()
        return {"bandwidth_bytes_s": round(found), "bandwidth_origin": "measured"} if found else {}

    def engines(self, *, full: bool = False) -> Engines:
        """Describe every engine; `full` loads each in a process of its own, which takes seconds."""
        from ipfs_accel_cli.services.hw.engines import survey

        return survey(full=full)

    def report(self, settings: Settings, *, full: bool = False) -> Report:
        """Return what a bug report should say, and hand its text to the caller at once."""
        from ipfs_accel_cli.services.hw.report import compose

        told = compose(self.info(full=full), self.engines(full=full).engines, settings)
        current().emit(told.markdown.rstrip("\n"))
        return told

    def top(self, *, interval: float, count: int | None = None) -> Live[Sample]:
        """Tell what the machine does, after each interval in seconds, `count` times or until the call is stopped."""
        from ipfs_accel_cli.probes import counters
        from ipfs_accel_cli.services.hw.sampling import ASKED, samples

        def ask() -> list[Finding]:
            return self.findings(ASKED)

        return Live(samples(counters.read, ask, accelerators, interval=interval, count=count))

    def findings(self, names: Sequence[str] | None = None, *, full: bool = False) -> list[Finding]:
        """Ask all probes at once, or those of some names, and return what they found in the order of the registry."""
        probes = [probe for probe in self._loaded() if names is None or probe.name in names]
        found = ordered(_read if full else _glance, probes, max(1, len(probes)))
        return [*found, *(finding for finding in self._broken if names is None or finding.name in names)]

    def _loaded(self) -> list[Probe]:
        with self._lock:
            if self._probes is None:
                self._probes = []
                for name in PROBES.names():
                    try:
                        self._probes.append(PROBES.load(name)(**self._place(name)))
                    except Exception as error:  # A probe of another package must not hide the rest of the machine.
                        self._broken.append(Finding(name, "unknown", _reason(error)))
            return self._probes

    def _place(self, name: str) -> dict[str, Path]:
        return {"folder": self._home.path} if name == "disk" else {}


def accelerators(finding: Finding) -> list[Accelerator]:
    """Return one row for each device of a finding, or one that says why there is none."""
    return [Accelerator.model_validate(row) for row in _accelerators(finding)]


def _accelerators(finding: Finding) -> list[dict[str, Any]]:
    if not finding.devices:
        return [_row(Accelerator, finding, kind=finding.name)]
    known = {"state": finding.state, "reason": finding.reason, "driver": finding.facts.get("driver")}
    rows = []
    for device in finding.devices:
        # What the finding as a whole says holds for each device that has nothing to say itself.
        own = {key: value for key, value in device.items() if key != "reason" or value}
        rows.append({"kind": finding.name, **_declared(Accelerator, {**known, **own})})
    return rows


def _rows(model: type[Result], finding: Finding | None) -> list[dict[str, Any]]:
    if finding is None:
        return []
    if not finding.devices:
        return [_row(model, finding)]
    return [_declared(model, device) for device in finding.devices]


def _read(probe: Probe) -> Finding:
    try:
        return probe.read()
    except Exception as error:  # A probe of another package may break the contract; the others still count.
        return Finding(probe.name, "unknown", _reason(error))


def _glance(probe: Probe) -> Finding:
    if not isinstance(probe, Glances):
        return _read(probe)
    try:
        return probe.glance()
    except Exception as error:
        return Finding(probe.name, "unknown", _reason(error))


def _reason(error: Exception) -> str:
    return error.detail if isinstance(error, AccelError) else described(error)


def _row(model: type[Result], finding: Finding, **extra: str) -> dict[str, Any]:
    return {**_declared(model, finding.facts), **extra, "state": finding.state, "reason": finding.reason}


def _declared(model: type[Result], values: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what the model declares: a probe may know more than the table shows."""
    return {key: value for key, value in values.items() if key in model.model_fields}


def _free_bytes(home: Home) -> int | None:
    for folder in (home.path, *home.path.parents):
        try:
            return shutil.disk_usage(folder).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
