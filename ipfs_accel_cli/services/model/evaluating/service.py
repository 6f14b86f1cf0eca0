"""The service behind `model eval`: asks a model a set, keeps every answer, measures, and says so about the model."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, NotGoodEnough
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.services.model import tables
from ipfs_accel_cli.services.model.content import Root, Store
from ipfs_accel_cli.services.model.evaluating import judging, kept, sets, thresholds
from ipfs_accel_cli.services.model.evaluating.asked import Opened
from ipfs_accel_cli.services.model.evaluating.metrics import Metric
from ipfs_accel_cli.services.model.evaluating.perf import EVALUATION
from ipfs_accel_cli.services.model.evaluating.results import Evaluated, Failed, MetricValue
from ipfs_accel_cli.services.model.evaluating.running import Answered, answered, planned
from ipfs_accel_cli.services.model.evaluating.thresholds import Threshold
from ipfs_accel_cli.services.model.evaluating.wanted import Wanted
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.register import KIND_STATEMENT

KIND_SET = "evaluation-set"
_SHOWN_ITEMS = 10
_LISTED_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluations of one home. `opened` holds a loaded model and asks it."""

    store: Store
    registry: tables.Tables
    lookup: Lookup
    kept: kept.Kept
    opened: Opened

    def evaluate(self, name: str, path: Path, wanted: Wanted) -> Evaluated:
        """Ask a model the items of a set, and measure the answers.

        Answers are kept as they come; an item that this model answered before in the same way, on the same engine of
        the same versions, is not asked again. Raises NotGoodEnough, with all of it in `context.evaluated`, when a
        threshold is not met; Invalid for a set or metrics that do not suit; NotFound; and what loading and running a
        model raises.
        """
        bounds = [thresholds.parse(text) for text in wanted.thresholds]
        known = self.lookup.describe(self.lookup.find(name))
        found_set = sets.read(current().path(path))
        items = found_set.items[: wanted.limit]
        golden = current().path(wanted.golden) if wanted.golden else None
        chosen, way = planned(replace(wanted, golden=golden), bounds, known.facts.tasks, items)
        manifest = known.named.manifest
        set_cid = self._keep_set(found_set, manifest, keep=wanted.keep_set)
        run = answered(self.opened, self.kept, manifest, set_cid, items, way, wanted)
        if golden is not None:
            _record(golden, run)
        values = {metric.name: judging.value(metric, items, run.answers) for metric in chosen}
        failed = judging.failed(chosen, items, run.answers, bounds)
        found = Evaluated(
            model=known.named.asked(name),
            model_cid=manifest,
            set_cid=set_cid,
            set_kept=wanted.keep_set,
            task=way.task,
            items=len(items),
            asked=run.fresh,
            engine=run.run.engine,
            device=run.run.device,
            dtype=run.run.dtype,
            machine=run.run.machine,
            versions=json.loads(run.run.versions),
            way=json.loads(run.run.way),
            metrics=[_value(metric, values[metric.name], bounds) for metric in chosen],
            failed_items=None if failed is None else len(failed),
            failed=(failed or [])[:_SHOWN_ITEMS],
            statement_cid=self._say(run, values) if values else None,
            golden=str(golden) if golden else None,
        )
        _check(found, failed or [], bounds)
        return found

    def set_of(self, path: Path) -> tuple[str, Sequence[sets.Item]]:
        """Return the CID and the items of a set; raises as `sets.read`."""
        found = sets.read(current().path(path))
        with self.store.session() as session:
            return str(session.path(found.path).cid), found.items

    def _keep_set(self, found: sets.Set, manifest: str, *, keep: bool) -> str:
        """Return the CID of a set, which lies in the store from now on, as long as the model is registered."""
        with self.store.session() as session:
            stored = session.path(found.path)
            if stored.sha256 != found.sha256:
                raise Conflict(f"{found.path} changed while it was read", suggestion="run the command again")
            if keep:
                session.commit([Root(stored.cid, tables.OWNER, manifest, KIND_SET)])
        return str(stored.cid)

    def _say(self, run: Answered, values: dict[str, float]) -> str:
        """Keep the figures, and say them about the model, unless that was said already; return the statement's CID."""
        said = self._said(run, values)
        if said is not None:
            return said
        at = kept.now()
        statement = Statement(CID.parse(run.run.manifest), EVALUATION, _body(run, values, at))
        cid = statement.cid

        def also(connection: sqlite3.Connection) -> None:
            tables.add_statement(connection, statement.subject, EVALUATION, cid)
            kept.add_figures(connection, run.number, values, len(run.items), at, str(cid))

        with self.store.session() as session:
            session.block(cid, statement.encode())
            session.commit([Root(cid, tables.OWNER, run.run.manifest, KIND_STATEMENT)], also)
        return str(cid)

    def _said(self, run: Answered, values: dict[str, float]) -> str | None:
        """Return the statement that holds just these figures of just this run, if there is one."""
        of_run = [one for one in self.kept.figures(run.run.manifest) if one.number == run.number]
        for cid in dict.fromkeys(one.statement for one in of_run):
            same = [one for one in of_run if one.statement == cid]
            if {one.metric: one.value for one in same} == values and same[0].items == len(run.items):
                return cid
        return None


def _body(run: Answered, values: dict[str, float], at: str) -> dict[str, Any]:
    return {
        "set": run.run.set_cid,
        "task": run.run.task,
        "items": len(run.items),
        "metrics": values,
        "engine": run.run.engine,
        "device": run.run.device,
        "dtype": run.run.dtype,
        "machine": run.run.machine,
        "versions": json.loads(run.run.versions),
        "way": json.loads(run.run.way),
        "at": at,
    }


def _record(path: Path, run: Answered) -> None:
    """Write the answers as a set that expects just them."""
    with replacing(path) as file:
        for item, answer in zip(run.items, run.answers, strict=True):
            file.write(sets.line(item, answer).encode())


def _value(metric: Metric, value: float, bounds: Sequence[Threshold]) -> MetricValue:
    own = [bound for bound in bounds if bound.metric == metric.name]
    return MetricValue(
        metric=metric.name,
        value=value,
        better="higher" if metric.higher else "lower",
        threshold=", ".join(map(str, own)) or None,
        met=all(bound.met(value) for bound in own) if own else None,
    )


def _check(found: Evaluated, failed: Sequence[Failed], bounds: Sequence[Threshold]) -> None:
    """Raise NotGoodEnough where a threshold is not met, with the items that failed."""
    values = {one.metric: one.value for one in found.metrics}
    unmet = [bound for bound in bounds if not bound.met(values[bound.metric])]
    if not unmet:
        return
    told = "; ".join(f"{one.metric} is {values[one.metric]:.4g}, asked was {one}" for one in unmet)
    raise NotGoodEnough(
        f"{found.model} on {found.items} items: {told}",
        suggestion=f"ipfs-accel model perf {found.model}",
        errors=[
            {
                "pointer": one.id,
                "detail": f"{one.metric} {one.value:.4g}: expected {one.expected!r}, got {one.answer!r}",
            }
            for one in failed[:_LISTED_ITEMS]
        ],
        evaluated=found.model_dump(mode="json"),
    )
