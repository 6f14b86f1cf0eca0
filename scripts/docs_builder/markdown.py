"""The reference as Markdown: a page for each group, and pages of errors and settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from . import words
from .model import Answer, Command, Group, Parameter, Reference

_NOTICE = "<!-- Made by scripts/docs; change the source and run it again. -->\n\n"


def pages(reference: Reference) -> dict[str, str]:
    """Return the text of each page by its file name."""
    groups = {f"{group.name}.md": _group(group) for group in reference.groups}
    return groups | {
        "index.md": _index(reference),
        "errors.md": _errors(reference),
        "settings.md": _settings(reference),
    }


def _index(reference: Reference) -> str:
    text = _NOTICE + "# Reference\n\n"
    text += (
        "Every command, with what it takes and what it answers. Also: [errors and exit statuses](errors.md), "
        "[settings, variables and files](settings.md). The same as [one page](html/index.html) to search in, as "
        "[data](reference.json) with its [schema](reference.schema.json), and as a [man page](../man/ipfs-accel.1).\n"
    )
    for group in reference.groups:
        text += f"\n## [{group.name}]({group.name}.md)\n\n"
        for command in group.commands:
            text += f"- [`{reference.program} {command.name}`]({group.name}.md#{command.anchor}): {command.summary}\n"
    text += "\n## Options of every command\n\nThey stand before or after the command's name.\n\n"
    return text + _parameters(reference.options)


def _group(group: Group) -> str:
    text = _NOTICE + f"# {group.name}\n\n{group.summary}\n"
    if len(group.commands) > 4:
        text += "\n" + "".join(f"- [{command.name}](#{command.anchor})\n" for command in group.commands)
    return text + "".join(map(_command, group.commands))


def _command(command: Command) -> str:
    text = f"\n## {command.name}\n\n{command.summary}\n"
    text += f"\n{command.description}\n" if command.description else ""
    text += f"\n```text\n{command.usage}\n```\n\n{words.effect(command)}\n"
    text += f"\n{_parameters(command.parameters)}" if command.parameters else ""
    text += f"\n{_answer(command.answer)}"
    return text + "\n```bash\n" + "\n".join(command.examples) + "\n```\n"


def _parameters(parameters: Sequence[Parameter]) -> str:
    return _table(
        ("parameter", "type", "default", "meaning"),
        ((_code(words.spellings(part)), words.kind(part), words.default(part), part.meaning) for part in parameters),
    )


def _answer(answer: Answer) -> str:
    text = f"{words.answer(answer)}\n"
    if answer.fields:
        text += "\n" + _table(
            ("field", "type", "meaning"),
            (
                (f"`{field.path}`", field.type + (" or null" if field.nullable else ""), field.meaning)
                for field in answer.fields
            ),
        )
    return text


def _errors(reference: Reference) -> str:
    text = f"{_NOTICE}# Errors and exit statuses\n\n{words.CODES}\n\n## Exit statuses\n\n"
    text += _table(
        ("exit", "meaning", "codes"),
        (
            (str(status.status), status.meaning, ", ".join(f"[`{code}`](#{code})" for code in status.codes))
            for status in reference.statuses
        ),
    )
    text += "\n## Codes\n"
    for failure in reference.failures:
        text += f"\n### {failure.code}\n\n{failure.meaning}\n\n{words.ending(failure)}\n\n{failure.remedy}\n"
    return text


def _settings(reference: Reference) -> str:
    text = _NOTICE + "# Settings, variables and files\n\n## Settings\n\n"
    text += f"{words.PRECEDENCE}\n\n"
    text += _table(
        ("setting", "variable", "default", "meaning"),
        (
            (
                f"`{part.name}`",
                f"`{part.variable}`",
                f"`{words.stated(part.default)}`",
                part.meaning + words.choices(part.choices),
            )
            for part in reference.settings
        ),
    )
    text += "\n## Other variables\n\n"
    text += _table(
        ("variable", "meaning"), ((_code(part.name.split(", ")), part.meaning) for part in reference.variables)
    )
    text += "\n## Files\n\n"
    return text + _table(("path", "holds"), ((f"`{part.path}`", part.meaning) for part in reference.files))


def _code(parts: Iterable[str]) -> str:
    return ", ".join(f"`{part}`" for part in parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head) + "\n"]
    lines += [_row([cell.replace("|", "\\|") for cell in row]) for row in rows]
    return "".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
