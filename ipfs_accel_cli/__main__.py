"""Start the command line: `--version` at once, help plain unless a person is looking."""

from __future__ import annotations

import gc
import os
import sys

# Starting makes many objects and drops few, so that looking for garbage at every 700 of them is lost time.
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def main() -> None:
    """Run `ipfs-accel` with the arguments of this process and exit with its status."""
    if sys.argv[1:] == ["--version"]:
        from ipfs_accel_cli import __version__

        sys.stdout.write(f"ipfs-accel {__version__}\n")
        return
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        os.environ.setdefault("TYPER_USE_RICH", "0")
    # Looking for plug-ins of pydantic reads the metadata of everything installed, which costs more than most commands.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from ipfs_accel_cli.surfaces.cli.main import run

    status = run(sys.argv[1:])
    # The interpreter looks through all objects several times while it ends; nothing here waits to be found by that.
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
