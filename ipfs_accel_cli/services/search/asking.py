"""A query as people type it, read without ever failing: words, "phrases", begin*, and -without."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ipfs_accel_cli.services.search.words import STOP_WORDS, humps, is_humped, phrase_of, unspaced

MOST_TERMS = 64
_PART = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is looked for: `text` as it was typed, a phrase, or the beginning of a word.

    `instead` are other words that it is taken for where it is not found.
    """

    text: str
    phrase: bool = False
    prefix: bool = False
    instead: tuple[str, ...] = ()

    def expression(self) -> str:
        """Return it in the language of FTS5; whatever the text, it is quoted."""
        if self.instead:
            return _any(_quoted(word) for word in self.instead)
        if unspaced(self.text):
            parts = phrase_of(self.text)
            found = [_quoted(part) + ("*" if len(part) == 1 else "") for part in parts]
            return f"({' AND '.join(found)})" if len(found) > 1 else found[0]
        if self.prefix:
            return _quoted(self.text) + " *"
        if not self.phrase and is_humped(self.text):
            return _any([_quoted(self.text), _quoted(humps(self.text))])
        return _quoted(self.text)

    def read_as(self, words: tuple[str, ...]) -> Term:
        """Return it with other words in its place."""
        return replace(self, instead=words)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: a document has one of the `terms` at least, all phrases, and nothing of `without`."""

    terms: tuple[Term, ...]
    without: tuple[Term, ...] = ()

    @property
    def words(self) -> tuple[Term, ...]:
        """The terms that may be missing."""
        return tuple(term for term in self.terms if not term.phrase)

    def expression(self, *, every: bool = False) -> str:
        """Return the query in the language of FTS5, `every` term wanted or one; empty where there is none."""
        if not self.terms:
            return ""
        phrases = [term.expression() for term in self.terms if term.phrase]
        some = [term.expression() for term in self.terms]
        found = f"({' AND '.join(some)})" if every else _any(some)
        if phrases and not every and self.words:
            found = f"({' AND '.join(phrases)}) AND {found}"
        elif phrases and not every:
            found = f"({' AND '.join(phrases)})"
        return found

    def alternatives(self) -> tuple[str, ...]:
        """Return what each word is looked for as, where one of them is enough and none is a choice of its own."""
        if any(term.phrase or term.prefix for term in self.terms):
            return ()
        found = tuple(term.expression() for term in self.terms)
        return () if any("(" in one for one in found) else found

    def unwanted(self) -> str:
        """Return what no document may have; empty where there is nothing."""
        return _any(term.expression() for term in self.without) if self.without else ""

    def plain(self) -> str:
        """Return the words of the query alone, as they are compared by meaning; what was mended, as it is read."""
        return " ".join(word for term in self.terms for word in (term.text, *term.instead[:1]))


def read(text: str) -> Query:
    """Read a query; words that every text has are left out unless there are no others."""
    wanted: list[Term] = []
    without: list[Term] = []
    for part in _PART.finditer(_UNREADABLE.sub(" ", text)):
        phrase = part["phrase"] is not None
        body = (part["phrase"] if phrase else part["word"]).strip()
        prefix = not phrase and body.endswith("*")
        if not any(one.isalnum() for one in body):
            continue
        term = Term(body.rstrip("*") if prefix else body, phrase and " " in body, prefix)
        (without if part["minus"] else wanted).append(term)
    telling = [term for term in wanted if term.phrase or term.prefix or term.text.lower() not in STOP_WORDS]
    chosen = list(dict.fromkeys(telling or wanted))
    return Query(tuple(chosen[:MOST_TERMS]), tuple(dict.fromkeys(without))[:MOST_TERMS])


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _any(parts: object) -> str:
    found = list(parts)  # type: ignore[call-overload]
    return found[0] if len(found) == 1 else f"({' OR '.join(found)})"
