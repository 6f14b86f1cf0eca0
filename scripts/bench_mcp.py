"""What our reflection costs: one MCP call over stdio beside a bare SDK server that answers the same, interleaved."""

from __future__ import annotations

import statistics
import sys
import time

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters

ROUNDS, CALLS = 8, 60
LIMIT = 1.3
BARE = """
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

server.run("stdio")
"""


async def calls_ms(client: Client) -> list[float]:
    samples = []
    for _ in range(CALLS):
        start = time.perf_counter()
        answer = await client.call_tool("config_get", {"name": "infer.threads"})
        samples.append((time.perf_counter() - start) * 1000)
        assert not answer.is_error
    return samples


async def measure() -> float:
    ours = StdioServerParameters(
        command=sys.executable, args=["-m", "ipfs_accel_cli", "serve-mcp", "--toolsets", "all"]
    )
    bare = StdioServerParameters(command=sys.executable, args=["-c", BARE])
    ratios, all_ours, all_bare = [], [], []
    async with Client(ours) as our_client, Client(bare) as bare_client:
        await calls_ms(our_client), await calls_ms(bare_client)
        for round_number in range(ROUNDS):
            pair = [(our_client, all_ours), (bare_client, all_bare)]
            medians = {}
            for client, samples in pair if round_number % 2 else reversed(pair):
                found = await calls_ms(client)
                samples += found
                medians[id(samples)] = statistics.median(found)
            ratios.append(medians[id(all_ours)] / medians[id(all_bare)])
    for name, samples in (("ipfs-accel", all_ours), ("bare SDK server", all_bare)):
        ordered = sorted(samples)
        print(f"{name:16s} p50 {statistics.median(ordered):.2f} ms   p95 {ordered[int(len(ordered) * 0.95)]:.2f} ms")
    return statistics.median(ratios)


def main() -> int:
    ratio = anyio.run(measure)
    print(f"one call: {ratio:.2f}x of a bare SDK server (limit {LIMIT}x; {ROUNDS} paired rounds of {CALLS} calls)")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
