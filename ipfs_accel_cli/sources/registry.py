"""The sources that are known, by the scheme that users type."""

from __future__ import annotations

from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.sources.base import Source

SOURCES = Registry(
    "sources",
    {
        "pypi": Plugin("ipfs_accel_cli.sources.pypi:PypiSource"),
        "hf": Plugin("ipfs_accel_cli.sources.hf:HubSource", requires=("huggingface_hub",)),
        "file": Plugin("ipfs_accel_cli.sources.file:FileSource"),
    },
)


def source_for(scheme: str) -> Source:
    """Return the source that serves a scheme; raises Invalid for an unknown one and MissingExtra."""
    source: Source = SOURCES.load(scheme)()
    return source
