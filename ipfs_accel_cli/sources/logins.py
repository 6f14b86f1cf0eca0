"""The owner's logins to registries, as Docker keeps them: DOCKER_AUTH_CONFIG, else config.json in its folder."""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid

_DOCKER_HUB = "https://index.docker.io/v1/"
_DOCKER_HUB_HOSTS = ("docker.io", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True)
class Login:
    """A name and password for one registry, or the `identity` token that stands for both."""

    name: str
    password: str = field(default="", repr=False)
    identity: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """Return the value of an Authorization header."""
        return "Basic " + base64.b64encode(f"{self.name}:{self.password}".encode()).decode()


def login_for(registry: str) -> Login | None:
    """Return the owner's login to a registry; None for any other caller.

    Programs that keep passwords for Docker (credential helpers) are not run. Raises Invalid for a file that cannot
    be read; the message repeats nothing of it.
    """
    if current().folders is not None:
        return None
    entries = _entries()
    names = [registry, f"https://{registry}", f"https://{registry}/v1/", f"https://{registry}/v2/"]
    if registry in _DOCKER_HUB_HOSTS:
        names.append(_DOCKER_HUB)
    found = next((entries[name] for name in names if name in entries), None)
    return _login(registry, found) if isinstance(found, dict) else None


def _entries() -> dict[str, Any]:
    stated = os.environ.get("DOCKER_AUTH_CONFIG")
    path = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    where = "DOCKER_AUTH_CONFIG" if stated else str(path)
    try:
        text = stated or (path.read_text("utf-8") if path.is_file() else "{}")
        document = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise Invalid(f"{where} cannot be read: {type(error).__name__}") from None
    entries = document.get("auths") if isinstance(document, dict) else None
    return entries if isinstance(entries, dict) else {}


def _login(registry: str, entry: dict[str, Any]) -> Login | None:
    identity = str(entry.get("identitytoken") or "")
    if entry.get("auth"):
        try:
            name, _, password = base64.b64decode(str(entry["auth"]), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeError):
            raise Invalid(f"the login to {registry} that Docker keeps is not base64") from None
        return Login(name, password, identity)
    if entry.get("username") or identity:
        return Login(str(entry.get("username") or ""), str(entry.get("password") or ""), identity)
    return None
