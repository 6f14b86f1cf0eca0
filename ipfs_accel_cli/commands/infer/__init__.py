"""Commands of the group `infer`: run models."""

from __future__ import annotations

from typer import Typer

from ipfs_accel_cli.commands.parts import assembled

MODULES = (
    "encode",
    "judge",
    "mark",
    "write",
    "rewrite",
    "batch",
    "pipeline",
    "image",
    "drawing",
    "audio",
    "multimodal",
    "measure",
    "bench",
    "prompt",
    "endpoint",
)


def __getattr__(name: str) -> Typer:
    """Make `app` when it is asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = globals()["app"] = assembled(__name__, MODULES, "Run models.")
    return app
