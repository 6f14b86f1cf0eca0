"""How good search is on the project's own retrieval set: text, vectors and both, on the half that nothing was tuned on.

`scripts/retrieval/` has the set: sections of this project's pages (Apache-2.0, as the project) and queries with graded
judgements, 2 for what answers and 1 for what helps. Queries alternate between the half to tune on and the half that is
reported. nDCG@10 takes 2^grade - 1 as gain; intervals are 95 % of a paired bootstrap over queries.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.extractors.base import Document
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search.entry import Entry, moment
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.results import Mode
from ipfs_accel_cli.services.search.service import Search

SET = Path(__file__).resolve().parent / "retrieval"
MODES: tuple[Mode, ...] = ("text", "vector", "hybrid")
DEEP = 50
_ROUNDS = 5000


@dataclass(frozen=True, slots=True)
class Query:
    """A query and the grades of the documents that answer it, by their ids; `held_out` are those to report."""

    kind: str
    text: str
    grades: Mapping[str, int]
    held_out: bool


@dataclass(frozen=True, slots=True)
class Score:
    """What came of one query in one mode."""

    query: Query
    ndcg: float
    recall_10: float
    recall_50: float
    cpu_ms: float
    found: tuple[str, ...]


def documents() -> Iterator[tuple[str, str, str]]:
    """Yield (id, title, text)."""
    with (SET / "documents.jsonl").open(encoding="utf-8") as file:
        for line in file:
            one = json.loads(line)
            yield one["id"], one["title"], one["text"]


def queries() -> list[Query]:
    """Return all queries; every other one of a kind is held out."""
    found: list[Query] = []
    seen: dict[str, int] = {}
    for line in (SET / "queries.tsv").read_text("utf-8").splitlines():
        kind, text, judged = line.split("\t")
        grades = {name: int(grade) for name, _, grade in (one.rpartition(":") for one in judged.split())}
        found.append(Query(kind, text, grades, bool(seen.get(kind, 0) % 2)))
        seen[kind] = seen.get(kind, 0) + 1
    return found


def fill(search: Search) -> dict[str, str]:
    """Write the documents into an index, and return their ids by CID."""
    entries, names = [], {}
    for name, title, text in documents():
        cid = str(CID.of(name.encode(), RAW))
        names[cid] = name
        entries.append(Entry(cid, Document("text", title, text), len(text), moment("2026-01-01T00:00:00Z"), "text/1"))
    with search.index.write() as connection:
        for number, one in zip(tables.put(connection, entries), entries, strict=True):
            tables.join(connection, "set", names[one.cid], number)
    return names


def run(search: Search, names: Mapping[str, str], mode: Mode, asked: Sequence[Query]) -> list[Score]:
    """Ask all queries in one mode."""
    found = []
    for query in asked:
        began = time.process_time()
        page = search.query(Asked(query.text, mode=mode, limit=DEEP))
        spent = (time.process_time() - began) * 1000
        found.append(score(query, [names[hit.cid] for hit in page.hits if hit.cid in names], spent))
    return found


def score(query: Query, ranking: Sequence[str], cpu_ms: float) -> Score:
    """Judge one ranking."""
    gains = [(2 ** query.grades.get(name, 0) - 1) / math.log2(place + 2) for place, name in enumerate(ranking[:10])]
    best = sorted(query.grades.values(), reverse=True)[:10]
    ideal = sum((2**grade - 1) / math.log2(place + 2) for place, grade in enumerate(best))
    recalls = [len(query.grades.keys() & set(ranking[:deep])) / len(query.grades) for deep in (10, DEEP)]
    return Score(query, sum(gains) / ideal, recalls[0], recalls[1], cpu_ms, tuple(ranking))


def interval(better: Sequence[Score], worse: Sequence[Score]) -> tuple[float, float, float]:
    """Return the mean difference of nDCG, and within which it lies."""
    differences = numpy.array([one.ndcg - other.ndcg for one, other in zip(better, worse, strict=True)])
    random = numpy.random.default_rng(0)
    means = [differences[random.integers(0, len(differences), len(differences))].mean() for _ in range(_ROUNDS)]
    return float(differences.mean()), float(numpy.quantile(means, 0.025)), float(numpy.quantile(means, 0.975))


def report(results: Mapping[Mode, Sequence[Score]], *, held_out: bool) -> bool:
    """Print one half's figures; say whether both together beat each alone."""
    part = {mode: [one for one in scores if one.query.held_out == held_out] for mode, scores in results.items()}
    count = len(part["text"])
    print(f"{'held out' if held_out else 'tuned on'}: {count} queries")
    kinds = list(dict.fromkeys(one.query.kind for one in part["text"]))
    print(f"  {'':8} nDCG@10  R@10   R@50   cpu ms p50  " + "  ".join(f"{kind:>10}" for kind in kinds))
    for mode, scores in part.items():
        by_kind = [statistics.mean(one.ndcg for one in scores if one.query.kind == kind) for kind in kinds]
        print(
            f"  {mode:8} {mean(scores):.4f}   {statistics.mean(one.recall_10 for one in scores):.3f}  "
            f"{statistics.mean(one.recall_50 for one in scores):.3f}  "
            f"{statistics.median(one.cpu_ms for one in scores):10.1f}  " + "  ".join(f"{one:10.3f}" for one in by_kind)
        )
    for other in ("text", "vector"):
        middle, low, high = interval(part["hybrid"], part[other])
        print(f"  hybrid - {other}: {middle:+.4f} [{low:+.4f}, {high:+.4f}]")
    return mean(part["hybrid"]) > max(mean(part["text"]), mean(part["vector"]))


def mean(scores: Sequence[Score]) -> float:
    """Return the mean nDCG@10."""
    return statistics.mean(one.ndcg for one in scores)
