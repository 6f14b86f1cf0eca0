"""The sounds that a command is given: one by one, so that one that cannot be read does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, MalformedContent, NotAuthorised, NotFound
from ipfs_accel_cli.services.infer.audio.reading import STDIN, Raw, Sound, opened
from ipfs_accel_cli.services.infer.failures import Failures

T = TypeVar("T")
# What concerns one file only; anything else would go wrong with the next one too.
_OF_ONE = (Invalid, MalformedContent, NotAuthorised, NotFound)

log = logging.getLogger("ipfs_accel_cli")


def sources(files: Sequence[str], example: str) -> list[str]:
    """Return the names given, else standard input; raises Invalid when there is neither."""
    if files:
        if len(files) != len(set(files)):
            raise Invalid("a file is named twice")
        return list(files)
    if current().input is None:
        raise Invalid("there is no sound: name a file, or give it on standard input", suggestion=example)
    return [STDIN]


def each(names: Sequence[str], raw: Raw | None, answers: Callable[[Sound], Iterator[T]]) -> Iterator[T]:
    """Yield what comes of each sound.

    Raises what is wrong with the only one; of several, SomeFailed with all that failed after the others are done.
    """
    failures = Failures("sounds")
    for name in names:
        problem: AccelError | None = None
        try:
            with opened(name, current(), raw) as sound:
                yield from answers(sound)
                if sound.truncated:
                    log.warning("%s ends earlier than its header says; what there is was read", sound.name)
        except _OF_ONE as error:
            if len(names) == 1:
                raise
            problem = error
        failures.usable(name, problem)
    failures.end()


def raw_of(rate: int | None, channels: int | None) -> Raw | None:
    """Return how to read samples without a header; None for files that have one."""
    if rate is None:
        if channels is not None:
            raise Invalid("--channels tells of raw samples, which --rate says they are")
        return None
    return Raw(rate, channels or 1)
