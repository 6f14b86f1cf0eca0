"""Batches: requests from a file or a stream, answers into a file, resumed after whatever stopped them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from itertools import count
from pathlib import Path

from ipfs_accel_cli.core.call import Call, current
from ipfs_accel_cli.core.errors import Invalid, SomeFailed
from ipfs_accel_cli.services.infer.batch.items import TASKS_TAKEN, Item, Wanted, read
from ipfs_accel_cli.services.infer.batch.ledger import Ledger
from ipfs_accel_cli.services.infer.batch.results import Batched
from ipfs_accel_cli.services.infer.batch.run import Run
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.texts import open_texts

COMMIT_SECONDS = 1.0
_MOST_SHOWN = 20


class Batches:
    """Answers many requests with registered models. Safe to share between threads."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def run(
        self,
        source: Path | None,
        output: Path,
        wanted: Wanted,
        *,
        engine: str | None = None,
        device: str | None = None,
        restart: bool = False,
    ) -> Batched:
        """Answer every line of a file, or of the caller's input, into `output`, in the order of the lines.

        What was committed before a kill is not asked again: lines are neither lost nor answered twice. Raises
        SomeFailed when lines could not be answered, Conflict for an output that is there, or was begun with another
        input or other options, and what finding and running a model raises.
        """
        call, begun = current(), time.perf_counter()
        if wanted.task is not None and wanted.task not in TASKS_TAKEN:
            raise Invalid(f"a batch can {', '.join(TASKS_TAKEN)}, not {wanted.task!r}")
        ledger = Ledger(call.path(output), self._asked(wanted, engine, device), restart=restart)
        if source is not None:
            ledger.refuse_input(call.path(source))
        lines = (line for line in open_texts((), source, call) if line.strip())
        run = Run(self._opener, wanted.model, engine, device, int(time.time()))
        problems: list[dict[str, str]] = []
        with ledger:
            resumed = ledger.done.lines
            ledger.skipped(lines)
            committed = time.monotonic()
            for item, answer, failed in run.answered(_items(lines, wanted, resumed)):
                ledger.add(item.line, answer, failed=failed)
                if failed and len(problems) < _MOST_SHOWN:
                    problems.append({"pointer": f"/{item.number}", "detail": _why(answer)})
                if time.monotonic() - committed >= COMMIT_SECONDS:
                    ledger.commit()
                    committed = time.monotonic()
                self._told(call, ledger)
            ledger.finish()
            done = ledger.done
        seconds = time.perf_counter() - begun
        if done.failed:
            raise SomeFailed(
                f"{done.failed} of {done.lines} lines could not be answered; {output} says why, line by line",
                errors=problems,
                output=str(output),
                lines=done.lines,
                failed=done.failed,
            )
        fresh = done.lines - resumed
        return Batched(
            output=str(output),
            lines=done.lines,
            resumed=resumed,
            seconds=round(seconds, 3),
            lines_s=round(fresh / max(seconds, 1e-9), 2),
            models=list(run.models),
        )

    def _asked(self, wanted: Wanted, engine: str | None, device: str | None) -> str:
        """Return a digest of what decides the answers beside the input: the options, and the model of all lines.

        Raises as finding the model does: where nothing can answer a plain line, none of them is tried.
        """
        manifest = ""
        if wanted.task is not None:
            task = "generate" if wanted.task == "chat" else wanted.task
            manifest = self._opener.find(wanted.model, task).facts.manifest
        elif wanted.model is not None:
            manifest = self._opener.named(wanted.model).facts.manifest
        said = {"wanted": asdict(wanted), "engine": engine, "device": device, "manifest": manifest}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def _told(self, call: Call, ledger: Ledger) -> None:
        failed = f", {ledger.done.failed} of them refused" if ledger.done.failed else ""
        call.progress(ledger.done.lines, None, f"lines answered{failed}")


def _items(lines: Iterator[str], wanted: Wanted, first: int) -> Iterator[Item]:
    for number, line in zip(count(first), lines, strict=False):
        yield read(number, line, wanted)


def _why(answer: bytes) -> str:
    said = json.loads(answer)["error"]
    return str(said["message"])
