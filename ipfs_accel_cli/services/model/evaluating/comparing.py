"""The service behind `model compare`: two models side by side, on the items that both were asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, NotGoodEnough, VerificationFailed
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.model.evaluating import judging, kept, metrics, sets, significance
from ipfs_accel_cli.services.model.evaluating.perf import Perf
from ipfs_accel_cli.services.model.evaluating.perf_results import Compared, Figure, Quality, Side
from ipfs_accel_cli.services.model.evaluating.running import way
from ipfs_accel_cli.services.model.evaluating.service import Evaluations
from ipfs_accel_cli.services.model.evaluating.wanted import Wanted
from ipfs_accel_cli.services.model.lookup import Known


@dataclass(frozen=True, slots=True)
class Comparing:
    """Compares the models of one home."""

    evaluations: Evaluations
    perf: Perf

    def compare(
        self, a: str, b: str, set_file: Path | None, wanted: Wanted, *, fail_if_worse: bool = False
    ) -> Compared:
        """Put two models beside each other; with a set, what was not measured of them on it is measured now.

        Raises NotGoodEnough, with all of it in `context.compared`, where asked to and b is worse beyond the noise;
        NotFound, also where that was asked and nothing can be told; and what `model eval` raises.
        """
        lookup = self.evaluations.lookup
        ours, theirs = lookup.describe(lookup.find(a)), lookup.describe(lookup.find(b))
        names = (ours.named.asked(a), theirs.named.asked(b))
        set_cid = self._measured(ours, theirs, set_file, wanted) if set_file is not None else None
        asked = [metrics.find(name).name for name in wanted.metrics]
        measured = list(self._quality(ours, theirs, set_cid, wanted))
        quality = [one for one in measured if not asked or one.metric in asked]
        found = Compared(
            a=names[0],
            a_cid=ours.named.manifest,
            b=names[1],
            b_cid=theirs.named.manifest,
            machine=machine_id(),
            properties=[*_properties(ours, theirs), *_figures(list(self.perf.of(ours)), list(self.perf.of(theirs)))],
            quality=quality,
            note=None if quality else _lacking(asked, measured),
        )
        if fail_if_worse:
            _check(found)
        return found

    def _measured(self, ours: Known, theirs: Known, set_file: Path, wanted: Wanted) -> str:
        """Return the set's CID, after both models have been asked all of it, unless they were before."""
        cid, items = self.evaluations.set_of(set_file)
        for known in (ours, theirs):
            figures = [one for one in self._newest(known.named.manifest, wanted) if one.run.set_cid == cid]
            had = {one.metric for one in figures if one.items >= len(items)}
            if had and had >= set(wanted.metrics):
                continue
            self.evaluations.evaluate(known.named.manifest, set_file, replace(wanted, thresholds=(), golden=None))
        return cid

    def _newest(self, manifest: str, wanted: Wanted | None) -> list[kept.Figure]:
        """Return the newest figure of each metric on each set, asked in each way, or only as it is wanted."""
        found: dict[tuple[str, str, str], kept.Figure] = {}
        for one in self.evaluations.kept.figures(manifest):
            if wanted is not None and not _is_so(one.run, wanted):
                continue
            found.setdefault((one.run.set_cid, one.run.way, one.metric), one)
        return list(found.values())

    def _quality(self, ours: Known, theirs: Known, set_cid: str | None, wanted: Wanted) -> Iterator[Quality]:
        so = None if set_cid is None else wanted
        others = {(one.run.set_cid, one.run.way, one.metric): one for one in self._newest(theirs.named.manifest, so)}
        for one in self._newest(ours.named.manifest, so):
            other = others.get((one.run.set_cid, one.run.way, one.metric))
            if other is not None and set_cid in (None, one.run.set_cid):
                current().progress(0, None, f"comparing {one.metric}")
                yield self._paired(one, other)

    def _paired(self, one: kept.Figure, other: kept.Figure) -> Quality:
        metric = metrics.find(one.metric)
        items = self._items(one.run.set_cid)
        answers = [self.evaluations.kept.answers(figure.number) for figure in (one, other)]
        both = [item for item in items if item.id in answers[0] and item.id in answers[1]]
        if not both:
            return _unpaired(one, other)
        a, b = ([found[item.id] for item in both] for found in answers)
        values = judging.value(metric, both, a), judging.value(metric, both, b)
        judged = significance.judge(metric, judging.figures(metric, both, a), judging.figures(metric, both, b))
        return _quality(one, len(both), values, judged)

    def _items(self, set_cid: str) -> Sequence[sets.Item]:
        """Return the items of a set that was kept; none of one that was not."""
        try:
            return sets.read(self.evaluations.store.object_path(CID.parse(set_cid))).items
        except (NotFound, VerificationFailed):
            return ()


