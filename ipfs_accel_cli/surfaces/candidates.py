"""Names that a user may be about to type: for Tab in a shell, and for an assistant that completes an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipfs_accel_cli.core.errors import AccelError, error_kinds
from ipfs_accel_cli.core.settings import KEYS

if TYPE_CHECKING:
    from ipfs_accel_cli.node import Node

# More than anybody looks through.
_MOST_JOBS = 200


def model_names(node: Node) -> list[str]:
    """Return the registered names and aliases, sorted; none where the home cannot be read or holds no state."""
    if not node.home.state_file.exists():
        return []
    try:
        rows = node.models.ls().models
    except AccelError:
        return []
    return sorted({row.name for row in rows} | {alias for row in rows for alias in row.aliases})


def deployment_names(node: Node) -> list[str]:
    """Return the names of deployments, sorted; none where the home holds no state."""
    return node.models.deploys.names() if node.home.state_file.exists() else []


def machine_names(node: Node, *, own: bool = False) -> list[str]:
    """Return the names that `--machine` knows, sorted; `own` only those that were saved in this home."""
    return node.machines.names(own=own)


def job_ids(node: Node) -> list[str]:
    """Return the ids of the jobs, the newest first."""
    if not node.home.state_file.exists():
        return []
    return [job.id for job in node.jobs.ls(limit=_MOST_JOBS).jobs]


def setting_names() -> list[str]:
    """Return the settings' dotted names, sorted."""
    return sorted(KEYS)


def error_codes() -> list[str]:
    """Return the error codes, sorted."""
    return sorted(error_kinds())


def task_names() -> list[str]:
    """Return what models can be run for, sorted."""
    from ipfs_accel_cli.tasks import TASKS

    return sorted(TASKS.names())


def shelf_names() -> list[str]:
    """Return the tools whose models can be imported."""
    from ipfs_accel_cli.sources.shelves import SHELVES

    return list(SHELVES)
