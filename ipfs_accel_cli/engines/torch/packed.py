"""Matrices in 8 bits, packed as FBGEMM reads them: for few tokens up to four times as fast as row by row."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor

# Smaller matrices are called longer than they are read.
LEAST_NUMBERS = 1 << 18
# FBGEMM takes states as unsigned bytes: this one stands for zero.
_ZERO = 128
# Halves of states are from -64 to 63, and so unsigned bytes below 128: a pair of products fits 16 bits.
_HALF_ZERO = 64


class Packed:
    """A matrix (rows, columns) of int8 in the order in which a processor multiplies by it.

    One of 32,000 x 512 takes 0.4 instead of 1.9 ms for a token and instead of 2.4 for four; 64 tokens take as long as
    unpacked, 512 up to a quarter longer (one thread, AVX-512 with VNNI). With AVX2 alone, in halves, one of 2,048 x
    1,024 takes 0.5 instead of 2.3 ms for a token and 16 instead of 134 ms for 64.
    """

    def __init__(self, matrix: Tensor) -> None:
        rows = matrix.shape[0]
        with warnings.catch_warnings():
            # torch would have everybody move to another library; these products stay.
            warnings.simplefilter("ignore")
            whole = torch._make_per_channel_quantized_tensor(
                matrix, torch.ones(rows), torch.zeros(rows, dtype=torch.long), 0
            )
        self._packed: Any = torch.ops.quantized.linear_prepack(whole, None)

    def sums(self, states: Tensor, *, halves: bool | None = None) -> Tensor:
        """Return the products (tokens, rows) of states (tokens, columns), whole numbers from -127 to 127 in float32.

        They are summed in 32 bits: the result is to the bit what `torch._int_mm` gives, as float32, as long as the sums
        are below 2**24. With `halves`, which is chosen for this processor where it is None, each state goes as half of
        itself and what is left of it, in one product: no pair of those is cut.
        """
        multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32
        if not (summed() == "halves" if halves is None else halves):
            found: Tensor = multiply(states, 1.0, _ZERO, self._packed)
            return found
        tokens = len(states)
        both = states.new_empty((2 * tokens, states.shape[1]))
        half, left = both[:tokens], both[tokens:]
        torch.mul(states, 0.5, out=half).floor_()
        torch.sub(states, half, alpha=2, out=left)
        sums: Tensor = multiply(both, 1.0, _HALF_ZERO, self._packed)
        return torch.add(sums[tokens:], sums[:tokens], alpha=2)


def packed(matrix: Tensor) -> Packed | None:
    """Return a matrix of int8 packed, or None where that is not faster or not exact."""
    if matrix.device.type != "cpu" or matrix.numel() < LEAST_NUMBERS or summed() is None:
        return None
    return Packed(matrix)


@cache
def summed() -> Literal["whole", "halves"] | None:
    """Say how this processor sums packed products exactly; without VNNI, pairs of large ones are cut to 16 bits."""
    matrix = torch.full((64, 256), 127, dtype=torch.int8)
    matrix[1::2] = -127
    states = torch.full((4, 256), 127, dtype=torch.int8)
    states[1::2] = -127
    expected = torch._int_mm(states, matrix.t()).float()
    try:
        small = Packed(matrix)
        for way in ("whole", "halves"):
            found = [small.sums(states[:tokens].float(), halves=way == "halves") for tokens in (1, 4)]
            if all(torch.equal(one, expected[: len(one)]) for one in found):
                return way
    except (RuntimeError, AttributeError):
        # A build of torch without FBGEMM, as for ARM.
        return None
    return None
