"""Start the command line: `--version` at once, help plain unless a person is looking."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run `ipfs-accel` with the arguments of this process and exit with its status."""
    if sys.argv[1:] == ["--version"]:
        from ipfs_accel_cli import __version__

        sys.stdout.write(f"ipfs-accel {__version__}\n")
        return
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        os.environ.setdefault("TYPER_USE_RICH", "0")
    from ipfs_accel_cli.surfaces.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
