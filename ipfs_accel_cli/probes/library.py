"""The probe of a library that sees devices by itself: whether it is installed, and what it tells in a child process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.probes import child
from ipfs_accel_cli.probes.base import Finding, Question, State


@dataclass(frozen=True, slots=True)
class Library:
    """One library: what is said without it, what is said before it is asked, and how its answer is read.

    `ask` names the function (`module:function`) that runs in the child and returns JSON; `read` makes a finding of that
    and of the `facts`, which are known without asking.
    """

    name: str
    module: str
    called: str
    missing: tuple[State, str]
    unasked: tuple[State, str]
    ask: str
    facts: Callable[[], Mapping[str, Any]]
    read: Callable[[str, Any, Mapping[str, Any]], Finding]


class LibraryProbe:
    """Asks a library in a process of its own, since it prints, takes long to load, or breaks. `told` replaces it."""

    def __init__(
        self, library: Library, told: Callable[[], Any] | None = None, seconds: float = child.CHILD_SECONDS
    ) -> None:
        self.name = library.name
        self._library, self._told, self._seconds = library, told, seconds
        self._question = Question(self.name, self._asked, seconds + 1)

    def read(self) -> Finding:
        """Return what the library tells; unknown when it does not answer."""
        return self._question.answer()

    def glance(self) -> Finding:
        """Say whether it is installed and can be asked."""
        return self._missing() or Finding(self.name, *self._library.unasked, self._library.facts())

    def _missing(self) -> Finding | None:
        if self._told is not None or find_spec(self._library.module) is not None:
            return None
        return Finding(self.name, *self._library.missing)

    def _asked(self) -> Finding:
        missing = self._missing()
        if missing is not None:
            return missing
        library, facts = self._library, self._library.facts()
        try:
            told = self._told() if self._told is not None else child.ask(library.ask, seconds=self._seconds)
        except child.NoAnswer as error:
            return Finding(self.name, "unknown", f"{library.called} does not answer ({error})", facts)
        return library.read(self.name, told, facts)
