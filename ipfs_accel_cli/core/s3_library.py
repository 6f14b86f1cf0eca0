"""botocore, which knows how Amazon wants to be asked: whether it is there, and what it reads once."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.core.errors import MissingExtra

INSTALL = "pip install 'ipfs-accel[s3]'"


def needs_boto() -> None:
    """Raise MissingExtra where botocore is not installed."""
    if find_spec("botocore") is None:
        raise MissingExtra("s3:// needs boto3, which is not installed", suggestion=INSTALL)


@lru_cache(maxsize=4)
def definitions(data_path: str | None) -> Any:
    """Read botocore's description of S3 once for all buckets: that takes longer than to ask a server near by."""
    from botocore.loaders import create_loader

    return create_loader(data_path)
