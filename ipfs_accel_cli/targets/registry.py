"""The targets that are known, by the scheme that users type."""

from __future__ import annotations

from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.targets.base import Target

TARGETS = Registry(
    "targets",
    {
        "hf": Plugin("ipfs_accel_cli.targets.hf:HubTarget", requires=("huggingface_hub",)),
        "oci": Plugin("ipfs_accel_cli.targets.oci:OciTarget"),
        "oci+http": Plugin("ipfs_accel_cli.targets.oci:OciTarget"),
        "file": Plugin("ipfs_accel_cli.targets.folder:FolderTarget"),
    },
)


def target_for(scheme: str) -> Target:
    """Return the target that serves a scheme; raises Invalid for one that models cannot be pushed to, MissingExtra."""
    target: Target = TARGETS.load(scheme)()
    return target
