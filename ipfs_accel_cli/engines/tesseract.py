"""Tesseract, the program: it reads with language data of its own, and no model of ours."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.errors import Invalid, MissingExtra, Unavailable
from ipfs_accel_cli.engines.exchange.image import Line

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

NAME = "tesseract"
_SECONDS = 120
_WORD, _COLUMNS = "5", 12
_INSTALL = "apt-get install tesseract-ocr"


def program() -> str:
    """Return where the program is; raises MissingExtra with the line that installs it."""
    found = shutil.which(NAME)
    if found is None:
        raise MissingExtra("the program tesseract is not installed", suggestion=_INSTALL)
    return found


def check(languages: str) -> None:
    """Raise Invalid for languages that it has no data of, and what `program` raises."""
    _check_spelling(languages)
    try:
        command = [program(), "--list-langs"]
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"tesseract failed: {error}") from error
    known = set(done.stdout.decode("utf-8", "replace").splitlines()[1:])
    for language in languages.split("+"):
        if language not in known:
            raise _lacking(language)


def read_lines(pixels: Pixels, languages: str = "eng", least: float = 0.0) -> tuple[Line, ...]:
    """Return the lines of a picture, in the order of reading; `languages` as tesseract spells them: eng+deu.

    Raises MissingExtra, Invalid for languages that it has no data of, and Unavailable when it fails.
    """
    from PIL import Image

    _check_spelling(languages)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "BMP")
    command = [program(), "stdin", "stdout", "-l", languages, "tsv"]
    try:
        done = subprocess.run(command, input=data.getvalue(), capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"tesseract failed: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        if "language" in said.lower():
            raise _lacking(languages)
        raise Unavailable(f"tesseract failed: {(said.splitlines() or ['it said nothing'])[-1][:300]}")
    return tuple(line for line in _lines(done.stdout.decode("utf-8", "replace")) if line.score >= least)


def _check_spelling(languages: str) -> None:
    if not all(part.replace("_", "").isalnum() for part in languages.split("+")):
        raise Invalid(f"{languages!r} names no languages; eng, or eng+deu for several")


def _lacking(languages: str) -> Invalid:
    return Invalid(
        f"tesseract has no data for the languages {languages!r}",
        suggestion=f"apt-get install tesseract-ocr-{languages.partition('+')[0].replace('_', '-')}",
    )


def _lines(table: str) -> Iterator[Line]:
    """Put words together: those of the same page, block, paragraph and line, each row of the table a word."""
    words: dict[tuple[str, ...], list[list[str]]] = {}
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) == _COLUMNS and cells[0] == _WORD and cells[11].strip():
            words.setdefault(tuple(cells[1:5]), []).append(cells)
    for line in words.values():
        edges = [(int(one[6]), int(one[7]), int(one[6]) + int(one[8]), int(one[7]) + int(one[9])) for one in line]
        left, top = min(edge[0] for edge in edges), min(edge[1] for edge in edges)
        right, bottom = max(edge[2] for edge in edges), max(edge[3] for edge in edges)
        sure = sum(float(one[10]) for one in line) / len(line) / 100
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        yield Line(" ".join(one[11] for one in line), max(0.0, min(1.0, sure)), corners)
