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
    for part in _MODULES:
        module = import_module(f"{__name__}.{part}")
        if hasattr(module, "mount"):
            module.mount(app)
        else:
            app.add_typer(module.app, name=part)
    globals()["app"] = app
    return app
