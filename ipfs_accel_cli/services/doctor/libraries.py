"""Checks of the Python and the libraries that this runs on; none of them is imported for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec

from ipfs_accel_cli.services.doctor.results import Check

DISTRIBUTION = "ipfs-accel"
MINIMUM_PYTHON = (3, 11)

# What does not work without them; everything else does.
OPTIONAL = {
    "torch": "models cannot be run",
    "transformers": "models cannot be run",
    "mcp": "assistants cannot be served",
}


def python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Iterator[Check]:
    """Check the version of Python."""
    text = ".".join(str(part) for part in version)
    if version[:2] >= MINIMUM_PYTHON:
        yield Check(name="python", state="ok", detail=text)
        return
    wanted = ".".join(str(part) for part in MINIMUM_PYTHON)
    yield Check(name="python", state="failed", detail=f"{text} is too old", remedy=f"install Python {wanted} or newer")


def required(distribution: str = DISTRIBUTION) -> Iterator[Check]:
    """Check that each library that the package asks for is installed in a version that it asks for."""
    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        detail = f"{distribution} runs from a folder and is not installed, so what it needs is not recorded"
        yield Check(name="libraries", state="warning", detail=detail, remedy=f"pip install {distribution}")
        return
    try:
        wrong = {line: reason for line in lines if (reason := _unmet(line)) is not None}
    except ImportError:
        wrong = {"packaging": "packaging is not installed"}
    for line, reason in wrong.items():
        remedy = f"pip install '{line.partition(';')[0].strip()}'"
        yield Check(name="libraries", state="failed", detail=reason, remedy=remedy)
    if not wrong:
        yield Check(name="libraries", state="ok", detail="every required library is installed in a suitable version")


def optional(parts: Mapping[str, str] = OPTIONAL) -> Iterator[Check]:
    """Check for the heavy libraries, without which only a part works."""
    for name, loss in parts.items():
        try:
            yield Check(name=name, state="ok", detail=metadata.version(name))
        except metadata.PackageNotFoundError:
            detail = f"not installed: {loss}"
            yield Check(name=name, state="warning", detail=detail, remedy=f"pip install {name}")


def installer() -> Iterator[Check]:
    """Check for pip, which finds models in the package index."""
    if find_spec("pip") is not None:
        yield Check(name="pip", state="ok", detail=_version("pip") or "installed")
        return
    detail = "not installed: models cannot be pulled from the package index"
    yield Check(name="pip", state="warning", detail=detail, remedy="python -m ensurepip")


def _unmet(line: str) -> str | None:
    """Say why a requirement is not met, or None when it is or does not apply here."""
    from packaging.requirements import Requirement

    requirement = Requirement(line)
    if requirement.name in OPTIONAL or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
        return None
    version = _version(requirement.name)
    if version is None:
        return f"{requirement.name} is not installed"
    if not requirement.specifier.contains(version, prereleases=True):
        return f"{requirement.name} {version} is installed, and {requirement.specifier} is needed"
    return None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
