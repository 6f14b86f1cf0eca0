"""How models in registries are named: `ollama://[REGISTRY/][NAMESPACE/]MODEL[:TAG]` and `oci://REGISTRY/REPOSITORY[:TAG]`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

OLLAMA_REGISTRY, OLLAMA_NAMESPACE, DEFAULT_TAG = "registry.ollama.ai", "library", "latest"
OLLAMA_FORM = "ollama://[REGISTRY/][NAMESPACE/]MODEL[:TAG][@sha256:HEX]"
OCI_FORM = "oci://REGISTRY/REPOSITORY[:TAG][@sha256:HEX][#FOLDER]"
DOCKER_HUB = "registry-1.docker.io"  # What answers for docker.io.
# A registry without encryption that is not this machine must be asked for by its scheme.
REGISTRY_SCHEMES = {
    "ollama": OLLAMA_FORM,
    "ollama+http": OLLAMA_FORM.replace("ollama:", "ollama+http:"),
    "oci": OCI_FORM,
    "oci+http": OCI_FORM.replace("oci:", "oci+http:"),
}

_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_SPLIT = re.compile(
    rf"(?P<path>[^@#\s]+?)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?(?:#(?P<folder>.+))?"
)
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_OLLAMA_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_OCI_PART = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Place:
    """A repository of a registry, and the tag that is meant in it; `plain` when it is asked without encryption."""

    registry: str
    repository: str
    tag: str
    plain: bool

    @property
    def url(self) -> str:
        """Return the address below which the repository's manifests and blobs are."""
        host = DOCKER_HUB if self.registry == "docker.io" else self.registry
        return f"http{'' if self.plain else 's'}://{host}/v2/{self.repository}"


def canonical(scheme: str, text: str) -> tuple[str, str | None, str | None] | None:
    """Return (locator, digest, folder) of what follows `scheme://`, or None where it is not of the scheme's form.

    Every spelling of one name gives the same locator: what is the default is left out.
    """
    match = _SPLIT.fullmatch(text)
    if match is None or (match["folder"] and scheme.startswith("ollama")):
        return None
    parts = match["path"].split("/")
    registry, names = _ollama(parts) if scheme.startswith("ollama") else (parts[0], parts[1:])
    part = _OLLAMA_PART if scheme.startswith("ollama") else _OCI_PART
    if not names or not _HOST.fullmatch(registry) or not all(part.fullmatch(name) for name in names):
        return None
    tag = f":{match['tag']}" if match["tag"] and match["tag"] != DEFAULT_TAG else ""
    if scheme.startswith("ollama"):
        # A namespace that looks like a registry is only one behind a registry.
        bare = registry == OLLAMA_REGISTRY and not _is_machine(names[0])
        prefix = "" if bare else f"{registry.lower()}/"
        path = "/".join(names[1:] if names[0] == OLLAMA_NAMESPACE and not prefix else names)
        return f"{prefix}{path}{tag}", match["digest"], None
    return f"{registry.lower()}/{'/'.join(names)}{tag}", match["digest"], (match["folder"] or "").strip("/") or None


def place(scheme: str, locator: str) -> Place:
    """Return where a canonical locator points; this machine's own registries are asked without encryption."""
    match = _SPLIT.fullmatch(locator)
    parts = (match["path"] if match else locator).split("/")
    registry, names = _ollama(parts) if scheme.startswith("ollama") else (parts[0], parts[1:])
    tag = (match["tag"] if match else None) or DEFAULT_TAG
    return Place(registry, "/".join(names), tag, scheme.endswith("+http") or is_loopback(registry))


def is_loopback(registry: str) -> bool:
    """Say whether a registry, given as host[:port], is on this machine by its name."""
    host = registry.rpartition(":")[0] if re.search(r":[0-9]+$", registry) else registry
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _ollama(parts: list[str]) -> tuple[str, list[str]]:
    """Fill in what Ollama takes for granted: its own registry, and the namespace of its own models."""
    if len(parts) == 1:
        return OLLAMA_REGISTRY, [OLLAMA_NAMESPACE, *parts]
    if len(parts) == 2:
        return (parts[0], [OLLAMA_NAMESPACE, parts[1]]) if _is_machine(parts[0]) else (OLLAMA_REGISTRY, parts)
    return parts[0], parts[1:]


def _is_machine(name: str) -> bool:
    """Tell a registry from a namespace as Docker does: by a dot, a port, or being `localhost`."""
    return ":" in name or "." in name or name == "localhost"
