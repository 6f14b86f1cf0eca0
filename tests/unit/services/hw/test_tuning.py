"""What suits this machine, measured on layers or on a model of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, NotFound
from ipfs_accel_cli.services.hw.bench import tuning
from ipfs_accel_cli.services.hw.bench.measuring import QUICK
from tests.conformance import tiny_models

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


@needs_torch
def test_what_a_model_cannot_be_run_in_is_never_chosen(tmp_path: Path) -> None:
    import torch

    asked: list[tuple[str, int]] = []

    @contextmanager
    def loaded(dtype: str, threads: int) -> Iterator[tuple[int, Callable[[], None]]]:
        asked.append((dtype, threads))
        torch.set_num_threads(threads)

        def work() -> None:
            if dtype == "float16":
                raise MalformedContent("it answers with values that are no numbers")
            if dtype == "bfloat16":
                raise RuntimeError("no kernel for BFloat16")

        yield 32, work

    before = torch.get_num_threads()
    found = {one.name: one for one in tuning.tune(tmp_path, QUICK, "mine", loaded)}
    assert found["dtype"].value == "float32"
    assert {one.measured_on for name, one in found.items() if name != "hash_threads"} == {"the model mine"}
    assert {dtype for dtype, _ in asked} == {"float32", "bfloat16", "float16"}
    assert torch.get_num_threads() == before


def test_a_model_that_is_not_here_is_told_and_nothing_is_kept(node: Node) -> None:
    if find_spec("torch") is None:
        pytest.skip("torch is not installed")
    with pytest.raises(NotFound, match="nosuch"):
        node.benches.tune(quick=True, model="nosuch")
    assert node.benches.tuned().choices == []
    assert "hw tune" in node.benches.tuned().told


@pytest.mark.models
def test_a_model_is_tuned_for_and_runs_so_from_then_on(tmp_path: Path, node: Node) -> None:
    tiny_models.encoder(tmp_path / "encoder")
    node.models.add(tmp_path / "encoder", name="mine")
    found = {one.name: one for one in node.benches.tune(quick=True, model="mine").choices}
    assert found["threads"].measured_on == found["dtype"].measured_on == "the model mine"
    list(node.inference.embed(["a b"], model="mine", engine="torch", stats=True))
    (kept,) = node.fits.measured("mine")
    assert kept.dtype == found["dtype"].value


@pytest.mark.models
def test_a_model_that_only_writes_is_not_measured_on(tmp_path: Path, node: Node) -> None:
    tiny_models.decoder(tmp_path / "decoder")
    node.models.add(tmp_path / "decoder", name="writer")
    with pytest.raises(Invalid, match="neither embeds nor classifies"):
        node.benches.tune(quick=True, model="writer")
