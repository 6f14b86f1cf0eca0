"""How well the torch engine says that models run on machines of several sizes."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.engines.base import Device, Machine, ModelFacts
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from ipfs_accel_cli.engines.torch.memory import WORKING_BYTES, needed_bytes

pytestmark = pytest.mark.models

GIB = 1 << 30
MODEL = ModelFacts("m", "cid", ("LlamaForCausalLM",), "llama", parameters=GIB, weight_bytes=2 * GIB, dtype="bfloat16")


def machine(available_gib: float, *devices: Device) -> Machine:
    return Machine(4, 0.0, int(available_gib * GIB), (Device("cpu"), *devices))


def test_half_precision_weights_take_twice_their_size_in_float32() -> None:
    assert needed_bytes(MODEL) == 4 * GIB + WORKING_BYTES
    unknown = ModelFacts("m", "cid", weight_bytes=2 * GIB, dtype="bfloat16")
    assert needed_bytes(unknown) == needed_bytes(MODEL)


@pytest.mark.parametrize(("available", "score"), [(8, 0.8), (4.3, 0.8), (3, 0.2), (1.5, 0.0)])
def test_memory_decides_between_whole_partly_and_not_at_all(available: float, score: float) -> None:
    assert TorchEngine().fit(MODEL, machine(available)).score == score


def test_an_accelerator_that_holds_the_weights_as_stored_is_preferred() -> None:
    fit = TorchEngine().fit(MODEL, machine(64, Device("cuda:0", GIB), Device("cuda:1", 3 * GIB)))
    assert (fit.score, fit.device, fit.dtype) == (1.0, "cuda:1", "bfloat16")


def test_an_accelerator_that_is_too_small_leaves_the_processor() -> None:
    fit = TorchEngine().fit(MODEL, machine(64, Device("cuda:0", GIB)))
    assert (fit.score, fit.device, fit.dtype) == (0.8, "cpu", "float32")
