"""What libraries that see devices by themselves tell, and which are installed."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ipfs_accel_cli.probes import child, library
from ipfs_accel_cli.probes.libraries import LibrariesProbe
from ipfs_accel_cli.probes.mps import MpsProbe
from ipfs_accel_cli.probes.onnx import OnnxProbe
from ipfs_accel_cli.probes.openvino import OpenVinoProbe
from ipfs_accel_cli.probes.webgpu import WebGpuProbe
from tests.unit.probes.machines import write

HARDWARE = {"device": "Example GPU", "adapter_type": "DiscreteGPU", "backend_type": "Vulkan", "description": "1.2"}
SOFTWARE = {"device": "llvmpipe", "adapter_type": "CPU", "backend_type": "Vulkan", "description": "Mesa"}
ASKED = [(OnnxProbe, "onnxruntime"), (OpenVinoProbe, "OpenVINO"), (WebGpuProbe, "wgpu")]


def silent() -> NoReturn:
    raise child.NoAnswer("did not answer within 20 s")


def nowhere(name: str, package: str | None = None) -> None:
    return None


def test_providers_that_are_no_hardware_are_left_out() -> None:
    told = ["CUDAExecutionProvider", "AzureExecutionProvider", "CPUExecutionProvider"]
    assert OnnxProbe(lambda: told).read().facts["computes_on"] == ["CUDA", "CPU"]


def test_openvinos_devices_have_their_names() -> None:
    facts = OpenVinoProbe(lambda: {"CPU": "Example CPU", "NPU": ""}).read().facts
    assert facts["computes_on"] == ["CPU: Example CPU", "NPU"]


@pytest.mark.parametrize(("probe", "name"), ASKED)
def test_a_library_that_does_not_answer_is_unknown(probe: Any, name: str) -> None:
    finding = probe(silent).read()
    assert (finding.state, finding.devices) == ("unknown", ())
    assert finding.reason == f"{name} does not answer (did not answer within 20 s)"


@pytest.mark.parametrize(("probe", "name"), ASKED)
def test_a_library_that_is_not_installed_says_how_to_install_it(
    probe: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "find_spec", nowhere)
    read, glance = probe().read(), probe().glance()
    assert read == glance
    assert read.state in ("absent", "unknown")
    assert "pip install" in read.reason


@pytest.mark.parametrize(("probe", "name"), ASKED)
def test_a_glance_loads_nothing_and_says_who_asks(probe: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "find_spec", lambda name: object())
    monkeypatch.setattr(child, "ask", silent)
    assert "hw info --full" in probe().glance().reason


def test_a_software_adapter_is_marked_as_such() -> None:
    first, second = WebGpuProbe(lambda: [HARDWARE, SOFTWARE]).read().devices
    assert (first["software"], first["reason"]) == (False, "")
    assert second["software"] is True
    assert "computes on the processor" in second["reason"]


def test_without_an_adapter_webgpu_is_absent_and_says_what_it_needs() -> None:
    finding = WebGpuProbe(list).read()
    assert (finding.state, finding.devices) == ("absent", ())
    assert "Vulkan driver" in finding.reason


@pytest.mark.skipif(not importlib.util.find_spec("wgpu"), reason="wgpu is not installed")
@pytest.mark.skipif(
    not any(Path("/usr/share/vulkan/icd.d").glob("lvp_icd*")) or shutil.which("nvidia-smi") is not None,
    reason="no software Vulkan driver, or a real one beside it",
)
def test_a_real_software_adapter_is_found_and_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    finding = WebGpuProbe().read()
    assert finding.state == "present"
    assert all(device["software"] for device in finding.devices)
    assert "llvmpipe" in finding.devices[0]["name"]
    assert capfd.readouterr() == ("", "")


def test_metal_is_unknown_when_torchs_process_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MpsProbe, "_loaded", lambda self: None)
    monkeypatch.setattr("ipfs_accel_cli.probes.mps.find_spec", lambda name: object())
    monkeypatch.setattr(child, "ask", lambda reference, seconds: silent())
    finding = MpsProbe("Darwin", "arm64").read()
    assert (finding.state, finding.reason) == ("unknown", "torch does not answer (did not answer within 20 s)")


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("cuda: Optional[str] = '12.8'\nhip: Optional[str] = None\n", "cuda 12.8"),
        ("cuda: Optional[str] = None\nhip: Optional[str] = '6.4.43482'\n", "hip 6.4.43482"),
        ("cuda = None\nxpu: Optional[str] = '20250101'\n", "xpu 20250101"),
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\n", "cpu"),
    ],
)
def test_torchs_build_is_read_off_its_file(tmp_path: Path, text: str, build: str) -> None:
    write(tmp_path, {"version.py": text})
    assert LibrariesProbe(dict, tmp_path).read().facts["torch_build"] == build


def test_only_libraries_that_matter_are_listed(tmp_path: Path) -> None:
    found = LibrariesProbe(lambda: {"torch": "2.13.0", "my-private-package": "1"}, tmp_path).read()
    assert found.facts == {"versions": {"torch": "2.13.0"}, "torch_build": None}
