"""A device that a driver imitates on the processor is never preferred to the processor itself."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.services.hw.fit.budget import room, rooms
from ipfs_accel_cli.services.hw.fit.requiring import Wanted, check
from ipfs_accel_cli.services.hw.results import Accelerator, Machine
from tests.unit.services.hw.machines import GIB, machine

LLVMPIPE = Accelerator(
    kind="webgpu", state="present", index=0, name="llvmpipe", memory_total_bytes=64 * GIB, software=True
)


def imitating(gpus: int = 0) -> Machine:
    real = machine(16, gpus=gpus)
    return real.model_copy(update={"accelerators": [LLVMPIPE, *real.accelerators]})


def test_the_processor_is_chosen_before_a_software_adapter_however_much_memory_it_claims() -> None:
    assert room(imitating(), None, now=False).device == "cpu"
    assert [one.device for one in rooms(imitating(), now=True)] == ["cpu"]


def test_a_real_device_beside_it_still_counts() -> None:
    assert room(imitating(gpus=1), None, now=False).device == "cuda:0"


def test_a_software_adapter_cannot_be_asked_for_as_memory() -> None:
    with pytest.raises(Invalid, match="webgpu"):
        room(imitating(), "webgpu", now=False)


def test_a_software_adapter_meets_no_requirement_of_a_gpu() -> None:
    for wanted in (Wanted(gpu="any"), Wanted(gpu="webgpu"), Wanted(gpu_memory="1GiB")):
        assert [row.met for row in check(wanted, imitating())] == [False]


@pytest.mark.models
def test_every_engine_lists_the_processor_first_and_no_software_adapter() -> None:
    for name in ENGINES.names():
        devices = [device.name for device in ENGINES.load(name)().devices()]
        assert devices[0] == ("remote" if name == "remote" else "cpu")
        assert not any(device.startswith("webgpu") for device in devices)
