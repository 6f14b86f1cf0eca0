"""What is measured of a model, what is said of it, and what two runs of it say together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Invalid, NotAuthorised, NotFound, Regressed
from ipfs_accel_cli.core.figures import Row
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.services.infer.bench import comparing, limits
from ipfs_accel_cli.services.infer.bench.limits import Limits
from ipfs_accel_cli.services.infer.bench.percentiles import of_latency, percentile
from ipfs_accel_cli.services.infer.bench.results import InferRun
from ipfs_accel_cli.services.infer.bench.service import InferBenches
from ipfs_accel_cli.services.infer.bench.wanted import Shape, Wanted, checked, numbers, pairs
from ipfs_accel_cli.services.infer.inference import Inference
from tests.conformance.plain_engine import engines, plain_model
from tests.unit.services.infer.serving import SETTINGS

QUICK = Wanted(prompts=(5,), news=(4,), repetitions=3, memory=False, quality=False)


@pytest.fixture
def model(tmp_path: Path) -> Loadable:
    return plain_model(tmp_path / "letters", step_ms=2)


@pytest.fixture
def benches(node: Node, model: Loadable) -> Iterator[InferBenches]:
    service = Inference(SETTINGS, lambda _name, _task: model, engines())
    yield InferBenches(service.opener, node.database, Limits())
    service.close()


def test_writing_is_measured_from_the_first_token_to_the_last(benches: InferBenches) -> None:
    run = benches.run(["letters"], replace(QUICK, batches=(1, 3), pairs=((5, 4),)))
    assert [test.test for test in run.tests] == ["pp5", "tg4", "pp5+tg4", "pp5 x3", "tg4 x3", "pp5+tg4 x3"]
    for test in run.tests:
        named = {figure.name: figure for figure in test.figures}
        assert test.repetitions == 3
        assert named["rate"].unit == "tokens/s"
        # A step of this engine takes 2 ms.
        assert named["ttft"].median is not None
        assert named["ttft"].median >= 0.002
        if test.n_gen:
            assert named["tpot"].median is not None
            assert 0.002 <= named["tpot"].median < 0.2
    tg = next(test for test in run.tests if test.test == "tg4").figures[0]
    assert tg.median is not None
    assert tg.median < 501
    assert benches.show("latest") == run
    assert [row.tests for row in benches.ls().runs] == [6]


def test_reading_is_measured_in_texts(benches: InferBenches) -> None:
    (test,) = benches.run(["letters"], replace(QUICK, prompts=(5,), batches=(4,)), task="embed").tests
    assert (test.test, test.n_batch, test.figures[0].unit) == ("4x5", 4, "texts/s")
    assert {figure.name for figure in test.figures} == {"rate", "latency"}


def test_a_shape_that_the_model_cannot_read_is_told_beside_the_others(benches: InferBenches) -> None:
    run = benches.run(["letters"], replace(QUICK, news=(4, 100_000)))
    assert [bool(test.reason) for test in run.tests] == [False, False, True]
    assert "100000" in run.tests[2].reason


@pytest.mark.parametrize(
    "wanted",
    [replace(QUICK, repetitions=0), replace(QUICK, batches=(0,)), replace(QUICK, prompts=(0,), news=())],
)
def test_what_cannot_be_measured_is_refused(wanted: Wanted) -> None:
    with pytest.raises(Invalid):
        checked(wanted)


def test_shapes_are_read_as_llama_bench_writes_them() -> None:
    assert numbers(["64,512", "64"], "-p", 1000) == (64, 512)
    assert pairs(["512,128"]) == ((512, 128),)
    assert Shape(0, 8, 16).name == "tg8 x16"
    for wrong in ("", "-1", "x", "1001", "1,,2"):
        with pytest.raises(Invalid):
            numbers([wrong], "-p", 1000)
    for wrong in ("512", "0,5", "5,0", "1,2,3"):
        with pytest.raises(Invalid):
            pairs([wrong])


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=300), st.sampled_from([0.9, 0.95, 0.99]))
def test_a_percentile_is_said_only_of_samples_enough(samples: list[float], share: float) -> None:
    found = percentile(samples, share)
    if len(samples) * (1 - Fraction(str(share))) < 5:
        assert found is None
    else:
        assert found in samples
        assert sum(sample <= found for sample in samples) >= share * len(samples)
        assert sum(sample < found for sample in samples) < share * len(samples)


def test_the_first_count_that_is_enough_is_enough() -> None:
    assert [percentile(range(count), 0.9) for count in (49, 50, 51)] == [None, 44, 45]
    assert [percentile(range(count), 0.95) for count in (99, 100)] == [None, 94]
    assert [percentile(range(count), 0.99) for count in (499, 500)] == [None, 494]


def test_a_single_new_token_has_no_time_per_token(benches: InferBenches) -> None:
    (test,) = benches.run(["letters"], replace(QUICK, prompts=(), news=(1,))).tests
    assert "no second token" in test.reason


def test_a_run_in_a_file_is_read_where_the_caller_may_read(benches: InferBenches, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(benches.run(["letters"], QUICK).model_dump_json())
    with using(Call(folders=(tmp_path / "other",))), pytest.raises(NotAuthorised):
        benches.show(str(tmp_path / "run.json"))
    with using(Call(folders=(tmp_path,))):
        assert benches.show(str(tmp_path / "run.json")).tests


def test_weights_are_counted_as_they_lie_in_memory_and_only_in_memory_that_was_measured(tmp_path: Path) -> None:
    assert limits.lying_in("bfloat16", "float32") == "float32"
    assert limits.lying_in(None, "float32") == "float32"
    assert limits.lying_in("int8", "float32") == "int8"
    share, why = limits.writing(Limits(lambda: 22_400.0), tmp_path, "cuda:0", "float32", 50.0, 1)
    assert share is None
    assert "cuda:0" in why


def test_few_samples_have_a_median_and_no_percentile() -> None:
    assert [row.name for row in of_latency("ttft", [1.0] * 30)] == ["ttft"]
    assert [row.name for row in of_latency("ttft", [1.0] * 60)] == ["ttft", "ttft-p90"]
    assert of_latency("ttft", []) == []


def test_a_run_that_is_slower_beyond_the_noise_is_a_regression(benches: InferBenches) -> None:
    run = benches.run(["letters"], QUICK)
    figures = [row(test.figures[0], 100.0) for test in run.tests]
    steady = run.model_copy(
        update={
            "tests": [
                test.model_copy(update={"figures": [figure]}) for test, figure in zip(run.tests, figures, strict=True)
            ]
        }
    )
    slower = changed(steady, 80.0)
    assert comparing.compare(steady, changed(steady, 97.0)).regressions == 0
    assert comparing.compare(slower, steady).regressions == 0
    found = comparing.compare(steady, slower)
    assert found.regressions == 2
    assert "20% worse" in comparing.told(found)
    with pytest.raises(Invalid, match="no figure in common"):
        comparing.compare(steady, steady.model_copy(update={"tests": []}))


def test_comparing_runs_of_files_ends_with_a_status_of_its_own(benches: InferBenches, tmp_path: Path) -> None:
    run = changed(benches.run(["letters"], QUICK), 100.0)
    (tmp_path / "before.json").write_text(run.model_dump_json())
    (tmp_path / "after.json").write_text(changed(run, 50.0).model_dump_json())
    with pytest.raises(Regressed) as told:
        benches.compare(str(tmp_path / "before.json"), str(tmp_path / "after.json"))
    assert told.value.exit_code == 4
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(Invalid, match="infer-bench/v1"):
        benches.show(str(tmp_path / "other.json"))
    with pytest.raises(NotFound):
        benches.show("nosuch")


def test_the_table_of_embeddings_is_not_multiplied_unless_it_is_the_head(tmp_path: Path) -> None:
    tensors = {
        "model.embed_tokens.weight": numpy.zeros((10, 4), "float32"),
        "layer.weight": numpy.zeros((4, 4), "float32"),
    }
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    assert limits.multiplied(tmp_path) == 16
    (tmp_path / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    assert limits.multiplied(tmp_path) == 56
    save_file({**tensors, "lm_head.weight": numpy.zeros((10, 4), "float32")}, tmp_path / "model.safetensors")
    assert limits.multiplied(tmp_path) == 56
    share, of = limits.writing(Limits(lambda: 22_400.0), tmp_path, "cpu", "float32", 50.0, 1)
    assert (share, of) == (0.5, "memory bandwidth")
    assert limits.writing(Limits(), tmp_path, "cpu", "float32", 50.0, 1)[0] is None


def row(figure: Row, median: float) -> Row:
    return figure.model_copy(update={"median": median, "mad": 0.5, "noisy": False, "samples": 9})


def changed(run: InferRun, median: float) -> InferRun:
    tests = [test.model_copy(update={"figures": [row(test.figures[0], median)]}) for test in run.tests]
    return run.model_copy(update={"tests": tests})
