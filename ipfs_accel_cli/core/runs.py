"""Runs of benchmarks that lie in files: what `--json` of a benchmark printed."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound
from ipfs_accel_cli.core.results import Result

LARGEST_FILE_BYTES = 64 << 20

R = TypeVar("R", bound=Result)


def read_run(kind: type[R], path: Path, listing: str) -> R:
    """Return the run in a file; `listing` is the command that lists those which are kept.

    Raises NotFound, NotAuthorised for a path that the caller may not read, LimitReached beyond 64 MiB, and Invalid for
    what is no run of this kind.
    """
    try:
        with current().path(path).open("rb") as stream:
            data = stream.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}", suggestion=listing) from error
    if len(data) > LARGEST_FILE_BYTES:
        raise LimitReached(f"{path} is longer than {LARGEST_FILE_BYTES} bytes")
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        format = kind.model_fields["format"].default
        raise Invalid(f"{path} is no run of {format}: {where}: {first['msg']}") from error
