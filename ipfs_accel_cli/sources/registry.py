"""The sources that are known, by the scheme that users type."""

from __future__ import annotations

from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.sources.base import Content, Source

SOURCES = Registry(
    "sources",
    {
        "pypi": Plugin("ipfs_accel_cli.sources.pypi:PypiSource"),
        "catalogue": Plugin("ipfs_accel_cli.sources.catalogue.source:CatalogueSource"),
        "hf": Plugin("ipfs_accel_cli.sources.hf:HubSource", requires=("huggingface_hub",)),
        "ollama": Plugin("ipfs_accel_cli.sources.ollama:OllamaSource"),
        "ollama+http": Plugin("ipfs_accel_cli.sources.ollama:OllamaSource"),
        "oci": Plugin("ipfs_accel_cli.sources.oci:OciSource"),
        "oci+http": Plugin("ipfs_accel_cli.sources.oci:OciSource"),
        "https": Plugin("ipfs_accel_cli.sources.http:HttpSource"),
        "http": Plugin("ipfs_accel_cli.sources.http:HttpSource"),
        "s3": Plugin("ipfs_accel_cli.sources.s3:S3Source", requires=("boto3",), extra="s3"),
        "ipfs": Plugin("ipfs_accel_cli.sources.ipfs:IpfsSource"),
        "car": Plugin("ipfs_accel_cli.sources.car:CarSource"),
        "file": Plugin("ipfs_accel_cli.sources.file:FileSource"),
        "backend": Plugin("ipfs_accel_cli.sources.backend:BackendSource"),
    },
)


def source_for(scheme: str, content: Content) -> Source:
    """Return the source that serves a scheme; raises Invalid for an unknown one and MissingExtra.

    A source whose class sets `takes_content` is made with the content store of this home.
    """
    kind = SOURCES.load(scheme)
    source: Source = kind(content) if getattr(kind, "takes_content", False) else kind()
    return source
