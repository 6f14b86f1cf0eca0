"""Commands of the group `hw`: what this machine is, and what it can run."""

from __future__ import annotations

from importlib import import_module

from typer import Typer

# In the order of the help. A module is imported alone when a command of its name is called.
_MODULES = ("info", "engines", "fit", "machine", "top", "bench")


def __getattr__(name: str) -> Typer:
    """Make `app` when the whole group is looked at: what its commands answer with takes longest to import."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = Typer(help="Know this machine.", no_args_is_help=True)
    for module in _MODULES:
        import_module(f"{__name__}.{module}").mount(app)
    globals()["app"] = app
    return app
