"""Front matter: the YAML at the head of a Markdown file, between two lines of dashes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ipfs_accel_cli.core.errors import LimitReached, MalformedContent
from ipfs_accel_cli.extractors import words

# Cards with hundreds of benchmark results have some hundred KiB.
_LONGEST = 1 << 20
# What the plain reader is given, which takes a second for this much.
_LONGEST_PLAIN = 1 << 17
_BEGIN = re.compile(r"\s*---[ \t]*\n")
_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
# A reader of C recurses without a bound of its own; this much no honest card has.
_BRACKETS = 256
_INDENT = 200


def split(text: str) -> tuple[str, str]:
    """Return the front matter, empty where there is none, and the text after it."""
    begin = _BEGIN.match(text)
    end = _END.search(text, begin.end()) if begin else None
    if begin is None or end is None:
        return "", text
    return text[begin.end() : end.start()], text[end.end() :].lstrip("\n")


def parse(front: str, name: str) -> Mapping[str, Any]:
    """Return the values of a front matter, in which every scalar is a text.

    Raises MalformedContent for what is no YAML mapping and LimitReached for more than is read. Merge keys are not
    followed: a few lines of them make any number of values.
    """
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    longest = _LONGEST if loader is not yaml.BaseLoader else _LONGEST_PLAIN
    if len(front) > longest:
        raise LimitReached(f"{name}: the front matter has more than {longest} characters")
    if _depth(front) > _BRACKETS:
        raise LimitReached(f"{name}: the front matter is nested too deeply")
    try:
        found = yaml.load(front, Loader=loader)  # noqa: S506 - makes texts, lists and mappings only
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise MalformedContent(f"{name}: the front matter is not YAML: {words.line(error)}") from error
    if found is None or found == "":
        return {}
    if not isinstance(found, Mapping):
        raise MalformedContent(f"{name}: the front matter is not a list of keys")
    return found


def texts(value: Any, items: int) -> tuple[str, ...]:
    """Return a value that may be one text or a list of texts as texts, each on one line, none twice."""
    several = value if isinstance(value, list) else [value]
    found = (words.line(one) for one in several[:items] if isinstance(one, str))
    return tuple(dict.fromkeys(one for one in found if one))


def text(value: Any) -> str:
    """Return a value as one line, empty where it is no text."""
    return words.line(value) if isinstance(value, str) else ""


def _depth(front: str) -> int:
    """Return a bound of how deep brackets, dashes and indents nest."""
    opened = front.count("[") + front.count("{")
    deepest = opened - front.count("]") - front.count("}")
    most, level = 0, 0
    if opened > _BRACKETS:
        for character in re.findall(r"[\[\]{}]", front):
            level += 1 if character in "[{" else -1
            most = max(most, level)
    dashes = max((len(one) for one in re.findall(r"^[ ?:-]+", front, re.MULTILINE)), default=0)
    return max(most, deepest, dashes // 2 if dashes > _INDENT else 0)
