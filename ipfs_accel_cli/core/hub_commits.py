"""Changing a repository of a hub: large files are uploaded one by one, and one commit makes all of a change visible."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Conflict,
    NotAuthorised,
    RemoteFailed,
    Unavailable,
    VerificationFailed,
)
from ipfs_accel_cli.core.hub import LOGIN, MAIN, Repository, meaning, reason, told
from ipfs_accel_cli.core.retry import patiently

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

T = TypeVar("T")

_SMALL_BYTES, _BATCH = 1 << 20, 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way: what it must be, and the path of a file on this machine, its bytes, or what reads them."""

    path: str
    size_bytes: int
    sha256: bytes
    content: str | bytes | BinaryIO


class Writing:
    """Changes to a branch of a repository; `again` is the command that would try once more, for errors to name."""

    def __init__(self, repository: Repository, again: str = "") -> None:
        self._repository = repository
        self._again = again
        self._api = repository.api()

    def create(self, *, private: bool | None = None) -> None:
        """Make the repository, and its branch where that is not the main one; what is there already stays as it is.

        Without a wish the owner's organisation decides who sees it.
        """
        at = self._repository
        sdk = "static" if at.kind == "space" else None
        self.asked(
            lambda: self._api.create_repo(at.name, repo_type=at.kind, private=private, exist_ok=True, space_sdk=sdk)
        )
        if at.revision not in (None, MAIN):
            branch = str(at.revision)
            self.asked(lambda: self._api.create_branch(at.name, repo_type=at.kind, branch=branch, exist_ok=True))

    def upload(self, uploads: Sequence[Upload]) -> list[CommitOperationAdd]:
        """Bring what the hub keeps outside of its commits, where it stays though no commit may come.

        Raises VerificationFailed for a file whose content is not what was announced, which no commit then names.
        """
        from huggingface_hub import CommitOperationAdd

        at = self._repository
        additions = [CommitOperationAdd(one.path, one.content) for one in uploads]
        for one, addition in zip(uploads, additions, strict=True):
            if not isinstance(one.content, str):  # The library has read it by now.
                _check(one, addition)
        self.asked(
            lambda: self._api.preupload_lfs_files(
                at.name,
                additions,
                repo_type=at.kind,
                revision=at.revision,
                free_memory=False,
                gitignore_content="",  # What a list of ignored files names would be left out without a word.
            )
        )
        for one, addition in zip(uploads, additions, strict=True):
            _check(one, addition)
        return additions

    def commit(
        self,
        operations: Sequence[CommitOperationAdd | CommitOperationDelete],
        message: str,
        parent: str | None,
        description: str | None = None,
    ) -> str:
        """Commit on top of `parent` and nothing else; return the commit. Raises Conflict where another was quicker."""
        current().check()
        at = self._repository
        made = self.asked(
            lambda: self._api.create_commit(
                at.name,
                operations,
                repo_type=at.kind,
                commit_message=message,
                commit_description=description,
                revision=at.revision,
                parent_commit=parent,
            )
        )
        return str(made.oid)

    def asked(self, work: Callable[[], T]) -> T:
        """Run what changes the hub, again while it is busy; raises our errors."""

        def once() -> T:
            try:
                return work()
            except Exception as error:
                raise self._refusal(error) from error

        return patiently(once)

    def _refusal(self, wrapped: Exception) -> AccelError:
        at, error = self._repository, reason(wrapped)
        status = getattr(getattr(error, "response", None), "status_code", None)
        if isinstance(error, AccelError):
            return error
        if status in (409, 412):
            return Conflict(f"{at.name} was changed by somebody else meanwhile", suggestion=self._again or None)
        if status == 403:
            return NotAuthorised(f"the hub does not let this token write to {at.name}", suggestion=LOGIN)
        if status == 400 or (status is None and type(error) in (ValueError, UnicodeDecodeError)):
            return RemoteFailed(f"the hub refuses the change to {at.name}: {told(error)}")
        if "xet-write-token" in str(error) and "404" in str(error):
            return Unavailable(
                f"the hub of {at.name} does not know Xet, by which huggingface_hub uploads",
                suggestion=f"HF_HUB_DISABLE_XET=1 {self._again}".rstrip(),
            )
        return meaning(at, error)


def batches(sizes_bytes: Sequence[int]) -> Iterator[list[int]]:
    """Yield which files to upload together: small ones, which saves questions, and each large one by itself."""
    small = [number for number, size_bytes in enumerate(sizes_bytes) if size_bytes <= _SMALL_BYTES]
    for first in range(0, len(small), _BATCH):
        yield small[first : first + _BATCH]
    yield from ([number] for number, size_bytes in enumerate(sizes_bytes) if size_bytes > _SMALL_BYTES)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the library's own progress bars and warnings off the terminal for the block."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars, logging

    shown, level = not are_progress_bars_disabled(), logging.get_verbosity()
    logging.set_verbosity_error()
    if shown:
        disable_progress_bars()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shown:
            enable_progress_bars()


def _check(one: Upload, addition: CommitOperationAdd) -> None:
    if addition.upload_info.sha256 != one.sha256:
        raise VerificationFailed(f"the bytes for {one.path} are not those that were announced; nothing names them")
