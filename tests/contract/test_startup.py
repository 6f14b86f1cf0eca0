"""What the first second of a command loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAVY = ("pydantic", "torch", "mcp", "httpx", "huggingface_hub", "transformers", "rich", "sqlite3", "numpy")


def loaded_after(*arguments: str, plain: bool = True) -> set[str]:
    code = f"""
import json, os, sys
sys.argv = ["ipfs-accel", *{list(arguments)!r}]
{'os.environ["TYPER_USE_RICH"] = "0"' if plain else ""}
from ipfs_accel_cli.__main__ import main
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unmeasured())
    return set(json.loads(done.stderr.splitlines()[-1]))


def unmeasured() -> dict[str, str]:
    """Return the environment without what starts the measuring of coverage, which loads sqlite3 and more."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}


def test_root_help_loads_no_heavy_library() -> None:
    assert loaded_after("--help").isdisjoint(HEAVY)


def test_version_does_not_even_load_typer() -> None:
    assert loaded_after("--version").isdisjoint({*HEAVY, "typer"})


@pytest.mark.parametrize("group", ["hw", "model", "infer", "peer", "search", "store", "config", "mcp"])
def test_help_of_a_group_loads_no_engine_and_no_network_library(group: str) -> None:
    assert loaded_after(group, "--help").isdisjoint(
        {"torch", "transformers", "mcp", "httpx", "huggingface_hub", "numpy"}
    )


def test_showing_the_hardware_does_not_load_torch() -> None:
    assert loaded_after("--json", "hw", "info").isdisjoint(
        {"torch", "transformers", "mcp", "huggingface_hub", "rich", "sqlite3"}
    )


def test_a_command_in_a_module_of_its_name_is_imported_without_the_others() -> None:
    loaded = loaded_after("--json", "hw", "info")
    assert "ipfs_accel_cli.commands.hw.info" in loaded
    assert loaded.isdisjoint({"ipfs_accel_cli.commands.hw.fit", "ipfs_accel_cli.services.hw.fit.results", "psutil"})
