"""The setting `job.limits`: most jobs at once by kind (`command=2`) and by backend (`s3:=4`)."""

from __future__ import annotations

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.jobs.decide import Limits


def limits(text: str) -> Limits:
    """Read the setting; raises Invalid."""
    kinds: dict[str, int] = {}
    backends: dict[str, int] = {}
    for part in filter(None, (word.strip() for word in text.split(","))):
        name, equals, most = part.partition("=")
        if not equals or not name.rstrip(":") or not most.isdecimal():
            raise Invalid(
                f"job.limits: {part!r} is neither KIND=N nor BACKEND:=N",
                suggestion="ipfs-accel config set job.limits command=2,cold:=1",
            )
        (backends if name.endswith(":") else kinds)[name.rstrip(":")] = int(most)
    return Limits(kinds, backends)
