"""Storacha's upload service on loopback: its own code, from npm, with stores in memory; and its JavaScript client."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.servers.npm import installed, node_binary

PACKAGES = {"@storacha/client": "2.1.4", "@storacha/upload-api": "2.8.4", "@web3-storage/sigv4": "1.0.2"}
PROGRAM = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True)
class Storacha:
    """A running service; `did` is what it calls itself."""

    url: str
    did: str

    def ask(self, operation: str, **parameters: Any) -> Any:
        """Run one of the operations that the test server has beside the service."""
        sent = Request(f"{self.url}/test/{operation}", json.dumps(parameters).encode(), method="POST")
        with urlopen(sent, timeout=60) as answer:
            return json.load(answer)

    def blob(self, name: str) -> bytes:
        """Return what lies at a storage node under a sha-256 in hexadecimal digits."""
        return base64.b64decode(self.ask("blob", name=name)["data"])


@contextmanager
def storacha(folder: Path) -> Iterator[Storacha]:
    """Run the service for the block; skip the test where it cannot be installed."""
    modules, node = installed(PACKAGES), node_binary()
    # Modules are looked for beside the program, so it is linked in there under a name of its own.
    program = folder / "server.mjs"
    program.write_text(PROGRAM.read_text("utf-8"), "utf-8")
    (folder / "node_modules").symlink_to(modules)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(node), str(program)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "log").read_text("utf-8")
        told = json.loads(line)
        yield Storacha(f"http://127.0.0.1:{told['port']}", told["did"])
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
