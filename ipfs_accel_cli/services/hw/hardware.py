"""The hardware service: asks every probe and puts the answers together."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from threading import Lock
from typing import TypeVar

from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.probes.base import Finding, Probe, described
from ipfs_accel_cli.probes.registry import PROBES
from ipfs_accel_cli.services.hw.results import Accelerator, Cpu, Machine, Memory

R = TypeVar("R", bound=Result)

UNASKED = "no probe of this name is installed"


class Hardware:
    """What this machine is. Probes are kept, so that one that hangs is asked only once."""

    def __init__(self, home: Home, probes: Sequence[Probe] | None = None) -> None:
        self._home = home
        self._probes = list(probes) if probes is not None else None
        self._broken: list[Finding] = []
        self._lock = Lock()

    def info(self) -> Machine:
        """Describe the machine; what cannot be learned is unknown and never an error."""
        findings = {finding.name: finding for finding in self.findings()}
        cpu = findings.pop("cpu", Finding("cpu", "unknown", UNASKED))
        memory = findings.pop("memory", Finding("memory", "unknown", UNASKED))
        return Machine(
            system=platform.system(),
            release=platform.release(),
            architecture=platform.machine(),
            python=platform.python_version(),
            cpu=_filled(Cpu, cpu),
            memory=_filled(Memory, memory),
            accelerators=[row for finding in findings.values() for row in accelerators(finding)],
            home_free_bytes=_free_bytes(self._home),
        )

    def findings(self) -> list[Finding]:
        """Ask all probes at once and return what they found, in the order of the registry."""
        probes = self._loaded()
        return [*ordered(_read, probes, max(1, len(probes))), *self._broken]

    def _loaded(self) -> list[Probe]:
        with self._lock:
            if self._probes is None:
                self._probes = []
                for name in PROBES.names():
                    try:
                        self._probes.append(PROBES.load(name)())
                    except Exception as error:  # A probe of another package must not hide the rest of the machine.
                        self._broken.append(Finding(name, "unknown", _reason(error)))
            return self._probes


def accelerators(finding: Finding) -> list[Accelerator]:
    """Return one row for each device of a finding, or one that says why there is none."""
    if not finding.devices:
        return [_filled(Accelerator, finding, kind=finding.name)]
    rows = []
    for device in finding.devices:
        known = {"state": finding.state, "driver": finding.facts.get("driver"), **device}
        rows.append(Accelerator.model_validate({"kind": finding.name, **_declared(Accelerator, known)}))
    return rows


def _read(probe: Probe) -> Finding:
    try:
        return probe.read()
    except Exception as error:  # A probe of another package may break the contract; the others still count.
        return Finding(probe.name, "unknown", _reason(error))


def _reason(error: Exception) -> str:
    return error.detail if isinstance(error, AccelError) else described(error)


def _filled(model: type[R], finding: Finding, **extra: str) -> R:
    facts = _declared(model, finding.facts)
    return model.model_validate({**facts, **extra, "state": finding.state, "reason": finding.reason})


def _declared(model: type[Result], values: object) -> dict[str, object]:
    """Keep what the model declares: a probe may know more than the table shows."""
    known = dict(values) if isinstance(values, dict) else {}
    return {key: value for key, value in known.items() if key in model.model_fields}


def _free_bytes(home: Home) -> int | None:
    for folder in (home.path, *home.path.parents):
        try:
            return shutil.disk_usage(folder).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
