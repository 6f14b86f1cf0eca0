"""The process of its own in which a model is really loaded and run: `python -m …fit.child FOLDER SHAPE` writes JSON.

A fresh process, because only then is its peak the model's alone. The base is what is resident after the libraries and
the model's own module are imported; the increment is the peak above it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> None:
    """Load, run, and write what it took to standard output."""
    folder, shape = Path(arguments[0]), json.loads(arguments[1])
    json.dump(measured(folder, shape), sys.stdout)


def measured(folder: Path, shape: dict[str, Any]) -> dict[str, Any]:
    """Return base_bytes, increment_bytes and tokens_s of one load and its passes at a shape.

    `shape` holds context, batch, new_tokens and dtype.
    """
    import torch
    from transformers import AutoConfig

    from ipfs_accel_cli.engines.base import Plan
    from ipfs_accel_cli.engines.machine import measure
    from ipfs_accel_cli.engines.threads import threads
    from ipfs_accel_cli.engines.tokenizing import quiet
    from ipfs_accel_cli.engines.torch.allocator import return_large_blocks
    from ipfs_accel_cli.engines.torch.weights import load_model
    from ipfs_accel_cli.services.hw.fit import running

    machine = measure(())
    torch.set_num_threads(threads(machine.cores, machine.busy_cores))
    with quiet(), torch.inference_mode():
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        auto = running.auto_class(config)
        _import_module(auto, config)
        _warm_libraries(torch)
        if not running.encodes_text(auto, config):
            return_large_blocks()  # As the engine does, but for encoders of text.
        base = _resident_bytes()
        _forget_peak()
        model = load_model(auto, folder, Plan("measure", dtype=shape["dtype"]), spare=("pooler",))
        tokens, seconds = running.run(model, running.Wanted(shape["context"], shape["batch"], shape["new_tokens"]))
        peak = _peak_bytes()
    return {
        "base_bytes": base,
        "increment_bytes": max(0, peak - base),
        "tokens_s": tokens / seconds if seconds else None,
    }


def _import_module(auto: Any, config: Any) -> None:
    """Import the model's own class, whose code belongs to the base and not to the weights."""
    auto._model_mapping[type(config)]


def _warm_libraries(torch: Any) -> None:
    # The first product starts the thread pool and loads the kernels, some tens of MiB that no model is to blame for.
    a = torch.ones(64, 64)
    torch.nn.functional.softmax(a @ a, dim=-1).sum().item()


def _forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # Then the peak includes what the imports took for a moment.


def _resident_bytes() -> int:
    return _status("VmRSS")


def _peak_bytes() -> int:
    return _status("VmHWM")


def _status(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
    except (OSError, StopIteration):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main(sys.argv[1:])
