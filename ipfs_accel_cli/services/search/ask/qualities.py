"""What content is, in a question: kinds, tasks, licences, languages, tags, places and names."""

from __future__ import annotations

import re

from ipfs_accel_cli.services.search.ask.lexicon import (
    ANYTHING,
    ARCHITECTURES,
    DOERS,
    DTYPES,
    FORMATS,
    KINDS,
    LANGUAGES,
    LICENCES,
    PROGRAMMING,
    TASKS,
)
from ipfs_accel_cli.services.search.ask.scan import Piece, Scan

_NAME = r"[\w./@+-]*\w"
_VALUE = rf'(?:"[^"]+"|{_NAME})'
_LICENSED = r"licen[cs]ed?|licences|licenses"
_WEIGHTS = frozenset({"safetensors", "gguf", "onnx"})
_LONGEST_FIRST = sorted(KINDS, key=lambda one: -max(map(len, one.split("|"))))


def read_kinds(scan: Scan) -> None:
    """Read `pictures and recordings`, `python scripts`; several kinds are alternatives."""
    code = rf"(?P<language>{PROGRAMMING})[- ](?P<what>code|scripts?|programs?|files?|sources?|source code)"
    for match in scan.find(code):
        scan.take(match, "kind", "=", "code", "kind")
        _language(scan, match, match["language"])
    for match in scan.find(rf"(?:written |implemented )?in (?P<language>{PROGRAMMING})"):
        _language(scan, match, match["language"])
        scan.blank(match.start(), match.end())
    for words, media_type in FORMATS.items():
        for match in scan.find(words):
            scan.take(match, "media_type", "=", media_type, "media_type")
    found: list[tuple[re.Match[str], tuple[str, ...]]] = []
    for words in _LONGEST_FIRST:
        for match in scan.find(words):
            if not any(one.start() <= match.start() < one.end() for one, _ in found):
                found.append((match, KINDS[words]))
    specific = any(_WEIGHTS.intersection(kinds) for _, kinds in found)
    for match, kinds in sorted(found, key=lambda one: one[0].start()):
        if kinds == ("model",) and specific:
            scan.blank(match.start(), match.end())
            continue
        for kind in kinds:
            scan.take(match, "kind", "=", kind, "kind")
    for match in scan.find(ANYTHING):
        scan.blank(match.start(), match.end())


def read_model(scan: Scan) -> None:
    """Read what only models have: `for translation`, `bert models`, `float16`, `based on X`."""
    for match in scan.find(
        rf"(?:that (?:are|is|were) )?(?:based on|fine-?tuned from|derived from|made from) (?P<name>{_NAME})"
    ):
        scan.take(match, "base_model", "~", scan.original(match, "name"))
    for words, name in DOERS.items():
        for match in scan.find(words):
            scan.take(match, "task", "=", name, "task")
            if not re.search(r"\bmodels?\b", scan.low) and not scan.has("kind"):
                scan.pieces.append(Piece(match.start(), scan.original(match), "kind=model", "kind"))
    if not re.search(r"\b(?:models?|weights|safetensors|ggufs?|onnx)\b", scan.low):
        return
    for words, dtype in DTYPES.items():
        for match in scan.find(rf"(?:in )?(?:{words})"):
            scan.take(match, "dtype", "=", dtype, "dtype")
    if not re.search(r"\bmodels?\b", scan.low):
        return
    for match in scan.find(rf"(?:of (?:the )?)?(?P<name>{ARCHITECTURES})(?:(?= models?\b)| architectures?)"):
        scan.take(match, "architecture", "~", match["name"], "architecture")
    asked = r"(?:(?:that|which|who) )?(?:can |could |do |does )?(?:for |to |of )?(?:doing )?"
    for words in sorted(TASKS, key=lambda one: -max(map(len, one.split("|")))):
        for match in scan.find(rf"{asked}(?:{words})(?: tasks?)?"):
            scan.take(match, "task", "=", TASKS[words], "task")


