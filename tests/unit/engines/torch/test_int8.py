"""Weights in 8 bits: never off by more than half a step, and computed with as if they were floats."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from ipfs_accel_cli.engines.torch import packed as packing  # noqa: E402
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


def layers(rows: int, columns: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Int8Linear, Int8Linear]:
    """Return the same weights as they lie in a file, and packed."""
    if packing.summed() is None:
        pytest.skip("this processor or build of torch sums packed products otherwise, so they are not used")
    monkeypatch.setattr(packing, "LEAST_NUMBERS", 0)
    whole, scale = rounded(torch.randn(rows, columns))
    plain, quick = (filled(Int8Linear(columns, rows, bias=True), whole.clone(), scale) for _ in range(2))
    quick.pack()
    assert not quick.weight.numel()
    return plain, quick


@pytest.mark.parametrize(("rows", "columns"), [(64, 40), (40, 256), (1001, 77)])
@pytest.mark.parametrize("tokens", [1, 3, 16, 70])
def test_a_packed_layer_answers_to_the_bit_as_before(
    rows: int, columns: int, tokens: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    plain, quick = layers(rows, columns, monkeypatch)
    states = torch.randn(tokens, columns)
    states[0] *= 1000
    with torch.inference_mode():
        assert torch.equal(quick(states), plain(states))


def test_sums_of_the_largest_numbers_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    layers(32, 32, monkeypatch)
    whole = packing.Packed(torch.full((48, 512), 127, dtype=torch.int8))
    for sign in (1, -1):
        assert torch.equal(
            whole.sums(torch.full((5, 512), 127.0 * sign)), torch.full((5, 48), 127.0 * 127 * 512 * sign)
        )


@pytest.mark.parametrize("tokens", [1, 3, 16, 70])
def test_sums_of_halves_are_exact_on_every_processor(tokens: int, monkeypatch: pytest.MonkeyPatch) -> None:
    layers(32, 32, monkeypatch)
    torch.manual_seed(1)
    for matrix, states in (
        (torch.randint(-127, 128, (48, 300), dtype=torch.int8), torch.randint(-127, 128, (tokens, 300))),
        (torch.full((48, 512), -127, dtype=torch.int8), torch.full((tokens, 512), 127)),
        (torch.full((48, 512), 127, dtype=torch.int8), torch.full((tokens, 512), -127)),
    ):
        expected = torch._int_mm(states.to(torch.int8), matrix.t()).float()
        assert torch.equal(packing.Packed(matrix).sums(states.float(), halves=True), expected)


def test_packed_states_without_any_size_stay_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, quick = layers(32, 32, monkeypatch)
    with torch.inference_mode():
        assert torch.equal(quick(torch.zeros(2, 32)), plain(torch.zeros(2, 32)))


def test_a_token_is_computed_as_it_is_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    _, quick = layers(200, 64, monkeypatch)
    states = torch.randn(32, 64)
    with torch.inference_mode():
        alone = torch.cat([quick(states[at : at + 1]) for at in range(32)])
        assert torch.equal(quick(states), alone)


def test_a_table_that_shares_its_matrix_with_a_packed_head_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, _ = layers(64, 16, monkeypatch)
    table, head = Int8Embedding(64, 16, None), Int8Linear(16, 64, bias=False)
    head.weight = table.weight = plain.weight
    head.pack()
    assert not head.weight.numel()
    assert table(torch.tensor([3])).shape == (1, 16)
