"""Speeds that were measured, and what an encoder should do before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import HomeUnusable
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.formats.tensors import Tensor
from ipfs_accel_cli.services.hw.bench.newest import products
from ipfs_accel_cli.services.hw.fit import bandwidth, judging
from ipfs_accel_cli.services.hw.fit.arithmetic import Shape
from ipfs_accel_cli.services.hw.fit.bandwidth import Rate
from ipfs_accel_cli.services.hw.fit.headers import Described
from ipfs_accel_cli.services.hw.fit.measurements import Measurements
from ipfs_accel_cli.services.hw.fit.pace import speed, text_flop
from ipfs_accel_cli.services.hw.fit.shape import stacks
from ipfs_accel_cli.services.hw.fit.speeds import Pace, told

BERT_BASE: dict[str, Any] = {
    **{"architectures": ["BertModel"], "model_type": "bert", "hidden_size": 768, "num_hidden_layers": 12},
    **{"num_attention_heads": 12, "intermediate_size": 3072, "vocab_size": 30522, "max_position_embeddings": 512},
}
HERE = "this"
PACE = Pace("torch", "cpu", "float32", 40.0, "texts/s", context=20, batch=32)


@pytest.fixture
def kept(tmp_path: Path) -> Measurements:
    return Measurements(Database(Home.locate(tmp_path / "home")))


def nearest(kept: Measurements, context: int, batch: int = 1, **asked: Any) -> Pace | None:
    wanted = {"device": "cpu", "dtype": "float32", "any_dtype": False} | asked
    return kept.speeds.nearest(HERE, "model", context=context, batch=batch, **wanted)


def test_the_products_of_bert_base_are_two_for_each_weight_of_a_layer_and_token() -> None:
    (tower,) = stacks(BERT_BASE, {})
    layers = 12 * (4 * 768 * 768 + 2 * 768 * 3072)
    assert text_flop(tower, 1) == pytest.approx(2 * layers, rel=0.001)
    # The paper's 22.5 billion for 128 tokens, with the scores.
    assert text_flop(tower, 128) == pytest.approx(22.3e9, rel=0.02)


def test_an_encoder_is_bound_by_products_and_unknown_until_they_were_measured() -> None:
    model = judging.model_of(
        Described("bert", "safetensors", (Tensor("w", "float32", (9,), 36),), BERT_BASE, {}, 0, "")
    )
    need = judging.need(model, Shape(128, 1), "float32", "float32")
    found = speed(model, need, Shape(128, 1), Rate(None), Rate(223e9))
    assert found.basis == "estimate"
    assert found.inputs_s == pytest.approx(10, rel=0.03)
    assert found.tokens_s == pytest.approx(1280, rel=0.03)
    assert found.reason.startswith("measured products of 223.0 GFLOP/s")
    unknown = speed(model, need, Shape(128, 1), Rate(5e9), bandwidth.products("cpu", "float32", lambda *_: None))
    assert (unknown.basis, unknown.inputs_s) == ("unknown", None)
    assert "hw bench cpu" in unknown.reason
    elsewhere = bandwidth.products("cuda:0", "float16", lambda *_: 1e12, name="l4")
    assert (elsewhere.value, elsewhere.reason) == (None, "nobody says how fast cuda:0 of l4 multiplies matrices")


def test_of_encoders_the_nearest_shape_counts_and_it_is_named(kept: Measurements) -> None:
    assert nearest(kept, 20) is None
    kept.speeds.record(HERE, "model", PACE)
    kept.speeds.record(HERE, "model", replace(PACE, context=200, value=5.0))
    found = nearest(kept, 512)
    assert found is not None
    assert (found.value, found.context, found.batch) == (5.0, 200, 32)
    shown = told(found)
    assert (shown.inputs_s, shown.tokens_s, shown.basis, shown.figure) == (5.0, 1000.0, "measured", "5 texts/s")
    assert shown.reason.endswith("by torch in float32 on cpu with texts of 200 tokens, 32 at a time")


def test_of_decoders_only_the_same_batch_counts(kept: Measurements) -> None:
    kept.speeds.record(HERE, "model", replace(PACE, unit="tokens/s", batch=1))
    assert nearest(kept, 100, batch=2) is None
    assert nearest(kept, 100, batch=1) is not None


def test_a_later_run_takes_the_place_of_the_same_engines_and_the_faster_engine_is_shown(kept: Measurements) -> None:
    for pace in (PACE, replace(PACE, value=30.0), replace(PACE, engine="onnx", value=35.0)):
        kept.speeds.record(HERE, "model", pace)
    found = nearest(kept, 20)
    assert found is not None
    assert (found.engine, found.value) == ("onnx", 35.0)
    assert [one.value for one in kept.all(HERE, "model") if one.engine == "torch"] == [30.0]


def test_another_dtype_stands_in_only_where_none_was_asked_for_and_another_device_never(kept: Measurements) -> None:
    kept.speeds.record(HERE, "model", replace(PACE, dtype="bfloat16"))
    assert nearest(kept, 20) is None
    assert nearest(kept, 20, any_dtype=True) is not None
    assert nearest(kept, 20, any_dtype=True, device="cuda:0") is None


def test_all_that_was_measured_of_a_model_is_listed_with_its_machine(kept: Measurements) -> None:
    kept.speeds.record(HERE, "model", PACE)
    kept.speeds.record("other", "model", replace(PACE, unit="tokens/s"))
    kept.record(HERE, "model", "float32", 16, 1, increment_bytes=1000)
    found = kept.all(HERE, "model")
    assert {(one.machine, one.here, one.kind, one.unit, one.value) for one in found} == {
        ("this", True, "speed", "texts/s", 40.0),
        ("other", False, "speed", "tokens/s", 40.0),
        ("this", True, "memory", "bytes", 1000),
    }
    assert kept.all(HERE, "another") == []


def test_speeds_of_an_earlier_version_are_taken_over(tmp_path: Path) -> None:
    from ipfs_accel_cli.services.hw.fit.measurements import MIGRATIONS, OWNER

    database = Database(Home.locate(tmp_path / "home"))
    database.migrate(OWNER, MIGRATIONS[:1])
    with database.write() as connection:
        connection.execute("INSERT INTO fit_measurements VALUES ('this', 'model', 'float32', 16, 1, NULL, 7.5, 'then')")
    kept = Measurements(database)
    assert nearest(kept, 16) == Pace("torch", "cpu", "float32", 7.5, "tokens/s", 16, 1, "then")
    assert kept.of(HERE, "model", "float32", 16, 1) is None


def test_a_home_that_is_only_read_holds_no_measurements(kept: Measurements, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Database, owner: str, steps: object) -> None:
        raise HomeUnusable("read-only")

    monkeypatch.setattr(Database, "migrate", refuse)
    shape = {"device": "cpu", "dtype": "float32", "context": 1, "batch": 1, "any_dtype": False}
    assert kept.nearest(HERE, "model", **shape) is None
    assert (kept.of(HERE, "model", "float32", 1, 1), kept.all(HERE, "model")) == (None, [])


def test_products_are_read_from_the_newest_run_of_this_machine(tmp_path: Path) -> None:
    database = Database(Home.locate(tmp_path / "home"))
    assert products(database, lambda: "m", "cpu", "float32") is None
