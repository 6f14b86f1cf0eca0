"""What is kept of an endpoint: a folder with its address and, in a file of its own, its key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ipfs_accel_cli.core import secrets
from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.core.http import is_loopback

RECORD, KEY = "endpoint.json", "key"
# The `model_type` of facts that stand for a model behind an endpoint.
TYPE = "endpoint"


@dataclass(frozen=True, slots=True)
class Record:
    """An endpoint; `key_env` names the environment variable that has its key, if the folder has none."""

    url: str
    model: str = ""
    key_env: str = ""
    added_at: str = ""

    def as_json(self) -> str:
        """Return it as it is kept."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__}, indent=1)


def read(folder: Path) -> Record:
    """Read an endpoint; raises MalformedContent for a file that was damaged."""
    try:
        return Record(**json.loads((folder / RECORD).read_text("utf-8")))
    except (ValueError, TypeError) as error:
        raise MalformedContent(f"{folder / RECORD} is damaged; remove and add the endpoint again") from error


def key_of(folder: Path, record: Record) -> str:
    """Return the key, or nothing for an endpoint without; raises NotAuthorised where it is not to be had."""
    if record.key_env:
        return secrets.from_variable(record.key_env, folder.name)
    return secrets.from_file(folder / KEY)


def checked_url(text: str, *, insecure: bool) -> str:
    """Return an address without its last slash; raises Invalid for one that is none or that a key must not go to."""
    try:
        parts = urlsplit(text.strip())
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as error:
        raise Invalid("the address of the endpoint is none") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid("the address of an endpoint begins with https:// and has a host, as in https://host/v1")
    if parts.username or parts.password:
        raise Invalid("the address has a password in it; give the key with --key-env or --key-stdin")
    if parts.query or parts.fragment:
        raise Invalid("the address of an endpoint has no ? and no #")
    if parts.scheme == "http" and not insecure and not is_loopback(host):
        raise Invalid(
            f"http:// to {host} would show the key and every prompt to the network; use https, or --insecure",
        )
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"
