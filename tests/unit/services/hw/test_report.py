"""What a bug report tells, and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.settings import Settings
from ipfs_accel_cli.services.hw.engines import EngineState
from ipfs_accel_cli.services.hw.report import compose, scrubbed
from ipfs_accel_cli.services.hw.results import Accelerator, Disk, Machine, Network, Runtime
from tests.unit.services.hw.machines import machine

TORCH = EngineState(engine="torch", state="absent", reason="needs torch, which is not installed", install="pip")


def report(home: Path, found: Machine | None = None, **environment: str) -> str:
    settings = Settings(Home(home), folder=home, environment=environment)
    return compose(found or machine(), [TORCH], settings).markdown


def test_it_tells_versions_states_and_reasons_as_markdown(tmp_path: Path) -> None:
    cut = Accelerator(kind="cuda", state="present", index=1, name="H100 | 80GB", memory_total_bytes=80 << 30, mig=True)
    found = machine().model_copy(
        update={
            "libraries": {"ipfs-accel": "0.1.0", "torch": "2.13.0"},
            "accelerators": [cut, Accelerator(kind="npu", state="unknown", reason="no folder")],
            "runtimes": [Runtime(name="openvino", state="present", version="2026.4", computes_on=["CPU"])],
        }
    )
    lines = report(tmp_path, found).splitlines()
    assert lines[0] == "### ipfs-accel 0.1.0"
    assert "| cuda:1 | present | H100 \\| 80GB, 80.0 GiB, 0 slices |  |" in lines
    assert "| npu | unknown |  | no folder |" in lines
    assert "| engine torch | absent |  | needs torch, which is not installed |" in lines
    assert "| openvino | present | 2026.4, CPU |  |" in lines
    assert "Libraries: ipfs-accel 0.1.0, torch 2.13.0" in lines
    assert lines[-1] == "Settings that are not the default: none"


def test_it_tells_settings_that_were_changed_and_those_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "ipfs-accel.toml").write_text('[infer]\ndevice = "cuda"\nthreads = "many"\nengine = "auto"\n')
    last = report(tmp_path, IPFS_ACCEL_NETWORK_OFFLINE="true").splitlines()[-1]
    assert "`infer.device = cuda`" in last
    assert "`network.offline = True`" in last
    assert "`infer.threads` cannot be read" in last
    assert "infer.engine" not in last
    assert str(tmp_path) not in last


def test_a_share_and_an_interface_are_not_called_by_name(tmp_path: Path) -> None:
    found = machine().model_copy(
        update={
            "disks": [Disk(state="present", name="nas.example.org:/alice", place="/mnt/alice", file_system="nfs4")],
            "networks": [Network(state="present", name="wg-examplecorp", up=True, kind="virtual")],
        }
    )
    text = report(tmp_path, found)
    assert "nfs4" in text
    assert "1 virtual" in text
    for private in ("alice", "example.org", "examplecorp"):
        assert private not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot open /srv/people/alice/accel/x.db", "cannot open ~/x.db"),
        ("/srv/people/alice/accelerated", "/srv/people/USER/accelerated"),
        ("/home/bob/.cache and /Users/carol/x", "~/.cache and ~/x"),
        ("alice may not; malice may", "USER may not; malice may"),
    ],
)
def test_homes_and_user_names_are_replaced(text: str, shown: str) -> None:
    assert scrubbed(text, [Path("/srv/people/alice/accel"), Path("/")], "alice") == shown


def test_a_user_name_that_everybody_has_stays() -> None:
    assert scrubbed("/dev/mapper/root", [], "root") == "/dev/mapper/root"
