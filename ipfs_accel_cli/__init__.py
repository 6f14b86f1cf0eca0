"""Take a model by any name, prove its bytes, run it, hand it on: one content identity all the way."""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true; importing typing would double the cost of --version
if TYPE_CHECKING:
    from ipfs_accel_cli.node import Node as Node
    from ipfs_accel_cli.surfaces.mcp.http import asgi_app as asgi_app

__version__ = "0.1.0"
__all__ = ["Node", "__version__", "asgi_app"]


def __getattr__(name: str) -> object:
    """Import `Node` and `asgi_app` only when they are asked for, so that `--help` stays quick."""
    if name == "Node":
        from ipfs_accel_cli.node import Node

        return Node
    if name == "asgi_app":
        from ipfs_accel_cli.surfaces.mcp.http import asgi_app

        return asgi_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
