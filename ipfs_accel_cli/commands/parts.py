"""Groups whose commands stand in several modules."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from typer import Typer


def assembled(package: str, modules: Sequence[str], text: str) -> Typer:
    """Make the app of a group out of its modules, in the order of the help.

    A package does so only when the whole group is looked at: what its commands answer with takes longest to import.
    Its `MODULES` tell where a single command is to be looked for.
    """
    app = Typer(help=text, no_args_is_help=True)
    for name in modules:
        module = import_module(f"{package}.{name}")
        if hasattr(module, "mount"):
            module.mount(app)
        else:
            app.add_typer(module.app, name=name)
    return app
