"""Weights in 8 bits: never off by more than half a step, and computed with as if they were floats."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from ipfs_accel_cli.engines.torch.int8 import Int8Embedding, Int8Linear, convert, convertible, rounded  # noqa: E402


def filled(layer: torch.nn.Module, whole: torch.Tensor, scale: torch.Tensor) -> torch.nn.Module:
    layer.weight.data, layer.weight_scale.data = whole.reshape(-1), scale
    return layer


@pytest.mark.parametrize("rows", [torch.randn(5, 7), torch.zeros(3, 4), torch.tensor([[1e-30, 0.0], [3e4, -1e-3]])])
def test_no_weight_is_off_by_more_than_half_a_step(rows: torch.Tensor) -> None:
    whole, scale = rounded(rows)
    assert whole.dtype == torch.int8
    assert whole.abs().max() <= 127
    assert ((whole * scale.unsqueeze(1) - rows).abs() <= scale.unsqueeze(1) * 0.5001).all()


@pytest.mark.parametrize("tokens", [1, 2, 17, 64])
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_answers_as_its_float_form_does_nearly(tokens: int, bias: bool) -> None:
    torch.manual_seed(0)
    plain = torch.nn.Linear(40, 24, bias=bias)
    small = filled(Int8Linear(40, 24, bias=bias), *rounded(plain.weight))
    if bias:
        small.bias.data = plain.bias.data
    states = torch.randn(2, tokens, 40)
    states[0, 0] *= 1000  # One token with large numbers costs the others nothing.
    with torch.inference_mode():
        found, expected = small(states), plain(states)
    assert found.shape == expected.shape
    off = (found - expected).norm(dim=-1) / expected.norm(dim=-1)
    assert off.max() < 0.03


def test_a_table_gives_the_rows_that_are_asked_for() -> None:
    plain = torch.nn.Embedding(9, 6)
    small = filled(Int8Embedding(9, 6, None), *rounded(plain.weight))
    ids = torch.tensor([[0, 8, 3]])
    assert torch.allclose(small(ids), plain(ids), atol=0.02)


def test_only_plain_layers_are_converted() -> None:
    class Scaled(torch.nn.Linear):
        pass

    model = torch.nn.Sequential(torch.nn.Linear(3, 3), Scaled(3, 3), torch.nn.LayerNorm(3))
    assert set(convertible(model)) == {"0"}
    convert(model)
    assert [type(layer).__name__ for layer in model] == ["Int8Linear", "Scaled", "LayerNorm"]
