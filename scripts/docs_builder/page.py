"""The reference as one HTML page that needs nothing but itself: no request leaves it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from . import words
from .model import Answer, Command, Failure, Group, Parameter, Reference

_FOLDER = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_EVERY, _ERRORS = "every command", "errors"
_ENTRIES = {
    "options": "Options",
    "statuses": "Exit statuses",
    "settings": "Settings",
    "variables": "Other variables",
    "files": "Files",
}


def page(reference: Reference) -> str:
    """Return the whole page."""
    style, script = ((_FOLDER / name).read_text().strip() for name in ("page.css", "page.js"))
    return f"""<!doctype html>
<!-- Made by scripts/docs; change the source and run it again. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(reference.program)} reference</title>
<style>
{style}
</style>
</head>
<body>
<nav aria-label="Contents">
<p class="brand"><a href="#top">{escape(reference.program)}</a> <small>{escape(reference.version)}</small></p>
<search>
<input type="search" id="search" placeholder="Search ( / )" aria-label="Search the reference" autocomplete="off">
<p id="found" role="status" aria-live="polite"></p>
</search>
{_contents(reference)}
</nav>
<main id="top">
<h1>Reference</h1>
<p class="lead">{_inline(reference.summary)}</p>
{"".join(map(_group, reference.groups))}{_rest(reference)}
</main>
<script>
{script}
</script>
</body>
</html>
"""


def _contents(reference: Reference) -> str:
    parts = [(group.name, [(part.anchor, _tail(part)) for part in group.commands]) for group in reference.groups]
    parts.append((_EVERY, [(anchor, title.lower()) for anchor, title in _ENTRIES.items()]))
    parts.append((_ERRORS, [(failure.code, failure.code) for failure in reference.failures]))
    return "\n".join(f"<h2>{escape(title)}</h2>\n<ul>\n{_links(links)}</ul>" for title, links in parts)


def _tail(command: Command) -> str:
    return " ".join(command.path[1:]) or command.name


def _links(links: Iterable[tuple[str, str]]) -> str:
    return "".join(f'<li><a href="#{escape(anchor)}">{escape(text)}</a></li>\n' for anchor, text in links)


def _group(group: Group) -> str:
    return _part(group.name, group.summary, "".join(map(_command, group.commands)))


def _part(title: str, summary: str, entries: str) -> str:
    head = f'<header class="group"><h2>{escape(title)}</h2><p>{_inline(summary)}</p></header>\n'
    return f'<section class="part">\n{head}{entries}</section>\n'


def _command(command: Command) -> str:
    body = f'<p class="lead">{_inline(command.summary)}</p>\n'
    body += "".join(f"<p>{_inline(part)}</p>\n" for part in command.description.split("\n\n") if part)
    body += f'<pre class="usage">{escape(command.usage)}</pre>\n<p class="badges">{_badges(command)}</p>\n'
    if command.parameters:
        body += f"<h4>Takes</h4>\n{_parameters(command.parameters)}"
    body += f"<h4>Result</h4>\n{_answer(command.answer)}"
    body += f"<h4>Examples</h4>\n<pre>{escape(chr(10).join(command.examples))}</pre>\n"
    return _entry(command.anchor, command.name, body)


def _badges(command: Command) -> str:
    marks: list[tuple[str, str]] = [(command.effect, command.effect)]
    marks += [("network", "may use the network")] if command.network else []
    marks += [] if command.idempotent else [("plain", "twice is not the same as once")]
    marks += [("plain", "--detach makes it a job")] if command.detach else []
    tool = f"MCP tool {command.tool}" + (", by default" if command.featured else "")
    marks.append(("plain", tool if command.tool else "for the shell only"))
    return " ".join(f'<span class="badge {name}">{escape(text)}</span>' for name, text in marks)


def _parameters(parameters: Sequence[Parameter]) -> str:
    return _table(
        ("parameter", "type", "default", "meaning"),
        (
            (
                _codes(words.spellings(part)),
                _inline(words.kind(part)),
                _inline(words.default(part)),
                _inline(part.meaning),
            )
            for part in parameters
        ),
    )


def _answer(answer: Answer) -> str:
    text = f"<p>{_inline(words.answer(answer))}</p>\n"
    if not answer.fields:
        return text
    rows = (
        (_codes([part.path]), _inline(part.type + (" or null" if part.nullable else "")), _inline(part.meaning))
        for part in answer.fields
    )
    table = _table(("field", "type", "meaning"), rows)
    return f"{text}<details>\n<summary>{len(answer.fields)} fields</summary>\n{table}</details>\n"


def _rest(reference: Reference) -> str:
    bodies = {
        "options": _parameters(reference.options),
        "statuses": _statuses(reference),
        "settings": f"<p>{_inline(words.PRECEDENCE)}</p>\n{_settings(reference)}",
        "variables": _meanings("variable", ((part.name.split(", "), part.meaning) for part in reference.variables)),
        "files": _meanings("path", (([part.path], part.meaning) for part in reference.files)),
    }
    entries = "".join(_entry(anchor, title, bodies[anchor]) for anchor, title in _ENTRIES.items())
    errors = "".join(map(_failure, reference.failures))
    return _part(_EVERY, "What holds for every command.", entries) + _part(_ERRORS, words.CODES, errors)


def _statuses(reference: Reference) -> str:
    rows = (
        (str(part.status), _inline(part.meaning), ", ".join(f'<a href="#{code}">{code}</a>' for code in part.codes))
        for part in reference.statuses
    )
    return _table(("exit", "meaning", "codes"), rows)


def _settings(reference: Reference) -> str:
    rows = (
        (
            _codes([part.name]),
            _codes([part.variable]),
            _codes([words.stated(part.default)]),
            _inline(part.meaning + words.choices(part.choices)),
        )
        for part in reference.settings
    )
    return _table(("setting", "variable", "default", "meaning"), rows)


def _meanings(title: str, parts: Iterable[tuple[list[str], str]]) -> str:
    return _table((title, "meaning"), ((_codes(names), _inline(meaning)) for names, meaning in parts))


def _failure(failure: Failure) -> str:
    text = f'<p class="lead">{_inline(failure.meaning)}</p>\n<p>{_inline(words.ending(failure))}</p>\n'
    return _entry(failure.code, failure.code, f"{text}<p>{_inline(failure.remedy)}</p>\n")


def _entry(anchor: str, title: str, body: str) -> str:
    link = f'<h3><a href="#{escape(anchor)}">{escape(title)}</a></h3>\n'
    return f'<section class="entry" id="{escape(anchor)}">\n{link}{body}</section>\n'


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n'


def _codes(parts: Iterable[str]) -> str:
    return ", ".join(f"<code>{escape(part)}</code>" for part in parts)


def _inline(text: str) -> str:
    return "".join(f"<code>{escape(part)}</code>" if code else escape(part) for code, part in words.spans(text))