def _lacking(asked: Sequence[str], measured: Sequence[Quality]) -> str:
    """Say why there is no row: nothing was measured of both, or only other metrics were."""
    if not measured:
        return "no set was asked of both in the same way; --set SET.jsonl asks them"
    others = ", ".join(sorted({one.metric for one in measured}))
    return f"{', '.join(asked)} was not measured of both, only {others}; --set SET.jsonl measures it"


def _check(found: Compared) -> None:
    """Raise NotGoodEnough where b is worse, and NotFound where nothing tells whether it is."""
    everything = found.model_dump(mode="json")
    worse = [one for one in found.quality if one.verdict == "worse"]
    if worse:
        told = "; ".join(f"{one.metric} {one.b:.4g} against {one.a:.4g} on {one.items} items" for one in worse)
        raise NotGoodEnough(
            f"{found.b} is worse than {found.a}: {told}",
            suggestion=f"ipfs-accel model compare {found.a} {found.b}",
            compared=everything,
        )
    if all(one.verdict == "unknown" for one in found.quality):
        why = "; ".join(f"{one.metric}: {one.reason}" for one in found.quality) or str(found.note)
        raise NotFound(
            f"nothing tells whether {found.b} is worse than {found.a}: {why}",
            suggestion=f"ipfs-accel model compare {found.a} {found.b} --set SET.jsonl --fail-if-worse",
            compared=everything,
        )


def _is_so(run: kept.Run, wanted: Wanted) -> bool:
    """Say whether a run asked in the way that is wanted, on the engine and device that are wanted."""
    wished = json.dumps(way(wanted, metrics.task(run.task)).said(), sort_keys=True)
    return wished == run.way and wanted.engine in (None, run.engine) and wanted.device in (None, run.device)


def _quality(one: kept.Figure, items: int, values: tuple[float, float], judged: significance.Judged) -> Quality:
    return Quality(
        metric=one.metric,
        set_cid=one.run.set_cid,
        items=items,
        a=values[0],
        b=values[1],
        difference=values[1] - values[0],
        low=judged.low,
        high=judged.high,
        p=judged.p,
        better_items=judged.better_items,
        worse_items=judged.worse_items,
        verdict=judged.verdict,
        reason=judged.reason,
    )


def _unpaired(one: kept.Figure, other: kept.Figure) -> Quality:
    why = "the set was not kept, so that items cannot be compared one by one"
    judged = significance.Judged(None, None, None, None, None, "unknown", why)
    return _quality(one, min(one.items, other.items), (one.value, other.value), judged)


def _properties(ours: Known, theirs: Known) -> Iterator[Side]:
    def both(name: str, a: Any, b: Any) -> Side:
        return Side(property=name, a=a, b=b, change=_change(a, b))

    yield both("size_bytes", ours.manifest.size_bytes, theirs.manifest.size_bytes)
    yield both("weight_bytes", ours.facts.weight_bytes, theirs.facts.weight_bytes)
    yield both("parameters", ours.facts.parameters, theirs.facts.parameters)
    yield both("dtype", ours.facts.dtype or None, theirs.facts.dtype or None)
    yield both("architecture", *(", ".join(one.facts.architectures) or None for one in (ours, theirs)))
    yield both("context_tokens", ours.facts.context_tokens, theirs.facts.context_tokens)
    yield both("licence", ours.licence, theirs.licence)


def _figures(ours: Sequence[Figure], theirs: Sequence[Figure]) -> Iterator[Side]:
    """Yield the newest speeds and memory measured here, those of one engine and condition beside each other."""
    found: tuple[dict[str, float], dict[str, float]] = ({}, {})
    for side, figures in zip(found, (ours, theirs), strict=True):
        for one in sorted(figures, key=lambda one: one.at):
            if one.here and one.source not in ("evaluation", "statement"):
                conditions = [f"{key} {one.about[key]}" for key in ("task", "context", "batch") if key in one.about]
                name = ", ".join([f"{one.figure} {one.engine} {one.device}", one.dtype or "any dtype", *conditions])
                side[name] = one.value
    for name in sorted(found[0].keys() | found[1].keys()):
        a, b = found[0].get(name), found[1].get(name)
        yield Side(property=name, a=a, b=b, change=_change(a, b))


def _change(a: Any, b: Any) -> float | None:
    numeric = isinstance(a, int | float) and isinstance(b, int | float)
    return b / a - 1 if numeric and a else None
