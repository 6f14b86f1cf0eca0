#!/usr/bin/env python3
"""Is `hw fit` right? Predicted memory beside measured memory, for models of different kinds in three shapes each.

    python scripts/bench_fit.py [--only bert llama] [--shapes 1] [--within 0.20]

Models of 64 MiB or more with random weights are written by transformers, described from their headers, then loaded
with the engine's own loading code and run in a fresh process each. Measured is the peak of resident memory (VmHWM)
above what was resident after the imports. Exits 1 when a prediction is further off than `--within`, or when counting
weights alone comes closer over all.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import fit_models

from ipfs_accel_cli.services.hw.fit import headers, judging, measurements
from ipfs_accel_cli.services.hw.fit.arithmetic import Shape

MIB = 1 << 20


def main() -> int:
    """Print the table and return the exit status."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--only", nargs="*", default=list(fit_models.NAMES), choices=fit_models.NAMES)
    asked.add_argument("--shapes", type=int, default=3)
    asked.add_argument("--repeats", type=int, default=3, help="runs of each shape, of which the median counts")
    asked.add_argument("--within", type=float, default=0.20)
    options = asked.parse_args()
    print("model     context batch  weights predicted measured     off weights off")
    ours, theirs = [], []
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            for off, naive in compared(name, Path(folder) / name, options.shapes, options.repeats):
                ours.append(abs(off))
                theirs.append(abs(naive))
    outside = sum(off > options.within for off in ours)
    print(
        f"{len(ours)} runs, {outside} outside {options.within:.0%}; median off {statistics.median(ours):.1%}, worst"
        f" {max(ours):.1%}; weights alone: median {statistics.median(theirs):.1%}, worst {max(theirs):.1%}"
    )
    return 1 if outside or statistics.mean(ours) >= statistics.mean(theirs) else 0


def compared(name: str, folder: Path, shapes: int, repeats: int) -> list[tuple[float, float]]:
    """Return (error of the prediction, error of weights alone) for each shape of a model."""
    # In a process of its own, so that this one stays small beside what is measured.
    made = "import sys, fit_models as made; print(made.build(sys.argv[1], made.Path(sys.argv[2])))"
    command = [sys.executable, "-c", made, name, str(folder)]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    model = judging.model_of(headers.describe(str(folder), Path))
    rows = []
    for context, batch in fit_models.SHAPES[done.stdout.split()[-1]][:shapes]:
        need = judging.need(model, Shape(context, batch, measurements.NEW_TOKENS), "float32", "float32")
        runs = [measurements.run(folder, context=context, batch=batch, dtype="float32") for _ in range(repeats)]
        took = statistics.median(run["increment_bytes"] for run in runs)
        off, naive = need.total / took - 1, need.weights / took - 1
        print(
            f"{name:9} {context:7} {batch:5} {need.weights / MIB:8.0f} {need.total / MIB:9.0f} {took / MIB:8.0f}"
            f" {off:+7.1%} {naive:+11.1%}",
            flush=True,
        )
        rows.append((off, naive))
    return rows


if __name__ == "__main__":
    sys.exit(main())
