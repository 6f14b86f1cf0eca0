"""What to look at next: what is like a document, or like what was kept, registered and tagged here of late."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.services.search.entry import TAG
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.kin import MOST, Kinship
from ipfs_accel_cli.services.search.kin_results import Recommendation, Recommended

# What somebody did with content, and how much that says about what they look for. What came in by itself says least.
_DONE = {"tagged": ("you tagged", 1.0), "changed": ("you registered or changed", 0.7), "kept": ("you kept", 0.4)}
_HALF_LIFE_DAYS = 30.0
_LAST_EVENTS = 2000
_SEEDS = 20
_NEIGHBOURS = 30
# Tags and facts in common count at most so much beside a likeness of 1.
_IN_COMMON = {TAG: 0.6, "task": 0.3, "architecture": 0.3, "base_model": 0.6, "language": 0.1}
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Seed:
    """A document that says what somebody looks for; `weight` is from 0 to 1."""

    document: int
    cid: str
    title: str
    weight: float
    why: str


@dataclass(frozen=True, slots=True)
class Recommending:
    """Recommends documents of one index; what was done here is read in the event log of the state, and stays here."""

    state: Database
    index: Index
    kinship: Kinship

    def next(self, reference: str | None = None, limit: int = 10) -> Recommended:
        """Return what may be of interest beside a document, or beside what was done last; each with its reasons.

        Raises Invalid, and NotFound for what is not in the index.
        """
        if not 1 <= limit <= MOST:
            raise Invalid(f"--limit is from 1 to {MOST}")
        if reference is not None:
            document, cid, title = self.kinship.document(reference)
            seeds = [Seed(document, cid, title, 1.0, "")]
        else:
            seeds = list(self._seeds(datetime.now(UTC)))
        scores: dict[str, float] = defaultdict(float)
        reasons: dict[str, list[tuple[float, str]]] = defaultdict(list)
        known = {seed.cid for seed in seeds}
        for seed in seeds:
            current().check()
            for cid, score, reason in (*self._alike(seed), *self._in_common(seed)):
                if cid not in known:
                    scores[cid] += seed.weight * score
                    reasons[cid].append((seed.weight * score, reason))
        best = sorted(scores, key=lambda cid: (-scores[cid], cid))[:limit]
        about = {row["cid"]: row for row in self._documents(best)}
        made = [
            Recommendation(
                cid=cid,
                kind=about[cid]["kind"],
                title=about[cid]["title"],
                score=round(scores[cid], _DECIMALS),
                reasons=[text for _, text in sorted(reasons[cid], key=lambda one: (-one[0], one[1]))[:3]],
            )
            for cid in best
        ]
        note = "" if made else "nothing else here is like it"
        if not seeds:
            note = "nothing in the index was kept, registered or tagged here of late; name a document"
        return Recommended(beside=[seed.title for seed in seeds], note=note, recommendations=made)

    def _seeds(self, now: datetime) -> Iterator[Seed]:
        """Yield what was done last, once for each document, by the weightiest thing that was done with it."""
        newest = events.newest(self.state)
        told = events.since(self.state, newest - _LAST_EVENTS, ("search", "model", "store"), _LAST_EVENTS)
        best: dict[str, tuple[float, str]] = {}
        for event in told:
            if event.kind not in _DONE or event.data.get("owner", "store") != "store":
                continue
            why, weight = _DONE[event.kind]
            days = max(0.0, (now - datetime.fromisoformat(event.at)).total_seconds() / 86400)
            weight *= math.exp2(-days / _HALF_LIFE_DAYS)
            best[event.subject] = max(best.get(event.subject, (0.0, "")), (weight, why))
        rows = {row["cid"]: row for row in self._documents(list(best))}
        order = sorted(rows, key=lambda cid: (-best[cid][0], cid))[:_SEEDS]
        for cid in order:
            weight, why = best[cid]
            yield Seed(rows[cid]["id"], cid, rows[cid]["title"], weight, why)

    def _alike(self, seed: Seed) -> Iterator[tuple[str, float, str]]:
        try:
            found = self.kinship.similar(seed.cid, _NEIGHBOURS)
        except UnsupportedContent:
            return
        for one in found.kin:
            if one.likeness > 0:
                said = {"meaning": "means much the same as", "text": "has words of", "picture": "looks like"}[one.by]
                yield one.cid, one.likeness, f"{said} {_called(seed)} ({one.likeness:.2f})"

    def _in_common(self, seed: Seed) -> Iterator[tuple[str, float, str]]:
        """Yield what has a fact in common with a seed; what many have counts for little."""
        query = (
            "SELECT d.cid, mine.name, mine.value,"
            " (SELECT count(*) FROM facts f WHERE f.name = mine.name AND f.key = mine.key) AS many"
            " FROM facts mine JOIN facts theirs ON theirs.name = mine.name AND theirs.key = mine.key"
            " JOIN documents d ON d.id = theirs.document"
            f" WHERE mine.document = ? AND mine.name IN ({', '.join('?' * len(_IN_COMMON))}) AND d.id != mine.document"
            " ORDER BY d.cid, mine.name, mine.key LIMIT ?"
        )
        rows = self.index.rows(query, (seed.document, *_IN_COMMON, _LAST_EVENTS))
        for row in rows:
            score = _IN_COMMON[row["name"]] / math.log2(max(2, row["many"]))
            yield row["cid"], score, f"{row['name']} {row['value']}, as {_called(seed)}"

    def _documents(self, cids: Sequence[str]) -> Iterator[dict[str, Any]]:
        for at in range(0, len(cids), 500):
            part = cids[at : at + 500]
            query = f"SELECT id, cid, kind, title FROM documents WHERE cid IN ({', '.join('?' * len(part))})"
            yield from map(dict, self.index.rows(query, part))


def _called(seed: Seed) -> str:
    return f"{seed.title}, which {seed.why}" if seed.why else seed.title