def read_licences(scan: Scan) -> None:
    """Read `under the MIT licence`, `not gpl`, `without a licence`."""
    for match in scan.find(rf"(?:without|with no|having no|lacking) (?:an?y? |the )?(?:{_LICENSED})"):
        scan.take(match, "licence", "=", "null")
    if not re.search(rf"\b(?:models?|{_LICENSED})\b", scan.low):
        return
    around = r"(?:that (?:are|is) )?(?:under |with )?(?:an? |the )?"
    for words, names in LICENCES.items():
        for match in scan.find(rf"{around}(?:{words})(?:[- ](?:{_LICENSED}))?"):
            for name in names:
                scan.take(match, "licence", "~", name, "licence")
    for match in scan.find(_LICENSED):
        if any(piece.condition.startswith("licence") for piece in scan.pieces):
            scan.blank(match.start(), match.end())


def read_languages(scan: Scan) -> None:
    """Read `in German`, `spanish or italian documents`."""
    for match in scan.find(rf"(?:written )?(?:in )?(?P<name>{'|'.join(LANGUAGES)})(?: language)?"):
        scan.take(match, "language", "=", LANGUAGES[match["name"]], "language")


def read_marks(scan: Scan) -> None:
    """Read tags, and what could not be read."""
    untagged = (
        r"untagged|(?:without|(?:that )?(?:with|has|have|having) no)(?: any)? tags?(?: yet)?"
        r"|(?:that )?(?:are |is )?not tagged(?: yet)?(?=[?.! ]*$)"
    )
    for match in scan.find(untagged):
        scan.take(match, "tag", "=", "null")
    for match in scan.find(
        rf"(?:tagged|with (?:the )?tags?|labell?ed)(?: as| with)? (?P<one>{_VALUE})(?: or (?P<other>{_VALUE}))?"
    ):
        values = [scan.original(match, name).strip('"') for name in ("one", "other") if match[name]]
        for value in values:
            scan.take(match, "tag", "=", value, "tag" if len(values) > 1 else "")
    unread = (
        "(?:that |which )?(?:could not|couldn't|cannot|can't) be read|unreadable|broken|damaged|corrupt(?:ed)?"
        "|with (?:a )?problems?"
    )
    for match in scan.find(unread):
        scan.take(match, "problem", "!=", "null")


def read_names(scan: Scan) -> None:
    """Read `in the folder X`, `named X`, `by X`, `with a column named X`."""
    for match in scan.find(
        rf"(?:with|(?:that )?(?:have|has|having)) (?:a |the )?columns? (?:named |called )?(?P<name>{_VALUE})"
    ):
        scan.take(match, "columns", "=", scan.original(match, "name").strip('"'))
    for match in scan.find(rf"(?:in|under|below|inside|within) (?:the |my )?(?:folder|directory) (?P<name>{_VALUE})"):
        scan.take(match, "path", "~", scan.original(match, "name").strip('"'))
    for match in scan.find(rf"(?:in|under|below|inside|within) (?P<name>{_NAME}/{_NAME})/?"):
        scan.take(match, "path", "~", scan.original(match, "name"))
    for match in scan.find(rf"(?:that (?:are|is) )?(?:named|called|with the name) (?P<name>{_VALUE})"):
        name = scan.original(match, "name").strip('"')
        scan.take(match, "name", "=" if "." in name else "~", name)
    for match in scan.find(rf"(?:ending (?:in|with)|with the ending) (?P<name>\.?{_NAME})"):
        scan.take(match, "name", "~", scan.original(match, "name"))
    for match in scan.find(rf"(?:written )?by (?P<name>{_VALUE}(?: [a-z][\w.-]*)*)"):
        named = re.match(r'"[^"]+"|[A-Z][\w.-]*(?: [A-Z][\w.-]*)*', scan.original(match, "name"))
        if named is not None:
            start = match.start("name")
            exact = re.compile(re.escape(scan.low[match.start() : start + named.end()])).match(scan.low, match.start())
            assert exact is not None
            scan.take(exact, "author", "~", named[0].strip('"'))


def _language(scan: Scan, match: re.Match[str], name: str) -> None:
    scan.take(match, "programming_language", "=", name, "programming_language")
    if not scan.has("kind"):
        scan.condition(match, "kind=code", "kind")
