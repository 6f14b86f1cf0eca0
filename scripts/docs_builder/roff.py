"""The reference as a man page, in the macros of man(7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import words
from .model import Command, Group, Parameter, Reference

# Left alone, roff would print a hyphen for a minus and typographic quotes for plain ones, and copying would break.
_ESCAPES = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}


def man(reference: Reference) -> str:
    """Return the page, ASCII only."""
    title = escaped(reference.program.upper())
    lines = [
        '.\\" Made by scripts/docs; change the source and run it again.',
        f'.TH {title} 1 "" "{reference.program} {reference.version}" "User Commands"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{escaped(reference.program)} \\- {inline(_uncapitalised(reference.summary))}",
        ".SH SYNOPSIS",
        f".B {escaped(reference.program)}",
        "[OPTIONS] COMMAND [ARGUMENTS]...",
        ".SH DESCRIPTION",
        inline(reference.summary),
        *_groups(reference.groups),
        ".PP",
        inline(
            "Data goes to standard output, everything else to standard error. On a terminal the answer is a table; "
            "a stream into a pipe is one JSON object a line, and `--json` gives any answer as JSON."
        ),
        ".SH OPTIONS",
        "Every command takes these, before or after its name.",
        *_parameters(reference.options),
        ".SH COMMANDS",
    ]
    for group in reference.groups:
        for command in group.commands:
            lines += _command(command)
    return "\n".join([*lines, *_state(reference), *_examples(reference)]) + "\n"


def inline(text: str) -> str:
    """Return running text, code in bold."""
    parts = (f"\\fB{escaped(part)}\\fR" if code else escaped(part) for code, part in words.spans(text))
    return _guarded("".join(parts))


def escaped(text: str) -> str:
    """Return text that roff prints as it is."""
    return "".join(_ESCAPES.get(letter, letter if letter.isascii() else f"\\[u{ord(letter):04X}]") for letter in text)


def _guarded(line: str) -> str:
    return f"\\&{line}" if line.startswith((".", "\\(aq")) else line


def _uncapitalised(text: str) -> str:
    return text[:1].lower() + text[1:].removesuffix(".")


def _groups(groups: Iterable[Group]) -> Iterator[str]:
    for group in groups:
        yield from (".TP", f".B {escaped(group.name)}", inline(group.summary))


def _command(command: Command) -> list[str]:
    lines = [f".SS {_guarded(escaped(command.usage))}", inline(command.summary)]
    for part in command.description.split("\n\n"):
        lines += [".PP", inline(part)] if part else []
    return [*lines, *_parameters(command.parameters)]


def _parameters(parameters: Iterable[Parameter]) -> Iterator[str]:
    for parameter in parameters:
        flags = ", ".join(f"\\fB{escaped(flag)}\\fR" for flag in words.spellings(parameter))
        stated = words.default(parameter)
        kind = words.kind(parameter)
        notes = [] if kind in ("flag", "text", "path") else [kind]
        notes += [f"default {stated}"] if stated and not parameter.required else []
        yield from (".TP", _guarded(flags), inline(parameter.meaning + (f" ({'; '.join(notes)})" if notes else "")))


def _state(reference: Reference) -> Iterator[str]:
    yield ".SH EXIT STATUS"
    for status in reference.statuses:
        codes = f" ({', '.join(status.codes)})" if status.codes else ""
        yield from (".TP", f".B {status.status}", inline(status.meaning + codes))
    yield from (".PP", inline("`ipfs-accel doctor --explain CODE` says what a code means and what to do."))
    yield ".SH ENVIRONMENT"
    for setting in reference.settings:
        meaning = f"{setting.meaning}{words.choices(setting.choices)} The setting `{setting.name}`"
        yield from (
            ".TP",
            f".B {escaped(setting.variable)}",
            inline(f"{meaning}; default `{words.stated(setting.default)}`."),
        )
    for variable in reference.variables:
        yield from (".TP", f".B {escaped(variable.name)}", inline(variable.meaning))
    yield from (".PP", inline(words.PRECEDENCE), ".SH FILES")
    for file in reference.files:
        yield from (".TP", f".I {escaped(file.path)}", inline(file.meaning))


def _examples(reference: Reference) -> Iterator[str]:
    """Yield the first example of each command that most people need: the ones that assistants get by default."""
    featured = [command for group in reference.groups for command in group.commands if command.featured]
    for index, command in enumerate(featured):
        yield ".PP" if index else ".SH EXAMPLES"
        yield from (inline(command.summary), ".PP", ".RS 4", ".EX")
        # The end of an example turns hyphenation on again.
        yield from (_guarded(escaped(command.examples[0])), ".EE", ".nh", ".RE")
