"""Processes of `ipfs-accel` that begin with everything imported: forks of one that has done it.

A page of documentation runs a hundred commands, and most of their time went into importing the same libraries. Each is
still a process of its own, with its own arguments, folder, environment, pipes and end. `python -m tests.warm SOCKET`
is the one that is forked; `ipfs-accel` in the folder that `warm` makes asks it for a fork.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import ipfs_accel_cli

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = (
    "torch",
    "safetensors.torch",
    "transformers.modeling_utils",
    "transformers.models.bert.modeling_bert",
)
LENGTH = struct.Struct("!I")

# Runs without site and the user's settings, in a few milliseconds. What it is told to end with, it ends with.
ASKING = """\
#!{python} -ISs
import json, os, signal, socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.connect({path!r})
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(server, [struct.pack("!I", len(asked))], [0, 1, 2])
server.sendall(asked)
pid, = struct.unpack("!I", server.recv(4, socket.MSG_WAITALL))
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(pid, number))
status, = struct.unpack("!i", server.recv(4, socket.MSG_WAITALL))
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
os._exit(status)
"""


@contextmanager
def warm(folder: Path) -> Iterator[Path]:
    """Return a folder with an `ipfs-accel` in it that starts at once, for the block."""
    path, program = folder / "socket", folder / "bin" / "ipfs-accel"
    program.parent.mkdir()
    program.write_text(ASKING.format(python=sys.executable, path=str(path)))
    program.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", str(path)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"listening\n"
        yield program.parent
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def listen(path: str) -> None:
    """Import, then fork for everybody who asks. Returns in each fork that is to run a command."""
    os.environ |= {"TYPER_USE_RICH": "0", "PYDANTIC_DISABLE_PLUGINS": "__all__"}
    ours = [module.name for module in pkgutil.walk_packages(ipfs_accel_cli.__path__, "ipfs_accel_cli.")]
    for name in [*ours, *LIBRARIES]:
        importlib.import_module(name)
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        print("listening", flush=True)
        while True:
            asking, _ = listening.accept()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            with asking:
                if os.fork() == 0:
                    listening.close()
                    answer(asking)
                    return


def answer(asking: socket.socket) -> None:
    """Fork again, tell how that ended, and end; returns in the fork."""
    head, streams, _, _ = socket.recv_fds(asking, LENGTH.size, 3)
    (length,) = LENGTH.unpack(head)
    arguments, folder, environment = json.loads(asking.recv(length, socket.MSG_WAITALL))
    child = os.fork()
    if child:
        for stream in streams:
            os.close(stream)
        asking.sendall(LENGTH.pack(child))
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        asking.sendall(struct.pack("!i", ended))
        os._exit(0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["ipfs-accel", *arguments]


if __name__ == "__main__":
    listen(sys.argv[1])
    from ipfs_accel_cli.__main__ import main

    status: object = 0
    try:
        main()
    except SystemExit as ended:
        status = ended.code
    # An interpreter that ends looks through all that was imported, and so would copy it.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(str(status or 0)))
