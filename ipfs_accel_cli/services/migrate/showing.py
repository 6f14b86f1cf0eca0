"""Runs as they are shown: status, history and reports."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from ipfs_accel_cli.services.migrate.chain import FIRST, broken_at
from ipfs_accel_cli.services.migrate.ledger import Ledger
from ipfs_accel_cli.services.migrate.results import FailedItem, ReceiptShown, Report, RunShown


def shown(ledger: Ledger, row: sqlite3.Row, is_alive: Callable[[str], bool]) -> RunShown:
    """Return a run as it stands."""
    counts = ledger.counts(row["id"])
    state = row["state"]
    if state == "running" and not is_alive(row["digest"]):
        state = "interrupted"
    none = (0, 0)
    problem = json.loads(row["problem"])["detail"] if row["problem"] else ""
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
        done_bytes=counts.get("done", none)[1],
        pending_bytes=counts.get("pending", none)[1],
        problem=problem,
    )


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
        bytes_moved=sum(one.sent_bytes for one in receipts),
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


def _seconds(row: sqlite3.Row) -> float | None:
    from datetime import datetime

    if row["ended_at"] is None:
        return None
    began, ended = (datetime.fromisoformat(row[name]) for name in ("began_at", "ended_at"))
    return round((ended - began).total_seconds(), 3)
