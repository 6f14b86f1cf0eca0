"""Which commands a server offers as tools."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.effects import Effect
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.surfaces.mcp.walk import Found

DEFAULT, ALL = "default", "all"


@dataclass(frozen=True, slots=True)
class Selection:
    """The server's options: `read_only` and `disable_destructive` win over every name."""

    toolsets: tuple[str, ...] = (DEFAULT,)
    tools: tuple[str, ...] = ()
    exclude_tools: tuple[str, ...] = ()
    read_only: bool = False
    disable_destructive: bool = False

    @classmethod
    def parse(
        cls, toolsets: str, tools: str, exclude_tools: str, *, read_only: bool, disable_destructive: bool
    ) -> Selection:
        """Read the comma-separated options."""
        return cls(_words(toolsets), _words(tools), _words(exclude_tools), read_only, disable_destructive)

    def choose(self, commands: Sequence[Found]) -> list[Found]:
        """Return the commands to offer; raises Invalid for a toolset or tool that does not exist."""
        offered = [command for command in commands if command.effects.exposed]
        names = [command.tool_name for command in offered]
        groups = [DEFAULT, ALL, *dict.fromkeys(command.path[0] for command in offered)]
        _check("toolset", self.toolsets, groups)
        _check("tool", (*self.tools, *self.exclude_tools), names)
        return [command for command in offered if self._wants(command)]

    def _wants(self, command: Found) -> bool:
        effect = command.effects.effect
        if command.tool_name in self.exclude_tools or (self.tools and command.tool_name not in self.tools):
            return False
        if (self.read_only and effect is not Effect.READ) or (self.disable_destructive and effect is Effect.DELETE):
            return False
        if self.tools or ALL in self.toolsets or command.path[0] in self.toolsets:
            return True
        return DEFAULT in self.toolsets and command.effects.featured


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _check(kind: str, wanted: Sequence[str], known: Sequence[str]) -> None:
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[:12]
            raise Invalid(f"no {kind} named {name!r}; there are {', '.join(near)}", suggestion="ipfs-accel mcp ls")
