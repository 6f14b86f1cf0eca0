"""Tags that content may want: those of what is like it, and what its own header says. None is ever given by itself."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.services.search.entry import TAG
from ipfs_accel_cli.services.search.index import Index, tags_of
from ipfs_accel_cli.services.search.kin import MOST, Kinship
from ipfs_accel_cli.services.search.kin_results import Kin, Suggested, Suggestion

_NEIGHBOURS = 10
_LOOKED_AT = 200
_LEAST = 0.1
_DECIMALS = 2
# Facts that sort things as tags do. What one of them says is right, but nobody has said yet that it is wanted as a tag.
_FACTS = ("task", "tasks", "tags", "library", "language", "architecture", "licence")
_STATED = ("task", "tasks", "tags", "library", "language")
_STATED_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class Suggesting:
    """Suggests tags from one index."""

    index: Index
    kinship: Kinship

    def tags(self, reference: str, limit: int = 10) -> Suggested:
        """Return tags that content does not have, the likeliest first; raises NotFound for what is not indexed."""
        if not 1 <= limit <= MOST:
            raise Invalid(f"--limit is from 1 to {MOST}")
        document, cid, title = self.kinship.document(reference)
        note, kin = "", list[Kin]()
        try:
            kin = self.kinship.similar(cid, _LOOKED_AT).kin
        except UnsupportedContent as error:
            note = f"{error.detail}: only its facts were looked at"
        found: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for tag, confidence, reason in (*self._of_kin(kin), *self._of_facts(document)):
            found[tag].append((confidence, reason))
        has = {tag.lower() for tag in tags_of(self.index.connection(), document)}
        made = [_suggestion(cid, tag, reasons) for tag, reasons in found.items() if tag not in has]
        likely = sorted((one for one in made if one.confidence >= _LEAST), key=lambda one: (-one.confidence, one.tag))
        return Suggested(cid=cid, title=title, note=note, suggestions=likely[:limit])

    def _of_kin(self, kin: Sequence[Kin]) -> list[tuple[str, float, str]]:
        """Return the tags of the nearest that have any.

        The confidence is the share of their likeness that has the tag, times the likeness of the nearest of those.
        """
        tags = self._tags([one.cid for one in kin])
        near = [one for one in kin if one.cid in tags and one.likeness > 0][:_NEIGHBOURS]
        total = sum(one.likeness for one in near)
        found = []
        for tag in sorted({tag for one in near for tag in tags[one.cid]}):
            having = [one for one in near if tag in tags[one.cid]]
            share = sum(one.likeness for one in having) / total
            nearest = max(having, key=lambda one: one.likeness)
            told = f"{len(having)} of {len(near)} tagged documents that are like it, as {nearest.title}"
            found.append((tag, share * min(1.0, nearest.likeness), f"{told} ({nearest.by} {nearest.likeness:.2f})"))
        return found

    def _of_facts(self, document: int) -> list[tuple[str, float, str]]:
        """Return what the document's facts say, and the tags of other documents that have the same facts.

        One document more, without the tag, is counted among those: of one alone nothing is certain.
        """
        marks = ", ".join("?" * len(_FACTS))
        query = f"SELECT name, key, value FROM facts WHERE document = ? AND name IN ({marks}) ORDER BY name, key"
        found = []
        for fact in self.index.rows(query, (document, *_FACTS)):
            said = f"{fact['name']}={fact['value']}"
            if fact["name"] in _STATED:
                found.append((str(fact["key"]), _STATED_CONFIDENCE, f"its header says {said}"))
            of = self._tagged_with(fact["name"], fact["key"], document)
            tagged = len({number for number, _ in of})
            counts: dict[str, int] = defaultdict(int)
            for _, tag in of:
                counts[tag] += 1
            found += [
                (tag, count / (tagged + 1), f"{count} of {tagged} tagged documents with {said}")
                for tag, count in counts.items()
            ]
        return found

    def _tagged_with(self, name: str, key: str, document: int) -> list[tuple[int, str]]:
        query = (
            "SELECT tagged.document, tagged.key FROM facts tagged JOIN facts fact ON fact.document = tagged.document"
            " WHERE tagged.name = ? AND fact.name = ? AND fact.key = ? AND tagged.document != ?"
        )
        return [(int(row["document"]), str(row["key"])) for row in self.index.rows(query, (TAG, name, key, document))]

    def _tags(self, cids: Sequence[str]) -> dict[str, set[str]]:
        marks = ", ".join("?" * len(cids))
        query = f"SELECT cid, key FROM facts JOIN documents ON id = document WHERE name = ? AND cid IN ({marks})"
        found: dict[str, set[str]] = defaultdict(set)
        for row in self.index.rows(query, (TAG, *cids)):
            found[row["cid"]].add(row["key"])
        return dict(found)


def _suggestion(cid: str, tag: str, reasons: list[tuple[float, str]]) -> Suggestion:
    told = sorted(reasons, key=lambda one: (-one[0], one[1]))
    command = f"ipfs-accel search tag add {cid} {shlex.quote(tag)}"
    return Suggestion(
        tag=tag, confidence=round(told[0][0], _DECIMALS), reasons=[reason for _, reason in told], command=command
    )
