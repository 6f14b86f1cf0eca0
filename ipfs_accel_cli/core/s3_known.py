"""Where a bucket is and who asks, where the owner has said both: botocore has nothing to find out and is not loaded."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ipfs_accel_cli.core.s3_direct import PROBED, Direct
from ipfs_accel_cli.core.s3_places import Keys, Place, refuse_unencrypted

CERTIFICATES = "AWS_CA_BUNDLE"
REGION = "us-east-1"  # What botocore asks for where nothing says another.
_SAYS_MORE = re.compile(r"AWS_|BOTO_")
_SETTINGS = Path("~/.aws")
_PATH = re.compile(r"(?:/[A-Za-z0-9_.~-]+)*")
_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]")
# Servers of Amazon have addresses for networks, zones and quick ways, and regions that stand for others.
_AMAZON = re.compile(r"(^|\.)(amazonaws\.|aws\.)", re.IGNORECASE)
_STANDS_FOR_ANOTHER = re.compile(r"aws-|fips-|.*-fips$|.*-global$|s3-")


@dataclass(frozen=True, slots=True)
class GivenLogin:
    """Keys as they sign."""

    access_key: str
    secret_key: str
    token: str | None


def known(place: Place, keys: Keys | None) -> Direct | None:
    """Return the bucket at its address; None where botocore must be asked.

    That is where something of AWS is set for the user or the shell, or the endpoint is one of Amazon's. Raises Invalid
    as botocore's way does, where a signature would go over an open line.
    """
    if keys is None or place.endpoint is None or place.anonymous or place.profile is not None or _is_more_said():
        return None
    parts, region = urlsplit(place.endpoint), place.region or REGION
    if _AMAZON.search(parts.hostname or "") or _STANDS_FOR_ANOTHER.match(region) or place.bucket.endswith("--x-s3"):
        return None
    host = parts.netloc.removesuffix(f":{parts.port}")
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(parts.path):
        return None
    refuse_unencrypted(place.endpoint)
    login = GivenLogin(keys.access, keys.secret, keys.session)
    return Direct.at(f"{place.endpoint}/{place.bucket}/{PROBED}", region, lambda: login)


def _is_more_said() -> bool:
    said = any(_SAYS_MORE.match(name) and name != CERTIFICATES for name in os.environ)
    return said or _SETTINGS.expanduser().exists()
