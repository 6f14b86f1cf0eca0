"""The probe contract: one source of facts about this machine, which answers soon whatever happens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

State = Literal["present", "absent", "unknown"]

ANSWER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe found.

    `reason` says why something is absent, unknown or only partly known. `facts` and `devices` hold JSON-able values,
    quantities in the unit that their name ends in, and None for what could not be learned.
    """

    name: str
    state: State
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    devices: tuple[Mapping[str, Any], ...] = ()


class Probe(Protocol):
    """One source of facts. `read` never raises, never prints, and returns within about `ANSWER_SECONDS`.

    It may be called many times and from several threads, and tells the present state each time.
    """

    name: str

    def read(self) -> Finding: ...


@runtime_checkable
class Glances(Protocol):
    """A probe whose `read` loads a vendor's library, and that can also say what is known without.

    `glance` answers at once; what it cannot tell is unknown, and the reason says that `hw info --full` asks.
    """

    def glance(self) -> Finding: ...


class Question:
    """What a probe asks, in a thread of its own, with a bounded wait for the answer.

    Callers that ask while an answer is on its way wait for that one, so a driver that hangs costs one thread in all.
    """

    def __init__(self, name: str, ask: Callable[[], Finding], seconds: float = ANSWER_SECONDS) -> None:
        self._name = name
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asked: Future[Finding] | None = None

    def answer(self) -> Finding:
        """Return what `ask` found; a finding of state unknown when it raised or took too long."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = self._start()
            asked = self._asked
        try:
            return asked.result(self._seconds)
        except TimeoutError:
            return Finding(self._name, "unknown", f"did not answer within {self._seconds:g} s")

    def _start(self) -> Future[Finding]:
        asked: Future[Finding] = Future()
        # A daemon, because a thread that hangs inside a driver must not keep the process from ending.
        thread = threading.Thread(target=self._run, args=(asked,), name=f"probe-{self._name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            asked.set_result(Finding(self._name, "unknown", described(error)))
        return asked

    def _run(self, asked: Future[Finding]) -> None:
        try:
            finding = self._ask()
        except BaseException as error:  # Vendor libraries raise KeyError and even SystemExit while they are imported.
            finding = Finding(self._name, "unknown", described(error))
        asked.set_result(finding)


def described(error: BaseException) -> str:
    """Say in one line what went wrong, also when the error cannot say it itself."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # Some errors ask the broken library for their own text.
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
