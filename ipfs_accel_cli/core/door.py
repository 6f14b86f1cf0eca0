"""The one door: authorize, audit, measure, run; every call from every surface passes here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from ipfs_accel_cli.core.call import Call, current, using
from ipfs_accel_cli.core.effects import Effects
from ipfs_accel_cli.core.errors import NotAuthorised, classified
from ipfs_accel_cli.core.stream import Stream

R = TypeVar("R")


class Observer(Protocol):
    """Audit and metrics hook: told before a call runs and after it ended."""

    def began(self, call: Call, permission: str) -> None: ...
    def ended(self, call: Call, permission: str, seconds: float, code: str) -> None: ...


observers: list[Observer] = []


def enter(command: Callable[[], R], effects: Effects, group: str) -> R:
    """Run a command for the current call; a stream it returns keeps the call until it is closed.

    Raises NotAuthorised before anything runs, and turns foreign errors of certain meaning into ours.
    """
    call = current()
    permission = f"{group}:{effects.effect}"
    if not call.principal.may(permission):
        raise NotAuthorised(f"{call.principal.name} may not use {permission}", permission=permission)
    for observer in observers:
        observer.began(call, permission)
    start = time.perf_counter()
    try:
        with using(call):
            result = command()
    except BaseException as error:
        raise _leave(call, permission, start, error) from error
    if isinstance(result, Stream):
        result.wrap(lambda items: _held(items, call, permission, start))
    else:
        _leave(call, permission, start, None)
    return result


def _held(items: Iterator[Any], call: Call, permission: str, start: float) -> Iterator[Any]:
    """Iterate a stream inside its call; the context is set only while the producer runs."""
    error: BaseException | None = None
    try:
        while True:
            with using(call):
                call.check()
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item
    except GeneratorExit:
        raise
    except BaseException as caught:
        error = caught
        raise _leave(call, permission, start, caught) from caught
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()
        if error is None:
            _leave(call, permission, start, None)


def _leave(call: Call, permission: str, start: float, error: BaseException | None) -> BaseException:
    known = classified(error) if error is not None else None
    code = "ok" if error is None else known.code if known else "internal"
    for observer in observers:
        observer.ended(call, permission, time.perf_counter() - start, code)
    if known is not None and not isinstance(error, KeyboardInterrupt):
        return known
    return error if error is not None else RuntimeError("no error")
