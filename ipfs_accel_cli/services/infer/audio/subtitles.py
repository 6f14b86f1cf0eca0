"""Transcripts as files: SubRip and WebVTT subtitles, plain text, JSON lines; written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.services.infer.audio.results import Utterance

Form = Callable[[int, Utterance], str]


def clock(seconds: float, point: str) -> str:
    """Return a time as subtitles spell it: 01:02:03.456."""
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _srt(at: int, one: Utterance) -> str:
    return f"{at}\n{clock(one.start_s, ',')} --> {clock(one.end_s, ',')}\n{_cue(one.text)}\n\n"


def _vtt(_at: int, one: Utterance) -> str:
    text = _cue(one.text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"{clock(one.start_s, '.')} --> {clock(one.end_s, '.')}\n{text}\n\n"


def _cue(text: str) -> str:
    # An empty line would end the cue, and an arrow would begin a time.
    return " ".join(text.split()).replace("-->", "->")


_FORMS: dict[str, tuple[str, Form]] = {
    ".srt": ("", _srt),
    ".vtt": ("WEBVTT\n\n", _vtt),
    ".txt": ("", lambda _at, one: f"{one.text}\n"),
    ".jsonl": ("", lambda _at, one: json.dumps(one.model_dump(mode="json"), ensure_ascii=False) + "\n"),
}


def form_of(path: Path) -> tuple[str, Form]:
    """Return how a file of this ending begins and what a segment is in it; raises Invalid for another ending."""
    found = _FORMS.get(path.suffix.lower())
    if found is None:
        raise Invalid(f"a transcript is written as {', '.join(_FORMS)}, not as {path.name!r}")
    return found


def written(items: Iterable[Utterance], path: Path) -> Iterator[Utterance]:
    """Pass segments on and write them to a file, which appears when the last one is there."""
    head, form = form_of(path)
    with writing_into(path.parent), replacing(path) as file:
        _put(file, head)
        for at, one in enumerate(items, 1):
            _put(file, form(at, one))
            yield one


def refuse_present(path: Path, *, force: bool) -> None:
    """Raise Conflict for a file that is there, unless it may be replaced, and NotFound-like Invalid for no folder."""
    if path.is_dir():
        raise Invalid(f"{path} is a folder; give the name of a file")
    if path.exists() and not force:
        raise Conflict(f"{path} is there already", suggestion="add --force to replace it, or choose another name")
    if not path.absolute().parent.is_dir():
        raise Invalid(f"there is no folder {str(path.parent)!r} to write into")


def _put(file: IO[bytes], text: str) -> None:
    file.write(text.encode())
