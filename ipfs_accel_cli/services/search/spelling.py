"""Words that nothing has, and which words of the index they are taken for."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

from ipfs_accel_cli.core.errors import MissingExtra
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.schema import TOKENIZER

_LEAST_LETTERS = 4
_LONG_LETTERS = 6
_MOST_SUGGESTED = 3


class Speller:
    """Compares words with the vocabulary of the index, in the form in which the index has them."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._stamp: object = None
        self._frequency: dict[str, int] = {}
        self._stems = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._stems.execute(f"CREATE VIRTUAL TABLE one USING fts5(text, tokenize='{TOKENIZER}')")
        self._stems.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab('one', 'row')")

    def near(self, word: str) -> tuple[str, ...]:
        """Return what a word that nothing has is taken for: what begins with it, else what is spelled alike.

        Two neighbours that are swapped are one mistake; a word of six letters may have two. Of words that are as near,
        those that more documents have come first.
        """
        with self._lock:
            stems = self.stems(word)
            if len(stems) != 1:
                return ()
            begins = self._beginning(word.lower())
            return begins or self._alike(stems[0])

    def stems(self, word: str) -> list[str]:
        """Return the forms in which the index has a text."""
        self._stems.execute("DELETE FROM one")
        self._stems.execute("INSERT INTO one VALUES (?)", (word,))
        return [row[0] for row in self._stems.execute("SELECT term FROM vocabulary")]

    def _beginning(self, word: str) -> tuple[str, ...]:
        if len(word) < _LEAST_LETTERS - 1:
            return ()
        query = "SELECT term FROM vocabulary WHERE term >= ? AND term < ? ORDER BY doc DESC, term LIMIT ?"
        return tuple(row["term"] for row in self._index.rows(query, (word, word + "\U0010ffff", _MOST_SUGGESTED)))

    def _alike(self, stem: str) -> tuple[str, ...]:
        if len(stem) < _LEAST_LETTERS:
            return ()
        try:
            from rapidfuzz import distance, process
        except ImportError as error:
            raise MissingExtra("this needs rapidfuzz", suggestion="pip install rapidfuzz") from error
        frequency = self._vocabulary()
        most = 1 if len(stem) < _LONG_LETTERS else 2
        scorer: Any = distance.OSA.distance
        found: Sequence[tuple[str, float, int]] = process.extract(
            stem, list(frequency), scorer=scorer, limit=50, score_cutoff=most
        )
        ordered = sorted(found, key=lambda one: (one[1], -frequency[one[0]], one[0]))
        nearest = ordered[0][1] if ordered else 0
        return tuple(term for term, far, _ in ordered if far == nearest)[:_MOST_SUGGESTED]

    def _vocabulary(self) -> dict[str, int]:
        self._index.connection()
        stamp = self._index.database.stamp()
        if stamp != self._stamp:
            query = "SELECT term, doc FROM vocabulary WHERE length(term) >= ?"
            self._frequency = {row["term"]: row["doc"] for row in self._index.rows(query, (_LEAST_LETTERS - 1,))}
            self._stamp = stamp
        return self._frequency
