"""Plug-ins by name: known without being imported, from here or from another package's entry points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ipfs_accel_cli.core.distributions import may_announce
from ipfs_accel_cli.core.errors import Invalid, MissingExtra


@dataclass(frozen=True, slots=True)
class Plugin:
    """Where a plug-in lives (`module:attribute`), what it needs to import, and the extra that installs that.

    `devices` are the kinds of device that an engine computes on, `tasks` what it can be asked for.
    """

    reference: str
    requires: tuple[str, ...] = ()
    extra: str | None = None
    devices: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()

    @property
    def install(self) -> str:
        """The line that installs what it needs."""
        return f"pip install 'ipfs-accel[{self.extra}]'" if self.extra else _pip(self.requires)


class Registry:
    """The plug-ins of one kind; `kind` is also the entry-point group `ipfs_accel.<kind>`."""

    def __init__(self, kind: str, builtin: Mapping[str, Plugin]) -> None:
        self.kind = kind
        self._builtin = dict(builtin)

    def names(self) -> list[str]:
        """Return all known names, our own first."""
        return list(dict.fromkeys([*self._builtin, *(point.name for point in self._points())]))

    def plugin(self, name: str) -> Plugin:
        """Return where a plug-in lives and what it needs, without importing it; raises Invalid for an unknown name."""
        plugin = self._builtin.get(name) or self._foreign(name)
        if plugin is None:
            raise Invalid(f"no {self.kind.rstrip('s')} named {name!r}; there are: {', '.join(self.names())}")
        return plugin

    def load(self, name: str) -> Any:
        """Import a plug-in and return what its reference names.

        Raises Invalid for an unknown name and MissingExtra when a library that it needs is not installed.
        """
        plugin = self.plugin(name)
        module, _, attribute = plugin.reference.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ImportError as error:
            raise missing(name, plugin, error) from error

    def _foreign(self, name: str) -> Plugin | None:
        return next((Plugin(point.value) for point in self._points() if point.name == name), None)

    def _points(self) -> Iterable[Any]:
        group = f"ipfs_accel.{self.kind}"
        if not may_announce(group):
            return ()
        from importlib.metadata import entry_points

        return entry_points(group=group)


def _pip(packages: Sequence[str]) -> str:
    return " ".join(["pip install", *packages] if packages else ["pip install ipfs-accel"])


def missing(name: str, plugin: Plugin, error: ImportError) -> MissingExtra:
    """Return the error that says which library is missing and how to install it."""
    return MissingExtra(
        f"{name} needs {error.name or error}, which is not installed",
        suggestion=plugin.install,
    )
