"""The forms of sentence that mean a command.

What takes something away is proposed with `--dry-run` wherever the command has that. The first form that fits is taken.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

from ipfs_accel_cli.services.search.ask.lexicon import TASKS

Line = str | Callable[[re.Match[str]], str | None]

CID = r"(?:bafy|bafk|bafb|baga|bagu|Qm)[a-zA-Z0-9]{40,}(?:/\S*)?"
THING = r'(?:"[^"]+"|\S+?)'
PLACE = r"[a-zA-Z][\w.-]*(?::\S*)?"
MODEL = r"(?:(?:the |my )?(?:models?|network) )?(?:(?:called|named) )?"
PICTURES = r"\S+\.(?:png|jpe?g|gif|webp|bmp|tiff?)"
SOUNDS = r"\S+\.(?:wav|mp3|flac|ogg|m4a)"
SOURCE = (
    r"(?:everything|all|all files|the files|the content|all content|content|what is|whatever is)?"
    rf"(?: ?(?:of|in|from|at|on) )?(?: (?=here))?(?P<source>{THING})"
)
TO = rf"(?:to|into|onto|over to) (?P<destination>{PLACE})"
ONE = rf"{MODEL}(?P<one>{THING})"
JOB = r"(?:the )?job (?P<one>\S+)"
FOR_TASK = r"(?: (?:here|best))*(?: (?:for|to|in))* (?P<task>[\w -]+)"


class Sentence:
    """Forms of one sentence; `line` makes the command of what was found in it, or None where it is another after all.

    In `line`, `{one}` stands for a group of the form, quoted for a shell.
    """

    def __init__(self, line: Line, *forms: str) -> None:
        self.line = line
        self.forms = tuple(re.compile(form, re.IGNORECASE) for form in forms)


_STEMS = {
    **{"moved": "move", "moving": "move", "copied": "copy", "copying": "copy"},
    **{"mirror": "sync", "mirroring": "sync", "syncing": "sync"},
}


def between(verb: str, more: str = "") -> Callable[[re.Match[str]], str | None]:
    """Return what brings one place to another; content and files go by the verbs of the store."""

    def line(match: re.Match[str]) -> str | None:
        source, destination = match["source"], _place(match["destination"])
        if re.fullmatch(CID, source):
            return f"store copy {{source}} {shlex.quote(destination)}" if verb == "copy" else None
        if ":" not in source and re.search(r"[./]", source):
            return f"store put {{source}} --to {shlex.quote(destination)}" if verb == "copy" else None
        told = (match.groupdict().get("verb") or "copy").lower()
        action = _STEMS.get(told, told)
        more_of_it = more if verb != "plan" or action == "copy" else f" --action {action}"
        return f"migrate {verb} {shlex.quote(_place(source))} {shlex.quote(destination)}{more_of_it}"

    return line


def _place(text: str) -> str:
    return text if ":" in text else f"{text}:"


def with_place(line: str) -> Callable[[re.Match[str]], str | None]:
    """Return a line in which a backend's name is a place, whether a colon was written or not."""
    return lambda match: line.replace("{destination}", shlex.quote(_place(match["destination"])))


def task(match: re.Match[str]) -> str | None:
    """Return what ranks the models for a task, where its name is known."""
    asked = match["task"].lower()
    for words, task in TASKS.items():
        if re.fullmatch(words, asked):
            return f"hw recommend --task {task}"
    return None


def either(of_content: str, of_model: str) -> Callable[[re.Match[str]], str | None]:
    """Return one line for a CID, another for a model's name."""
    return lambda match: of_content if re.fullmatch(CID, match["one"]) else of_model
