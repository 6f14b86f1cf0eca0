"""The targets that are known, by the scheme that users type."""

from __future__ import annotations

from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.targets.base import TakesContent, Target

TARGETS = Registry(
    "targets",
    {
        "hf": Plugin("ipfs_accel_cli.targets.hf:HubTarget", requires=("huggingface_hub",)),
        "oci": Plugin("ipfs_accel_cli.targets.oci:OciTarget"),
        "oci+http": Plugin("ipfs_accel_cli.targets.oci:OciTarget"),
        "file": Plugin("ipfs_accel_cli.targets.folder:FolderTarget"),
        "backend": Plugin("ipfs_accel_cli.targets.backend:BackendTarget"),
    },
)


def target_for(scheme: str, content: TakesContent) -> Target:
    """Return the target that serves a scheme; raises Invalid for one that models cannot be pushed to, MissingExtra.

    A target whose class sets `takes_content` is made with the content store of this home.
    """
    kind = TARGETS.load(scheme)
    target: Target = kind(content) if getattr(kind, "takes_content", False) else kind()
    return target
