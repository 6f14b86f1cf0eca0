"""Commands of the group `config`: what is set, by whom, and how to change it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.settings import Setting
from ipfs_accel_cli.node import node

app = Typer(help="Show and change settings.", no_args_is_help=True)


class Value(Result):
    """One setting in force."""

    columns = ("name", "value", "origin", "meaning")
    essence = "value"

    name: str
    value: str | int | float | bool
    origin: str | None = Field(None, description="Where the value comes from: a file, a variable, or the default.")
    meaning: str | None = None


class Values(Result):
    """All settings."""

    settings: list[Value]


class ConfigPath(Result):
    """Where the user's settings file is."""

    path: str
    exists: bool


Name = Annotated[str, Argument(help="A setting's dotted name, such as infer.threads.")]


@app.command()
@effects(READ)
def show(
    origin: Annotated[bool, Option("--origin", help="Also say where each value comes from.")] = False,
) -> Values:
    """List every setting with its value in force.

    Examples:
        ipfs-accel config show
        ipfs-accel config show --origin
    """
    return Values(settings=[_value(setting, origin=origin) for setting in node().settings.all()])


@app.command()
@effects(READ)
def get(
    name: Name,
    origin: Annotated[bool, Option("--origin", help="Also say where the value comes from.")] = False,
) -> Value:
    """Print one setting.

    Examples:
        ipfs-accel config get infer.device -q
    """
    return _value(node().settings.look_up(name), origin=origin)


@app.command("set")
@effects(WRITE, exposed=False)
def set_value(
    name: Name,
    value: Annotated[str, Argument(help="The new value.")],
) -> Value:
    """Write one setting to the user's config.toml.

    Examples:
        ipfs-accel config set infer.threads 1
        ipfs-accel config set infer.cache-bytes 2GiB
    """
    return _value(node().settings.set(name, value), origin=True)


@app.command()
@effects(READ)
def path() -> ConfigPath:
    """Print where the user's config.toml is.

    Examples:
        ipfs-accel config path -q
    """
    file = node().home.config_file
    return ConfigPath(path=str(file), exists=file.exists())


def _value(setting: Setting, *, origin: bool) -> Value:
    return Value(
        name=setting.key.name,
        value=setting.value,
        origin=setting.origin if origin else None,
        meaning=setting.key.meaning,
    )
