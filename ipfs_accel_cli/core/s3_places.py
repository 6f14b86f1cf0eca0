"""Where a bucket is, and under which name it may be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.http import is_loopback

_REGION = re.compile(r"[a-z0-9-]{1,64}")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket; `endpoint`, `region` and `profile` go before what the owner's AWS configuration says.

    An `anonymous` one is asked without a signature, though there be credentials.
    """

    bucket: str
    endpoint: str | None = None
    region: str | None = None
    anonymous: bool = False
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials that were given, instead of those that boto3 would find."""

    access: str
    secret: str = field(repr=False)
    session: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, text: str) -> Keys:
        """Read `ACCESS_KEY:SECRET_KEY` or `ACCESS_KEY:SECRET_KEY:SESSION_TOKEN`; raises Invalid without the text."""
        access, _, rest = text.strip().partition(":")
        secret, _, session = rest.partition(":")
        if not access or not secret:
            raise Invalid("a token for S3 is of the form ACCESS_KEY:SECRET_KEY or ACCESS_KEY:SECRET_KEY:SESSION_TOKEN")
        return cls(access, secret, session or None)


def checked_bucket(name: str) -> str:
    """Return the name of a bucket; raises Invalid for what can be none."""
    if not _BUCKET.fullmatch(name):
        raise Invalid(f"{name[:80]!r} is not the name of a bucket")
    return name


def checked_region(name: str) -> str:
    """Return the name of a region; raises Invalid for what can be none."""
    if not _REGION.fullmatch(name):
        raise Invalid(f"{name[:80]!r} is not the name of a region")
    return name


def checked_endpoint(text: str) -> str:
    """Return the address of an endpoint; raises Invalid for one that is none or holds a password."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid(f"the endpoint {text!r} is no address: {error}") from error
    if "@" in parts.netloc:
        raise Invalid("an endpoint must not hold a password: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are read")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise Invalid(f"the endpoint {text!r} is not of the form https://HOST[:PORT]")
    return text.rstrip("/")


def refuse_unencrypted(endpoint: str) -> None:
    """Raise Invalid for an endpoint to which a signature would go over an open line."""
    parts = urlsplit(endpoint)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise Invalid(
            f"{parts.hostname} would be asked in your name without encryption; use https://, or anonymous=true",
        )
