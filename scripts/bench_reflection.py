"""How long it takes to import commands and to make MCP tools of them, each time in a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

COMMANDS = 60

# What any program of ours has imported by then is not counted on either side.
MEASURE = """
import importlib, json, sys, time
import typer, pydantic, mcp.server
from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import OWNER
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.surfaces.cli import command, lazy
from ipfs_accel_cli.surfaces.mcp.session import ServerState
from ipfs_accel_cli.surfaces.mcp.tool import CommandTool
from ipfs_accel_cli.surfaces.mcp.walk import commands
module, sources = sys.argv[1], json.loads(sys.argv[2])
start = time.perf_counter()
app = importlib.import_module(module).app
for name in sources:
    importlib.import_module(name)
imported = time.perf_counter()
with Node() as node:
    state = ServerState(node, OWNER)
    tools = [CommandTool.of(found, state) for found in commands(app)]
reflected = time.perf_counter()
print(json.dumps([len(tools), imported - start, reflected - imported]))
"""

HEAD = """
from pathlib import Path
from typing import Annotated, Literal
from typer import Argument, Option, Typer
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.stream import Stream
app = Typer(help="Commands made up.")
"""
ONE = '''
class Part{n}(Result):
    """A part of what the command found."""
    name: str
    size_bytes: int

class Found{n}(Result):
    """What the command found."""
    name: str
    parts: list[Part{n}]
    ratio: float
    state: Literal["ok", "warning", "failed"]
    remedy: str | None = None

@app.command()
@effects(READ)
def find{n}(
    reference: Annotated[str, Argument(metavar="CID[/PATH]", help="CID, CID/path, /ipfs/CID/path or ipfs://CID/path.")],
    offset: Annotated[int, Option(min=0, metavar="BYTES", help="Where to begin.")] = 0,
    kind: Annotated[Literal["all", "some"] | None, Option(help="What of it; else all.")] = None,
    output: Annotated[Path | None, Option("--output", "-o", help="Where to write; else nowhere.")] = None,
) -> Found{n}:
    """Find what is there, and say how much of it.

    Examples:
        ipfs-accel made up find{n} bafy…
    """
    raise NotImplementedError
'''


def synthetic() -> tuple[int, float, float]:
    """Measure sixty made-up commands of four parameters with results of two models."""
    with tempfile.TemporaryDirectory() as folder:
        text = HEAD + "".join(ONE.replace("{n}", str(number)) for number in range(COMMANDS))
        Path(folder, "made_up.py").write_text(text)
        _measure("made_up", [], folder)  # So that the bytecode is there, as it is for an installed program.
        return _measure("made_up", [], folder)


def ours() -> tuple[int, float, float]:
    """Measure all commands that there are."""
    from ipfs_accel_cli.app import app

    lazy = getattr(app.info.cls, "lazy", {})
    return _measure("ipfs_accel_cli.app", [one.reference.partition(":")[0] for one in lazy.values()], "")


def _measure(module: str, sources: list[str], folder: str) -> tuple[int, float, float]:
    path = os.pathsep.join(part for part in (folder, os.environ.get("PYTHONPATH", "")) if part)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, module, json.dumps(sources)],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    count, imported, reflected = json.loads(done.stdout)
    return count, imported, reflected
