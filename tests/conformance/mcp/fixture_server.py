"""Our server with the tools, resources and prompts that the conformance suite asks for by name.

Run: python -m tests.conformance.mcp.fixture_server. All but the fixtures is what `build` makes.
"""

from __future__ import annotations

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.mcp.listen import serve_http
from ipfs_accel_cli.surfaces.mcp.server import Http, build
from tests.conformance.mcp import fixture_contents, fixture_requests, fixture_stateless


def main() -> None:
    with Node() as node:
        server = build(node)
        fixture_contents.add(server)
        fixture_requests.add(server)
        fixture_stateless.add(server)
        serve_http(server, Http(port=0))


if __name__ == "__main__":
    main()
