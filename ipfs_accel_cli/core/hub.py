"""A hub as huggingface_hub speaks to it: a repository, what is listed of its files, and what its refusals mean."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ipfs_accel_cli.core.errors import AccelError, NotAuthorised, NotFound, TryAgain, Unavailable
from ipfs_accel_cli.core.http import retry_after
from ipfs_accel_cli.core.retry import patiently

if TYPE_CHECKING:
    from huggingface_hub import HfApi

T = TypeVar("T")

MAIN = "main"
LOGIN = "hf auth login"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_QUERY = re.compile(r"(https?://[^\s?'\"]+)\?[^\s'\"]*")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at the hub that HF_ENDPOINT names, unless there is an `endpoint`.

    `token` None is the one that huggingface_hub finds (HF_TOKEN, or its own login), False is none.
    """

    name: str
    kind: str = "model"
    revision: str | None = None
    endpoint: str | None = None
    token: str | bool | None = field(default=None, repr=False)

    def api(self) -> HfApi:
        """Return what asks the hub."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint or os.environ.get("HF_ENDPOINT"), token=self.token)

    def address(self, path: str, revision: str | None = None) -> str:
        """Return the web address of a file."""
        from huggingface_hub import hf_hub_url

        at = revision or self.revision
        return str(hf_hub_url(self.name, path, repo_type=self.kind, revision=at, endpoint=self.api().endpoint))

    def headers(self) -> dict[str, str]:
        """Return what a request for a file must carry."""
        from huggingface_hub.utils import build_hf_headers

        return dict(build_hf_headers(token=self.token))


class Stated(Protocol):
    """What a place states of a file; whatever it does not state is None."""

    @property
    def size_bytes(self) -> int | None: ...
    @property
    def sha256(self) -> bytes | None: ...
    @property
    def git_sha1(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as a hub lists it: with its sha-256 where it is one of the large ones, else with its git blob id."""

    path: str
    size_bytes: int
    sha256: bytes | None
    git_sha1: str | None


def listed(entries: Iterable[Any]) -> Iterator[Listed]:
    """Yield the files of a list of files and folders."""
    for entry in entries:
        if hasattr(entry, "size"):
            large = getattr(entry, "lfs", None)
            digest = bytes.fromhex(large.sha256) if large else None
            yield Listed(entry.path, entry.size, digest, None if large else entry.blob_id)


def states(file: Stated, size_bytes: int, sha256: bytes, git_sha1: Callable[[], str]) -> bool:
    """Say whether what is stated of a file proves that it is this one; `git_sha1` is asked only when needed."""
    if file.size_bytes not in (None, size_bytes):
        return False
    if file.sha256 is not None:
        return file.sha256 == sha256
    return file.git_sha1 is not None and file.git_sha1 == git_sha1()


def git_blob(size_bytes: int) -> Any:
    """Return the hash that becomes the id which git gives a file of so many bytes, once it is fed with them."""
    return hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)


def is_commit(revision: str) -> bool:
    """Say whether a revision is the id of a commit, which never changes."""
    return _COMMIT.fullmatch(revision) is not None


def asked(repository: Repository, work: Callable[[], T]) -> T:
    """Run what asks the hub, again while it is busy; raises our errors."""

    def once() -> T:
        try:
            return work()
        except Exception as error:
            raise meaning(repository, error) from error

    return patiently(once)


def meaning(repository: Repository, error: Exception) -> AccelError:
    """Return our error for what huggingface_hub raised."""
    from huggingface_hub import errors as hub

    error = reason(error)
    if isinstance(error, AccelError):
        return error
    status = getattr(getattr(error, "response", None), "status_code", None)
    name = repository.name
    at = f" at revision {repository.revision}" if repository.revision else ""
    if isinstance(error, hub.GatedRepoError) or status == 403:
        return NotAuthorised(f"the hub grants no access to {name}", suggestion=LOGIN)
    if isinstance(error, hub.RevisionNotFoundError):
        return NotFound(f"{name} has no revision {repository.revision!r}")
    if (isinstance(error, hub.RepositoryNotFoundError) and status != 401) or status == 404:
        return NotFound(f"the hub has no {repository.kind} {name}{at}, or hides it", suggestion=LOGIN)
    if status == 401:
        return NotAuthorised(f"the hub wants a valid token for {name}", suggestion=LOGIN)
    if status == 429 or (status is not None and status >= 500):
        wait = retry_after(error.response.headers.get("retry-after", ""), datetime.now(UTC))  # type: ignore[attr-defined]
        context: dict[str, Any] = {"retry_after_s": wait} if wait is not None else {}
        return TryAgain(f"the hub answers {status} for {name}", **context)
    if isinstance(error, hub.HFValidationError):
        return NotFound(f"{name!r} is no name that a hub could have: {error}")
    return Unavailable(f"the hub cannot be reached for {name}: {told(error)}")


def reason(error: Exception) -> Exception:
    """Return the error of ours, or the answer of a server, that the library has wrapped in one of its own."""
    found: BaseException | None = error
    for _ in range(8):
        if found is None:
            break
        if isinstance(found, AccelError) or hasattr(found, "response"):
            return found if isinstance(found, Exception) else error
        found = found.__cause__
    return error


def told(error: Exception) -> str:
    """Return what an error says, without the queries of addresses: those of large files are signed."""
    return _QUERY.sub(r"\1", str(error)) or type(error).__name__
