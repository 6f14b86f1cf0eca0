"""What it costs to start: CPU time of whole commands, interleaved, as ratios to `python -c pass`."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 15
LIMITS = {"ipfs-accel --help, plain": 9.0, "ipfs-accel hw info --json": 20.0}


def cpu_ms(arguments: list[str], environment: dict[str, str]) -> float:
    """Run a command and return the CPU time of its process in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def main() -> int:
    here = Path(sys.executable).parent
    ours = [str(here / "ipfs-accel")]
    # An installed package has its bytecode; without it, compiling would be measured.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    plain = environment | {"TYPER_USE_RICH": "0"}
    rich = environment | {"TYPER_USE_RICH": "1"}
    cases = {
        "python -c pass": ([sys.executable, "-c", "pass"], plain),
        "ipfs-accel --version": ([*ours, "--version"], plain),
        "ipfs-accel --help, plain": ([*ours, "--help"], plain),
        "ipfs-accel --help, rich": ([*ours, "--help"], rich),
        "ipfs-accel hw info --json": ([*ours, "hw", "info", "--json"], plain),
        "ipfs-accel model ls --json": ([*ours, "model", "ls", "--json"], plain),
    }
    if (here / "hf").exists() or shutil.which("hf"):
        cases["hf --help"] = ([str(here / "hf") if (here / "hf").exists() else "hf", "--help"], plain)
    for arguments, environment in cases.values():
        cpu_ms(arguments, environment)
    samples: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, (arguments, environment) in cases.items():
            samples[name].append(cpu_ms(arguments, environment))
    base = statistics.median(samples["python -c pass"])
    print(f"medians of {ROUNDS} rounds, the commands in turn; what starts a process is the same for all of them")
    for name, values in samples.items():
        print(f"{statistics.median(values):8.1f} ms CPU  {statistics.median(values) / base:6.1f}x  {name}")
    ratios = {name: statistics.median(samples[name]) / base for name in LIMITS}
    for name, ratio in ratios.items():
        verdict = "held" if ratio <= LIMITS[name] else "MISSED"
        print(f"{verdict:7} {name}: {ratio:.1f}x of python -c pass, wanted <= {LIMITS[name]:g}x")
    return 0 if all(ratio <= LIMITS[name] for name, ratio in ratios.items()) else 1


if __name__ == "__main__":
    sys.exit(main())
