"""The warm models of this process: each loaded once, the least recently used let go when memory runs short."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import DoesNotFit
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Plan, Session
from ipfs_accel_cli.services.infer.worker import Worker

# How long it may take until warm models are let go because others need the memory.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Key:
    """What tells one loaded model from another; `manifest` is a CID as text, `variant` what was made of it."""

    manifest: str
    task: str
    engine: str
    device: str
    variant: str = ""


@dataclass(slots=True)
class Warm:
    """A loaded model, or one that is being loaded; `users` are the calls that hold it now."""

    key: Key
    name: str
    size_bytes: int
    plan: Plan
    worker: Worker
    users: int = 0


class Runtime:
    """Holds warm models; what is in use is never let go. Safe to share between threads.

    `bound_bytes` says how much they may hold together, given how much they hold now.
    """

    def __init__(self, bound_bytes: Callable[[int], int]) -> None:
        self._bound_bytes = bound_bytes
        self._lock = threading.Lock()
        self._warm: OrderedDict[Key, Warm] = OrderedDict()
        self._roomy_until, self._roomy_for = 0.0, frozenset[Key]()

    @contextmanager
    def lease(
        self, key: Key, name: str, plan: Plan, size_bytes: int, free: Callable[[], int], load: Callable[[], Session]
    ) -> Iterator[Warm]:
        """Hold a loaded model for the block, loading it unless it is warm.

        `size_bytes` is what it takes and `free` says how many bytes the machine has left: others are let go for it.
        Raises what `load` raises, DoesNotFit when others that are being loaded will take the memory, and Cancelled when
        the caller has gone.
        """
        with self._lock:
            gone = [] if self._living(key) else self._make_room(size_bytes, self._free(size_bytes, free()))
        # The memory must be free before the next model asks for it.
        for old in gone:
            old.worker.close()
        with self._lock:
            warm = self._living(key)
            if warm is None:
                # Others may have begun to load while the lock was not held.
                self._free(size_bytes, free())
                warm = self._add(Warm(key, name, size_bytes, plan, Worker(name, load)))
            warm.users += 1
            self._warm.move_to_end(key)
        try:
            warm.worker.wait()
            yield warm
        finally:
            self._release(warm)

    def is_warm(self, key: Key) -> bool:
        """Say whether a model is loaded, or being loaded."""
        with self._lock:
            return self._living(key) is not None

    def idle_bytes(self) -> int:
        """Return how much memory could be had by letting go of every model that is not in use."""
        with self._lock:
            return sum(warm.size_bytes for warm in self._warm.values() if not warm.users)

    def loaded(self) -> tuple[Warm, ...]:
        """Return what is warm, the least recently used first."""
        with self._lock:
            return tuple(warm for warm in self._warm.values() if warm.worker.failed is None)

    def close(self) -> None:
        """Let go of everything; calls that still run get Unavailable."""
        with self._lock:
            gone = list(self._warm.values())
            self._warm.clear()
        for warm in gone:
            warm.worker.close()

    def _free(self, size_bytes: int, free_bytes: int) -> int:
        """Return what is free without that which models will take that are being loaded: nobody sees it in use yet."""
        loading = [warm for warm in self._warm.values() if warm.worker.loading and warm.worker.failed is None]
        promised = sum(warm.size_bytes for warm in loading)
        idle = sum(warm.size_bytes for warm in self._warm.values() if not warm.users)
        if loading and size_bytes > free_bytes + idle - promised:
            names = ", ".join(warm.name for warm in loading)
            raise DoesNotFit(
                f"{human_bytes(size_bytes)} are needed, and of {human_bytes(free_bytes)} that are free "
                f"{human_bytes(promised)} go to what is being loaded: {names}",
                needed_bytes=size_bytes,
                available_bytes=max(0, free_bytes - promised),
            )
        return free_bytes - promised

    def _living(self, key: Key) -> Warm | None:
        warm = self._warm.get(key)
        if warm is not None and warm.worker.failed is not None:
            del self._warm[key]
            return None
        return warm

    def _add(self, warm: Warm) -> Warm:
        self._warm[warm.key] = warm
        return warm

    def _release(self, warm: Warm) -> None:
        with self._lock:
            warm.users -= 1
            if warm.worker.failed is not None and self._warm.get(warm.key) is warm:
                del self._warm[warm.key]
            gone = [] if self._settled() else self._make_room(0, 0)
        for old in gone:
            old.worker.close()

    def _settled(self) -> bool:
        """Say whether the same models had room just now: to look at the memory takes longer than a short text."""
        return time.monotonic() < self._roomy_until and self._roomy_for == frozenset(self._warm)

    def _make_room(self, size_bytes: int, free_bytes: int) -> list[Warm]:
        """Take out idle models, the least recently used first, until `size_bytes` more fit; return them."""
        held = sum(warm.size_bytes for warm in self._warm.values())
        bound = self._bound_bytes(held)
        gone = []
        for key, warm in list(self._warm.items()):
            if held + size_bytes <= bound and size_bytes <= free_bytes:
                break
            if not warm.users:
                gone.append(self._warm.pop(key))
                held, free_bytes = held - warm.size_bytes, free_bytes + warm.size_bytes
        if held + size_bytes <= bound:
            self._roomy_until, self._roomy_for = time.monotonic() + _LOOK_SECONDS, frozenset(self._warm)
        return gone
