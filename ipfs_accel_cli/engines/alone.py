"""What goes wrong with one request of a session, kept from the others."""

from __future__ import annotations

from collections.abc import Callable

from ipfs_accel_cli.core.errors import AccelError, Unavailable, classified

_LONGEST = 300


def outcome(name: str, work: Callable[[], object]) -> object:
    """Return what a piece of work gives, or the error that it raised as data of its chunk, which then is the last."""
    try:
        return work()
    except Exception as error:  # Libraries fail in any way they like over one odd input.
        return failure(name, error)


def failure(name: str, error: Exception) -> AccelError:
    """Return our error for what a library raised over a request."""
    known = classified(error)
    if known is None:
        said = " ".join(str(error).split())[:_LONGEST]
        known = Unavailable(f"the engine failed over this request to {name}: {type(error).__name__}: {said}")
        known.__cause__ = error
    return known
