"""Every probe, on machines of every kind, against the one suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ipfs_accel_cli.probes.base import Probe
from ipfs_accel_cli.probes.cpu import CpuProbe
from ipfs_accel_cli.probes.cuda import CudaProbe
from ipfs_accel_cli.probes.memory import MemoryProbe
from ipfs_accel_cli.probes.mps import MpsProbe
from ipfs_accel_cli.probes.registry import PROBES
from tests.conformance.probe_suite import ProbeSuite
from tests.unit.probes import drivers
from tests.unit.probes.machines import MACHINES, Tree

Build = Callable[[Path], Tree]

DRIVERS = {
    "two devices": drivers.Driver([drivers.Device("A", 24 << 30, 20 << 30), drivers.Device(b"B", 8 << 30, 1 << 30)]),
    "one device lost": drivers.Driver([drivers.Device("A", 24 << 30, 0), drivers.Device("B", lost=True)]),
    "all devices lost": drivers.Driver([drivers.Device("A", lost=True)]),
    "no device": drivers.Driver([]),
    "no library": drivers.Broken(drivers.DriverError(drivers.LIBRARY_NOT_FOUND)),
    "version mismatch": drivers.Broken(drivers.DriverError(drivers.VERSION_MISMATCH)),
    "speechless": drivers.Broken(drivers.SpeechlessError(999)),
    "no function at all": SimpleNamespace(),
}


@pytest.fixture(params=MACHINES, ids=lambda build: build.__name__)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    build: Build = request.param
    return build(tmp_path)


class TestCpu(ProbeSuite):
    @pytest.fixture
    def probe(self, machine: Tree) -> Probe:
        return CpuProbe(machine.proc, machine.sys)


class TestMemory(ProbeSuite):
    @pytest.fixture
    def probe(self, machine: Tree) -> Probe:
        return MemoryProbe(machine.proc, machine.sys)


class TestCuda(ProbeSuite):
    @pytest.fixture(params=list(DRIVERS))
    def probe(self, request: pytest.FixtureRequest, tmp_path: Path) -> Probe:
        return CudaProbe(DRIVERS[request.param], tmp_path)


class TestHangingCuda(ProbeSuite):
    @pytest.fixture
    def probe(self, tmp_path: Path) -> Iterator[Probe]:
        driver = drivers.Hanging()
        yield CudaProbe(driver, tmp_path, seconds=0.02)
        driver.released.set()


class TestMps(ProbeSuite):
    @pytest.fixture(params=["linux", "built without", "too old", "there", "broken"])
    def probe(self, request: pytest.FixtureRequest) -> Probe:
        if request.param == "linux":
            return MpsProbe("Linux", "x86_64")
        return MpsProbe("Darwin", "arm64", _torch(request.param))


class TestThisMachine(ProbeSuite):
    @pytest.fixture(params=PROBES.names())
    def probe(self, request: pytest.FixtureRequest) -> Probe:
        probe: Probe = PROBES.load(request.param)()
        assert probe.name == request.param
        return probe


def _torch(kind: str) -> Any:
    if kind == "broken":
        return SimpleNamespace()
    mps = SimpleNamespace(is_built=lambda: kind != "built without", is_available=lambda: kind == "there")
    return SimpleNamespace(
        backends=SimpleNamespace(mps=mps), mps=SimpleNamespace(recommended_max_memory=lambda: 12 << 30)
    )
