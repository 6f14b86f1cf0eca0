"""Changes to a branch: each is one commit on top of what was looked at, and looks anew where others commit too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from ipfs_accel_cli.backends.base import Body
from ipfs_accel_cli.backends.bodies import Readable, git_sha1
from ipfs_accel_cli.core import hub, hub_commits
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound, TryAgain, VerificationFailed
from ipfs_accel_cli.core.hub import MAIN, Listed, Repository
from ipfs_accel_cli.core.hub_commits import Upload, Writing
from ipfs_accel_cli.core.retry import pause

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    Operation: TypeAlias = CommitOperationAdd | CommitOperationDelete

_ATTEMPTS = 8  # Somebody else's commit in between costs one, and so many in a row are no accident.
_PATHS = 100  # as many as one question names


class Change:
    """A change to a branch, and the looks at it that belong to it; `creates` makes a repository that is not there."""

    def __init__(self, repository: Repository, creates: bool, private: bool = False) -> None:
        self._repository = repository
        self._creates = creates
        self._private = private
        self._uploaded: dict[str, CommitOperationAdd] = {}

    def head(self) -> str | None:
        """Return the newest commit of the branch; None where the first change makes the repository."""
        at = self._repository
        try:
            info = hub.asked(at, lambda: at.api().repo_info(at.name, repo_type=at.kind, revision=at.revision))
        except NotFound as error:
            if self._creates:
                return None
            raise self._absent(error) from error
        return str(info.sha)

    def listed(self, paths: Sequence[str], commit: str | None = None) -> dict[str, Listed]:
        """Return those of some files that are there: at a commit, else at the end of the branch."""
        at, found = self._repository, list[Listed]()
        for first in range(0, len(paths), _PATHS):
            current().check()
            some = list(paths[first : first + _PATHS])

            def ask(some: list[str] = some) -> list[Listed]:
                revision = commit or at.revision
                return list(hub.listed(at.api().get_paths_info(at.name, some, revision=revision, repo_type=at.kind)))

            try:
                found += hub.asked(at, ask)
            except NotFound as error:
                if self._creates:
                    return {}
                raise self._absent(error) from error
        return {one.path: one for one in found}

    def put(self, bodies: Sequence[tuple[Body, str]], over: Mapping[str, tuple[int, str | None]] | None = None) -> str:
        """Commit all files that are not there; return the commit that has all of them. Raises Conflict for others.

        `over` names the size and the etag of those whose place is taken.
        """
        wanted = _distinct(bodies)

        def operations(head: str) -> list[Operation]:
            there = self.listed(list(wanted), head)
            missing = {
                path: body
                for path, body in wanted.items()
                if not self._holds(body, path, there.get(path), (over or {}).get(path))
            }
            self._upload({path: body for path, body in missing.items() if path not in self._uploaded})
            return [self._uploaded[path] for path in missing]

        with hub_commits.quiet():
            if self.head() is None:
                Writing(self._repository).create(private=True if self._private else None)
                self._creates = False  # Whatever is missing from now on is not ours to make.
            return self._commit(operations, f"Add {_some(list(wanted))}")

    def delete(self, path: str) -> None:
        """Commit that a file is gone; what is gone already needs no commit."""
        from huggingface_hub import CommitOperationDelete

        def operations(head: str) -> list[Operation]:
            return [CommitOperationDelete(path)] if path in self.listed([path], head) else []

        if self.head() is not None:
            self._commit(operations, f"Remove {path}")

    def check(self, body: Body, path: str, found: Listed | None) -> None:
        """Raise VerificationFailed unless the hub states the digest that a file must have."""
        if found is None or not _is(body, path, found):
            raise VerificationFailed(f"the hub said that it took {path}, and does not list it with its digest")

    def _commit(self, operations: Callable[[str], list[Operation]], message: str) -> str:
        failures = 0
        while True:
            head = str(self.head())
            changes = operations(head)
            if not changes:
                return head
            try:
                return Writing(self._repository).commit(changes, message, head)
            except Conflict as error:
                failures += 1
                if failures == _ATTEMPTS:
                    raise TryAgain(f"others commit to {self._repository.name} all the time") from error
                pause(failures, error)

    def _upload(self, bodies: dict[str, Body]) -> None:
        paths, done = list(bodies), 0
        total = sum(body.size_bytes for body in bodies.values())
        writing = Writing(self._repository)
        for numbers in hub_commits.batches([bodies[path].size_bytes for path in paths]):
            some = [paths[number] for number in numbers]
            current().progress(done, total, f"Sending {some[0]}", unit="bytes")
            additions = writing.upload([_upload(path, bodies[path]) for path in some])
            self._uploaded.update(zip(some, additions, strict=True))
            done += sum(bodies[path].size_bytes for path in some)

    def _holds(self, body: Body, path: str, found: Listed | None, over: tuple[int, str | None] | None) -> bool:
        if found is None:
            return False
        if _is(body, path, found):
            return True
        name = self._repository.name
        if over == (found.size_bytes, etag_of(found)):
            return False
        if over is not None:
            raise Conflict(f"{path} of {name} has changed meanwhile; run the command again")
        raise Conflict(f"{name} has {path} already with other bytes; choose another path or delete it")

    def _absent(self, error: NotFound) -> NotFound:
        from huggingface_hub.errors import RevisionNotFoundError

        at, kind = self._repository, f" --type {self._repository.kind}"
        if at.revision is not None and hub.is_commit(at.revision):
            return error  # Nobody can make a commit of that name.
        command = f"hf repos create {at.name}{kind}"
        if isinstance(error.__cause__, RevisionNotFoundError) and at.revision != MAIN:
            command = f"hf repos branch create {at.name} {at.revision}{kind}"
        return NotFound(f"{error.detail}; with --option create=true the first file makes it", suggestion=command)


def etag_of(found: Listed) -> str | None:
    """Return the digest by which the hub knows a file."""
    return found.sha256.hex() if found.sha256 else found.git_sha1


def _distinct(bodies: Sequence[tuple[Body, str]]) -> dict[str, Body]:
    from huggingface_hub.utils import FORBIDDEN_FOLDERS

    found: dict[str, Body] = {}
    for body, path in bodies:
        if any(name in FORBIDDEN_FOLDERS for name in path.split("/")):
            raise Invalid(f"a hub takes nothing in folders named {' or '.join(FORBIDDEN_FOLDERS)}: {path}")
        if found.setdefault(path, body).sha256 != body.sha256:
            raise Conflict(f"{path} was given twice, with other bytes")
    return found


def _is(body: Body, path: str, found: Listed) -> bool:
    return hub.states(found, body.size_bytes, body.sha256, lambda: git_sha1(body, path))


def _upload(path: str, body: Body) -> Upload:
    content: str | BinaryIO = str(body.local) if body.local and _has_xet() else Readable(body)  # type: ignore[assignment]
    return Upload(path, body.size_bytes, body.sha256, content)


def _has_xet() -> bool:
    """Say whether huggingface_hub sends files, but no streams, in the pieces that its storage keeps once each."""
    from importlib.util import find_spec

    from huggingface_hub import constants

    return not constants.HF_HUB_DISABLE_XET and find_spec("hf_xet") is not None


def _some(paths: list[str]) -> str:
    return paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more"
