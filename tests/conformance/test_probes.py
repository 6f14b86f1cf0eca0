"""Every probe, on machines of every kind, against the one suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ipfs_accel_cli.probes import child
from ipfs_accel_cli.probes.base import Glances, Probe
from ipfs_accel_cli.probes.cpu import CpuProbe
from ipfs_accel_cli.probes.cuda import CudaProbe
from ipfs_accel_cli.probes.disk import DiskProbe
from ipfs_accel_cli.probes.libraries import LibrariesProbe
from ipfs_accel_cli.probes.memory import MemoryProbe
from ipfs_accel_cli.probes.mps import MpsProbe
from ipfs_accel_cli.probes.network import NetworkProbe
from ipfs_accel_cli.probes.npu import NpuProbe
from ipfs_accel_cli.probes.onnx import OnnxProbe
from ipfs_accel_cli.probes.openvino import OpenVinoProbe
from ipfs_accel_cli.probes.registry import PROBES
from ipfs_accel_cli.probes.rocm import RocmProbe
from ipfs_accel_cli.probes.webgpu import WebGpuProbe
from ipfs_accel_cli.probes.xpu import XpuProbe
from tests.conformance.probe_suite import ProbeSuite
from tests.unit.probes import drivers
from tests.unit.probes.machines import MACHINES, Tree, amd

Build = Callable[[Path], Tree]

DRIVERS = {
    "eight at work": drivers.Driver(drivers.h100s()),
    "cut into slices": drivers.Driver(drivers.h100s(cut=True)),
    "cut, through py3nvml": drivers.OldDriver(drivers.h100s(cut=True)),
    "two devices": drivers.Driver([drivers.Device("A", 24 << 30, 20 << 30), drivers.Device(b"B", 8 << 30, 1 << 30)]),
    "one device lost": drivers.Driver([drivers.Device("A", 24 << 30, 0), drivers.Device("B", lost=True)]),
    "all devices lost": drivers.Driver([drivers.Device("A", lost=True)]),
    "no device": drivers.Driver([]),
    "no library": drivers.Broken(drivers.DriverError(drivers.LIBRARY_NOT_FOUND)),
    "version mismatch": drivers.Broken(drivers.DriverError(drivers.VERSION_MISMATCH)),
    "speechless": drivers.Broken(drivers.SpeechlessError(999)),
    "no function at all": SimpleNamespace(),
}


def _raises() -> Any:
    raise KeyError("no such symbol")


def _leaves() -> Any:
    raise SystemExit(1)


def _silent() -> Any:
    raise child.NoAnswer("did not answer within 20 s")


BROKEN = {"raises": _raises, "leaves": _leaves, "silent": _silent, "nonsense": lambda: 7}


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


class TestDisk(ProbeSuite):
    @pytest.fixture
    def probe(self, machine: Tree, tmp_path: Path) -> Probe:
        return DiskProbe(tmp_path, machine.proc, machine.sys)


class TestNetwork(ProbeSuite):
    @pytest.fixture
    def probe(self, machine: Tree) -> Probe:
        return NetworkProbe(machine.sys, machine.proc)


class TestXpu(ProbeSuite):
    @pytest.fixture
    def probe(self, machine: Tree, tmp_path: Path) -> Probe:
        return XpuProbe(machine.sys, tmp_path)


class TestNpu(ProbeSuite):
    @pytest.fixture
    def probe(self, machine: Tree) -> Probe:
        return NpuProbe(machine.sys)


class TestRocm(ProbeSuite):
    @pytest.fixture
    def probe(self, machine: Tree, tmp_path: Path) -> Probe:
        return RocmProbe(machine.sys, tmp_path, tmp_path, dict[str, str])


class TestRocmWithoutNames(ProbeSuite):
    @pytest.fixture(params=[name for name in BROKEN if name != "silent"])
    def probe(self, request: pytest.FixtureRequest, tmp_path: Path) -> Probe:
        return RocmProbe(amd(tmp_path).sys, tmp_path, tmp_path, BROKEN[request.param])


class TestWebGpu(ProbeSuite):
    @pytest.fixture(params=["hardware", "software", "none", *BROKEN])
    def probe(self, request: pytest.FixtureRequest) -> Probe:
        adapter = {"device": "A", "adapter_type": "CPU" if request.param == "software" else "DiscreteGPU"}
        return WebGpuProbe(BROKEN.get(request.param) or (lambda: [adapter] if request.param != "none" else []))


class TestOnnx(ProbeSuite):
    @pytest.fixture(params=["fine", *BROKEN])
    def probe(self, request: pytest.FixtureRequest) -> Probe:
        return OnnxProbe(BROKEN.get(request.param) or (lambda: ["CPUExecutionProvider"]))


class TestOpenVino(ProbeSuite):
    @pytest.fixture(params=["fine", *BROKEN])
    def probe(self, request: pytest.FixtureRequest) -> Probe:
        return OpenVinoProbe(BROKEN.get(request.param) or (lambda: {"CPU": "Example CPU"}))


class TestLibraries(ProbeSuite):
    @pytest.fixture(params=["fine", "raises", "leaves", "nonsense"])
    def probe(self, request: pytest.FixtureRequest, tmp_path: Path) -> Probe:
        versions: Mapping[str, str] = {"torch": "2.13.0"}
        return LibrariesProbe(BROKEN.get(request.param) or (lambda: versions), tmp_path)


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


class TestGlancesAtThisMachine(ProbeSuite):
    """A glance keeps the same promises as a read."""

    @pytest.fixture(params=[name for name in PROBES.names() if isinstance(PROBES.load(name)(), Glances)])
    def probe(self, request: pytest.FixtureRequest) -> Probe:
        return Glancing(request.param, PROBES.load(request.param)())


class Glancing:
    def __init__(self, name: str, probe: Glances) -> None:
        self.name = name
        self.read = probe.glance


def _torch(kind: str) -> Any:
    if kind == "broken":
        return SimpleNamespace()
    mps = SimpleNamespace(is_built=lambda: kind != "built without", is_available=lambda: kind == "there")
    return SimpleNamespace(
        backends=SimpleNamespace(mps=mps), mps=SimpleNamespace(recommended_max_memory=lambda: 12 << 30)
    )
