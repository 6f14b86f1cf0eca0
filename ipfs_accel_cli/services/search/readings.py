"""What models read in pictures and recordings: kept by CID and model, beside what extractors made of the same files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ipfs_accel_cli.extractors.base import Fact

Kind = Literal["ocr", "caption", "transcript"]
# Pictures and recordings, by what their documents are; and what is read in them, in this order.
READ_OF: dict[str, tuple[Kind, ...]] = {"image": ("caption", "ocr"), "audio": ("transcript",)}


@dataclass(frozen=True, slots=True)
class Reading:
    """What one model, or program, read in one file; `problem` says why it could not."""

    kind: Kind
    model: str
    model_cid: str
    text: str
    problem: str | None = None


def as_text(text: str, readings: Iterable[Reading]) -> str:
    """Return the text of a document with what was read in it."""
    return "\n\n".join(part for part in (text, *(one.text for one in readings)) if part.strip())


def as_facts(readings: Iterable[Reading]) -> dict[str, Fact]:
    """Return what can be filtered by: what was read, by which model, and the caption, which is short."""
    good = [one for one in readings if one.problem is None]
    found: dict[str, Fact] = {f"{one.kind}_model": one.model_cid for one in good}
    found |= {one.kind: one.text for one in good if one.kind == "caption"}
    return found | ({"read": tuple(one.kind for one in good)} if good else {})


def problem_of(readings: Iterable[Reading]) -> str | None:
    """Return why one of them has no text."""
    return next((f"{one.kind} by {one.model}: {one.problem}" for one in readings if one.problem is not None), None)


def shown(connection: sqlite3.Connection, cid: str) -> tuple[Reading, ...]:
    """Return what belongs to the document of a CID: of each kind what the model said that was asked last."""
    query = "SELECT kind, model, model_cid, text, problem FROM readings WHERE cid = ? AND shown ORDER BY kind"
    return tuple(Reading(*row) for row in connection.execute(query, (cid,)))


def kept(connection: sqlite3.Connection, cid: str, kind: Kind, model_cid: str) -> tuple[Reading, bool] | None:
    """Return what a model read before, and whether that is all the document shows; None where it failed, or never read.

    What another model failed at since is shown, too, until one of them is asked again.
    """
    query = "SELECT * FROM readings WHERE cid = ? AND kind = ?"
    rows = connection.execute(query, (cid, kind)).fetchall()
    row = next((row for row in rows if row["model_cid"] == model_cid and row["problem"] is None), None)
    if row is None:
        return None
    alone = row["shown"] and all(other["problem"] is None for other in rows)
    return Reading(kind, row["model"], model_cid, row["text"]), bool(alone)


def keep(connection: sqlite3.Connection, cid: str, reading: Reading) -> None:
    """Keep what was read, and let the document show it; a failure takes no text of another model's away."""
    key = (cid, reading.kind)
    if reading.problem is None:
        connection.execute("UPDATE readings SET shown = 0 WHERE cid = ? AND kind = ?", key)
        connection.execute("DELETE FROM readings WHERE cid = ? AND kind = ? AND problem IS NOT NULL", key)
    about = (*key, reading.model_cid, reading.model, reading.text, reading.problem)
    connection.execute("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?, ?, 1)", about)
