"""How buckets and their objects are named: s3://BUCKET/KEY, with an endpoint and what else it takes after a `?`."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.s3_places import Place, checked_endpoint, checked_region

FORM = "s3://BUCKET[/KEY-OR-PREFIX][?endpoint=URL&region=NAME&anonymous=true]"
_NAME = re.compile(
    r"(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,254})(?:/(?P<key>[^?#]*?))?(?:\?(?P<query>[^#]*?))?"
    r"(?:@(?P<revision>listing:[0-9a-f]{64}))?(?:#(?P<folder>.+))?",
    re.DOTALL,
)
_PARAMETERS = ("endpoint", "region", "anonymous")


def canonical(rest: str) -> tuple[str, str | None, str | None]:
    """Return locator, revision and folder of what stands after `s3:`; raises Invalid.

    The locator has the key as it is, not escaped, and the parameters in an order of their own.
    """
    match = _NAME.fullmatch(rest[2:]) if rest.startswith("//") else None
    if match is None:
        raise Invalid(f"{'s3:' + rest[:200]!r} is not of the form {FORM}")
    key = f"/{match['key']}" if match["key"] else ""
    query = "&".join(f"{name}={quote(value, safe=':/[]')}" for name, value in _parameters(match["query"] or ""))
    locator = match["bucket"] + key + (f"?{query}" if query else "")
    return locator, match["revision"], (match["folder"] or "").strip("/") or None


def place(locator: str) -> tuple[Place, str]:
    """Return the bucket of a canonical locator, and the key or prefix in it."""
    name, _, query = locator.partition("?")
    bucket, _, key = name.partition("/")
    stated = dict(parse_qsl(query))
    return Place(bucket, stated.get("endpoint"), stated.get("region"), "anonymous" in stated), key


def _parameters(query: str) -> list[tuple[str, str]]:
    stated = dict(parse_qsl(query, keep_blank_values=True))
    unknown = stated.keys() - set(_PARAMETERS)
    if unknown:
        raise Invalid(f"{sorted(unknown)[0]!r} is no parameter of s3://; there are: {', '.join(_PARAMETERS)}")
    if stated.get("anonymous", "true") not in ("true", ""):
        raise Invalid("anonymous=true asks without a signature; leave it out to sign")
    if "anonymous" in stated:
        stated["anonymous"] = "true"
    if "endpoint" in stated:
        stated["endpoint"] = checked_endpoint(stated["endpoint"])
    checked_region(stated.get("region", "any"))
    return [(name, stated[name]) for name in _PARAMETERS if name in stated]
