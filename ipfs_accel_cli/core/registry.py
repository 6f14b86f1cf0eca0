"""Plug-ins by name: known without being imported, from here or from another package's entry points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from ipfs_accel_cli.core.errors import Invalid, MissingExtra


@dataclass(frozen=True, slots=True)
class Plugin:
    """Where a plug-in lives (`module:attribute`), what it needs to import, and the extra that installs that."""

    reference: str
    requires: tuple[str, ...] = ()
    extra: str | None = None


class Registry:
    """The plug-ins of one kind; `kind` is also the entry-point group `ipfs_accel.<kind>`."""

    def __init__(self, kind: str, builtin: Mapping[str, Plugin]) -> None:
        self.kind = kind
        self._builtin = dict(builtin)

    def names(self) -> list[str]:
        """Return all known names, our own first."""
        found = [point.name for point in entry_points(group=f"ipfs_accel.{self.kind}")]
        return list(dict.fromkeys([*self._builtin, *found]))

    def load(self, name: str) -> Any:
        """Import a plug-in and return what its reference names.

        Raises Invalid for an unknown name and MissingExtra when a library that it needs is not installed.
        """
        plugin = self._builtin.get(name) or self._foreign(name)
        if plugin is None:
            raise Invalid(f"no {self.kind.rstrip('s')} named {name!r}; there are: {', '.join(self.names())}")
        module, _, attribute = plugin.reference.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ImportError as error:
            raise missing(name, plugin, error) from error

    def _foreign(self, name: str) -> Plugin | None:
        points = entry_points(group=f"ipfs_accel.{self.kind}", name=name)
        return next((Plugin(point.value) for point in points), None)


def missing(name: str, plugin: Plugin, error: ImportError) -> MissingExtra:
    """Return the error that says which library is missing and how to install it."""
    package = f"ipfs-accel[{plugin.extra}]" if plugin.extra else " ".join(plugin.requires) or "ipfs-accel"
    return MissingExtra(
        f"{name} needs {error.name or error}, which is not installed",
        suggestion=f"pip install '{package}'",
    )
