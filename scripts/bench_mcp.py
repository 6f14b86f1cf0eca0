"""What our reflection costs: MCP calls beside a bare SDK server that answers the same, and reflecting beside importing.

    scripts/bench mcp [--rounds 8] [--calls 40] [--only stdio|http|reflection]

A ratio is that of the median call of a round, and shown as the median and the quartiles of the rounds. One client of
ours and one of the bare server call in turn; with many, all clients of one side call at once, then all of the other.
Over stdio each client has a server process of its own, over HTTP all share one.
Reflection is measured in a fresh interpreter that has imported Typer, pydantic and the SDK: the time to import commands
with their result models, and the time to make tools of them.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import anyio
from bench_reflection import ours, synthetic
from mcp import Client
from mcp.client.stdio import StdioServerParameters

MANY = 16
OURS = [sys.executable, "-m", "ipfs_accel_cli", "serve-mcp", "--toolsets", "all"]
BARE = """
import sys
from pydantic import BaseModel
from mcp.server import MCPServer

class Value(BaseModel):
    name: str
    value: str | int | bool
    origin: str | None = None
    meaning: str | None = None

server = MCPServer("bare", log_level="WARNING")

@server.tool()
def config_get(name: str, origin: bool = False) -> Value:
    return Value(name=name, value=0, origin=None, meaning="Threads for inference; 0 chooses from cores and load.")

if sys.argv[1:]:
    import logging, socket
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    print(f"http://127.0.0.1:{port}/mcp", file=sys.stderr, flush=True)
    logging.disable(logging.CRITICAL)
    server.run("streamable-http", host="127.0.0.1", port=port)
else:
    server.run("stdio")
"""


@dataclass(frozen=True)
class Case:
    """A transport and a number of clients; the ratio may be `limit` at most."""

    transport: str
    clients: int
    limit: float


# With many clients all of them wait for the same two cores, and what a call costs beside the SDK's own work counts
# in full; alone, a part of it passes while the client would wait anyway.
CASES = (Case("stdio", 1, 1.3), Case("stdio", MANY, 1.5), Case("http", 1, 1.3), Case("http", MANY, 1.5))


async def call(client: Client) -> float:
    """Make one call; return its milliseconds."""
    start = time.perf_counter()
    answer = await client.call_tool("config_get", {"name": "infer.threads"})
    assert not answer.is_error, answer
    return (time.perf_counter() - start) * 1000


async def in_turn(ours: list[Client], bare: list[Client], count: int) -> tuple[list[float], list[float]]:
    """Let one client of each side call in turn, so that every moment of a busy machine falls on both."""
    samples: tuple[list[float], list[float]] = ([], [])
    for number in range(count):
        for side in (0, 1) if number % 2 else (1, 0):
            samples[side].append(await call((ours, bare)[side][0]))
    return samples


async def at_once(ours: list[Client], bare: list[Client], count: int) -> tuple[list[float], list[float]]:
    """Let all clients of one side call at once, then all of the other."""
    samples: tuple[list[float], list[float]] = ([], [])

    async def one(client: Client, into: list[float]) -> None:
        for _ in range(count):
            into.append(await call(client))

    for number in range(2):
        for side in (0, 1) if number % 2 else (1, 0):
            async with anyio.create_task_group() as group:
                for client in (ours, bare)[side]:
                    group.start_soon(one, client, samples[side])
    return samples


@asynccontextmanager
async def connected(servers: list[StdioServerParameters | str]) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Client(server)) for server in servers]


@contextmanager
def listening(command: list[str]) -> Iterator[str]:
    """Run a server over HTTP for the block; it prints its URL as the last word of a line on standard error."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        url = process.stderr.readline().split()[-1].decode()
        _wait_for(url)
        # The pipe is emptied, or a server that says much would stand still.
        with subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL):
            yield url
            process.terminate()
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str) -> None:
    host, _, port = url.split("/")[2].partition(":")
    for _ in range(600):
        try:
            socket.create_connection((host, int(port))).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens at {url}")


async def compare(case: Case, pairs: list[list[StdioServerParameters | str]], rounds: int, count: int) -> bool:
    """Print what a call costs with ours and with the bare servers; say whether the limit held."""
    play = in_turn if case.clients == 1 else at_once
    each: tuple[list[float], list[float]] = ([], [])
    ratios = []
    async with connected(pairs[0]) as ours, connected(pairs[1]) as bare:
        await play(ours, bare, count)  # What is imported at the first call is not counted.
        for _ in range(rounds):
            found = await play(ours, bare, count)
            ratios.append(statistics.median(found[0]) / statistics.median(found[1]))
            each[0].extend(found[0])
            each[1].extend(found[1])
    ratio = statistics.median(ratios)
    quarters = statistics.quantiles(ratios, n=4)
    name = f"{case.transport}, {case.clients} client{'s' if case.clients > 1 else ''}"
    shown = "   ".join(
        f"{side} p50 {p50:.2f} p95 {p95:.2f} ms"
        for side, (p50, p95) in zip(("ours", "bare"), map(spread, each), strict=True)
    )
    return report(name, ratio, f"{quarters[0]:.2f} to {quarters[2]:.2f}", case.limit, shown)


def spread(samples: list[float]) -> tuple[float, float]:
    ordered = sorted(samples)
    return statistics.median(ordered), ordered[int(len(ordered) * 0.95)]


def report(name: str, ratio: float, quarters: str, limit: float, detail: str) -> bool:
    held = ratio <= limit
    print(
        f"{'held' if held else 'MISSED':7}{name:28}{ratio:6.2f}x ({quarters})  wanted <= {limit:g}x   {detail}",
        flush=True,
    )
    return held


def bench_transport(case: Case, rounds: int, count: int) -> bool:
    if case.transport == "stdio":
        pairs: list[list[StdioServerParameters | str]] = [
            [StdioServerParameters(command=OURS[0], args=OURS[1:])] * case.clients,
            [StdioServerParameters(command=sys.executable, args=["-c", BARE])] * case.clients,
        ]
        return anyio.run(compare, case, pairs, rounds, count)
    with listening([*OURS, "--http", "--port", "0"]) as mine, listening([sys.executable, "-c", BARE, "http"]) as bare:
        return anyio.run(compare, case, [[mine] * case.clients, [bare] * case.clients], rounds, count)


def bench_reflection(name: str, measure: Callable[[], tuple[int, float, float]], rounds: int) -> bool:
    found = [measure() for _ in range(rounds)]
    ratios = [reflected / imported for _, imported, reflected in found]
    quarters = statistics.quantiles(ratios, n=4)
    imported, reflected = (statistics.median(times) * 1000 for times in list(zip(*found, strict=True))[1:])
    detail = f"importing {imported:.0f} ms, reflecting {reflected:.0f} ms"
    named = f"{name}, {found[0][0]} commands"
    return report(named, statistics.median(ratios), f"{quarters[0]:.2f} to {quarters[2]:.2f}", 3.0, detail)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--calls", type=int, default=40, help="calls of one client in a round")
    parser.add_argument("--only", choices=["stdio", "http", "reflection"])
    asked = parser.parse_args()
    held = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["IPFS_ACCEL_HOME"] = home
        for case in CASES:
            if asked.only in (None, case.transport):
                count = asked.calls if case.clients == 1 else max(4, asked.calls // 8)
                held.append(bench_transport(case, asked.rounds, count))
        if asked.only in (None, "reflection"):
            held.append(bench_reflection("reflection, made up", synthetic, asked.rounds))
            held.append(bench_reflection("reflection, ours", ours, asked.rounds))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
