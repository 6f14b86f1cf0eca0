#!/usr/bin/env python3
"""Inference beside the plain libraries, as ratios of paired runs: one section a script.

python scripts/bench_infer.py [SECTION ...] [-- OPTIONS of the sections]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SECTIONS = ("embed",)


def main() -> None:
    """Run the sections that are named, else all; fail when one does."""
    given = sys.argv[1:]
    at = given.index("--") if "--" in given else len(given)
    names, options = given[:at] or list(SECTIONS), given[at + 1 :]
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        sys.exit(f"no section {unknown[0]!r}; there are: {', '.join(SECTIONS)}")
    here = Path(__file__).resolve().parent
    failed = [name for name in names if _status(here / f"bench_{name}.py", options)]
    sys.exit(bool(failed))


def _status(script: Path, options: list[str]) -> int:
    return subprocess.run([sys.executable, str(script), *options]).returncode


if __name__ == "__main__":
    main()
