"""A server of our own whose commands count, chatter, log and go on for ever: `python -m tests.servers.mcp_commands`.

Over standard input and output, or with a port as its argument over HTTP.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from typer import Argument

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import OWNER, current
from ipfs_accel_cli.core.effects import READ, declared_effects, effects
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.surfaces.mcp.logs import forward_logs
from ipfs_accel_cli.surfaces.mcp.server import Http, Server
from ipfs_accel_cli.surfaces.mcp.session import ServerState
from ipfs_accel_cli.surfaces.mcp.tool import CommandTool
from ipfs_accel_cli.surfaces.mcp.walk import Found


class Counted(Result):
    """How far a command counted, for whom."""

    tag: str
    total: int


@effects(READ)
def count(tag: Annotated[str, Argument()], total: Annotated[int, Argument()]) -> Counted:
    """Count, and tell of it each time."""
    for done in range(1, total + 1):
        current().progress(done, total, f"{tag} {done}")
        time.sleep(0.03)
    return Counted(tag=tag, total=total)


@effects(READ)
def chatter() -> Counted:
    """Write to standard output in every way there is."""
    print("PRINTED NOISE")
    sys.stdout.flush()
    os.write(1, b"WRITTEN NOISE\n")
    os.system("echo CHILD NOISE")
    return Counted(tag="chatter", total=3)


@effects(READ)
def endless(trace: Annotated[str, Argument()]) -> Counted:
    """Write round after round to a file until told to stop; a second file tells how it ended."""
    rounds = 0
    try:
        while True:
            rounds += 1
            Path(trace).write_text(str(rounds))
            current().progress(rounds, None, "round")
            time.sleep(0.02)
    except BaseException as error:
        Path(trace + ".ended").write_text(type(error).__name__)
        raise


@effects(READ)
def patient(folder: Annotated[str, Argument()]) -> Counted:
    """Put a file `begun` into the folder, wait for a file `go`, and answer."""
    (Path(folder) / "begun").touch()
    while not (Path(folder) / "go").exists():
        current().check()
        time.sleep(0.02)
    return Counted(tag="patient", total=1)


@effects(READ)
def tell() -> Counted:
    """Log at every level."""
    log = logging.getLogger("ipfs_accel_cli.test")
    log.setLevel(logging.DEBUG)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        log.log(level, "at %s", logging.getLevelName(level).lower())
    return Counted(tag="tell", total=4)


def server_of(node: Node, *functions: Callable[..., Any]) -> Server:
    """Return a server that offers these functions as tools, all of this module without any."""
    state = ServerState(node, OWNER)
    tools = [
        CommandTool.of(Found((function.__name__,), function, function.__doc__ or "", declared_effects(function)), state)
        for function in functions or (count, chatter, endless, patient, tell)
    ]
    forward_logs()
    return Server(state, tools)


def main() -> None:
    with Node() as node:
        server = server_of(node)
        if len(sys.argv) < 2:
            server.run("stdio")
            return
        from ipfs_accel_cli.surfaces.mcp.listen import serve_http

        serve_http(server, Http(port=int(sys.argv[1])))


if __name__ == "__main__":
    main()
