"""A question becomes a filter, an order, and words to look for; what it was read as is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.fields import Field
from ipfs_accel_cli.services.search import filtering
from ipfs_accel_cli.services.search.ask import amounts, dates, qualities
from ipfs_accel_cli.services.search.ask.mending import mended, written_out
from ipfs_accel_cli.services.search.ask.scan import Piece, Scan

LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Read:
    """What a question was read as; `pieces` in the order of its words, `unknown` what nothing here has.

    `slips` are the words that were misspelled, and what they were taken for.
    """

    filter: str
    words: str
    order: str
    most: int | None
    pieces: tuple[Piece, ...] = ()
    ordered_by: str = ""
    unknown: tuple[Piece, ...] = field(default=())
    slips: Mapping[str, str] = field(default_factory=dict)


def read(text: str, today: date, known: Mapping[str, Field]) -> Read:
    """Read a question; whatever the text, the filter that comes out can be parsed over the fields that are `known`.

    What is said of a field that nothing in the index has is left out of the filter, and told. Raises Invalid for a text
    that is too long to be a question.
    """
    if len(text) > LONGEST:
        raise Invalid(f"a question has up to {LONGEST} characters, not {len(text)}; `search query` takes longer texts")
    text, slips = mended(written_out(text))
    scan = Scan(text)
    dates.read_dates(scan, today)
    amounts.read_counts(scan)
    amounts.read_sizes(scan)
    qualities.read_marks(scan)
    qualities.read_names(scan)
    qualities.read_licences(scan)
    qualities.read_model(scan)
    amounts.read_order(scan)
    qualities.read_kinds(scan)
    qualities.read_languages(scan)
    unknown = [piece for piece in scan.pieces if not _parses(piece.condition, known)]
    scan.pieces = [piece for piece in scan.pieces if piece not in unknown]
    in_order = tuple(sorted(scan.pieces, key=lambda one: one.start))
    words = " ".join(scan.left())
    return Read(scan.filter(), words, scan.order, scan.most, in_order, scan.ordered_by, tuple(unknown), slips)


def _parses(condition: str, known: Mapping[str, Field]) -> bool:
    try:
        filtering.parse(condition, known)
    except Invalid:
        return False
    return True
