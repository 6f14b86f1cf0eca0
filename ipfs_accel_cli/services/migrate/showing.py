"""Runs as they are shown: status, history and reports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime

from ipfs_accel_cli.services.migrate.chain import FIRST, broken_at
from ipfs_accel_cli.services.migrate.ledger import Ledger
from ipfs_accel_cli.services.migrate.results import FailedItem, ReceiptShown, Report, RunShown

_NEWEST = 100
_LOOKED_AT, _COMPARED = 500, 20


def shown(ledger: Ledger, row: sqlite3.Row, is_alive: Callable[[str], bool]) -> RunShown:
    """Return a run as it stands."""
    counts = ledger.counts(row["id"])
    state = row["state"]
    if state == "running" and not is_alive(row["digest"]):
        state = "interrupted"
    none = (0, 0)
    problem = json.loads(row["problem"])["detail"] if row["problem"] else ""
    finished = [counts.get(state, none)[0] for state in ("done", "failed")]
    last, rate = _tempo(ledger, row["id"])
    return RunShown(
        run=row["id"],
        state=state,
        source=row["source"],
        destination=row["destination"],
        action=json.loads(row["options"])["action"],
        policy=row["policy"],
        began_at=row["began_at"],
        ended_at=row["ended_at"],
        done=counts.get("done", none)[0],
        failed=counts.get("failed", none)[0],
        pending=counts.get("pending", none)[0],
        retries=max(0, ledger.tries(row["id"]) - sum(finished)),
        moved_bytes=ledger.moved_bytes(row["id"]),
        rate_bytes_s=rate,
        last_at=last,
        done_bytes=counts.get("done", none)[1],
        pending_bytes=counts.get("pending", none)[1],
        problem=problem,
    )


def misjudged(ledger: Ledger, source: str, destination: str) -> float | None:
    """Return how wrong the times foreseen between two backends were, as a share: the median of the last runs."""
    from statistics import median

    errors = [
        error
        for row in ledger.runs(_LOOKED_AT, "done")
        if (_backend(row["source"]), _backend(row["destination"])) == (source, destination)
        if (error := _error(row)) is not None
    ]
    return round(median(errors[:_COMPARED]), 3) if errors else None


def reported(ledger: Ledger, row: sqlite3.Row, is_alive: Callable[[str], bool]) -> Report:
    """Return all that is known of a run, its chain of receipts checked."""
    rows = ledger.receipts(row["id"])
    broken = broken_at((one["sequence"], one["receipt"], one["hash"]) for one in rows)
    receipts = [_receipt(one) for one in rows]
    foreseen = json.loads(row["foreseen"])
    return Report(
        run=shown(ledger, row, is_alive),
        foreseen_cost=foreseen["transfer_cost"],
        foreseen_seconds=foreseen["seconds"],
        seconds=_seconds(row),
        seconds_error=_error(row),
        moved_bytes=sum(one.sent_bytes for one in receipts),
        head=rows[-1]["hash"] if rows else FIRST,
        chain="whole" if broken is None else "broken",
        broken_at=broken,
        failures=[_failure(one) for one in ledger.failed(row["id"])],
        receipts=receipts,
    )


def _receipt(row: sqlite3.Row) -> ReceiptShown:
    told = json.loads(row["receipt"])
    wanted = {name: told[name] for name in ReceiptShown.model_fields if name in told}
    return ReceiptShown(**wanted, sequence=row["sequence"], hash=row["hash"])


def _failure(row: sqlite3.Row) -> FailedItem:
    problem = json.loads(row["problem"])
    return FailedItem(name=row["name"], attempts=row["attempts"], code=problem["code"], detail=problem["detail"])


def _tempo(ledger: Ledger, run: str) -> tuple[str | None, int | None]:
    """Return when the newest item arrived, and the bytes a second of the newest ones."""
    found = [json.loads(row["receipt"]) for row in ledger.newest(run, _NEWEST)]
    if not found:
        return None, None
    ends, begins = (
        [datetime.fromisoformat(one[name]).timestamp() for one in found] for name in ("ended_at", "began_at")
    )
    seconds = max(ends) - min(begins)
    rate = round(sum(one["sent_bytes"] for one in found) / seconds) if seconds > 0 else None
    return str(found[0]["ended_at"]), rate


def _error(row: sqlite3.Row) -> float | None:
    """Return by which share of itself a time that was foreseen was wrong; None for a run that was broken off."""
    foreseen, took = json.loads(row["foreseen"]), _seconds(row)
    if not foreseen["seconds"] or took is None or row["state"] != "done" or "resumed" in foreseen:
        return None
    expected = float(foreseen["seconds"])
    return round(abs(took - expected) / expected, 3)


def _backend(place: str) -> str:
    return place.partition(":")[0]


def _seconds(row: sqlite3.Row) -> float | None:
    if row["ended_at"] is None:
        return None
    began, ended = (datetime.fromisoformat(row[name]) for name in ("began_at", "ended_at"))
    return round((ended - began).total_seconds(), 3)
