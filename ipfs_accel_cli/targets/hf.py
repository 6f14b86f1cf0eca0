"""Repositories of the Hugging Face Hub, or of what HF_ENDPOINT names, as places that models are handed to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from ipfs_accel_cli.content import passport
from ipfs_accel_cli.core import fetch
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotAuthorised, NotFound, RemoteFailed, Unavailable
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.hf import HubSource, meaning
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.targets.base import Delivery, Holding, Item, Parcel, Progress, Sent, damaged, owner_only

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, HfApi

T = TypeVar("T")

MAIN = "main"
_COMMIT_DIGITS = 40
_SMALL_BYTES, _BATCH = 1 << 20, 100


class HubTarget:
    """A branch of a model repository; every push that changes something is one commit, and its history stays."""

    name = "hf"

    def check(self, place: Reference) -> Reference:
        """Return the place with its branch; raises Invalid for a commit, which nothing can be given, and a folder."""
        owner_only(place)
        if place.subfolder or "/" not in place.locator:
            raise Invalid(f"a model is pushed to a repository: hf://ORG/NAME[@BRANCH], not {place}")
        branch = place.revision or MAIN
        if len(branch) == _COMMIT_DIGITS and all(digit in "0123456789abcdef" for digit in branch):
            raise Invalid(
                f"{place} is a commit, and a model is pushed to a branch", suggestion=_push(place.pinned(None))
            )
        return place.pinned(branch)

    def read(self, place: Reference, path: str) -> bytes | None:
        """Return the bytes of a file of the branch; None where there is none, or no such repository."""
        from huggingface_hub import hf_hub_url
        from huggingface_hub.utils import build_hf_headers

        url = hf_hub_url(place.locator, path, revision=place.revision, endpoint=_endpoint())
        data = b""
        try:
            for piece in fetch.ranged(url, 0, str(place), headers=build_hf_headers()):
                data += piece
                if len(data) > passport.MAX_BYTES:
                    return None
        except (NotFound, NotAuthorised):
            # Whether the repository is there, and whose it is, is told by the list of its files.
            return None
        return data

    def look(self, place: Reference, parcel: Parcel) -> Holding:
        """Compare the branch's list of files: large ones by sha-256, others by their git blob id."""
        try:
            there = HubSource().resolve(place)
        except NotFound as error:
            if not parcel.create:
                raise NotFound(error.detail, suggestion=f"{_push(place, parcel.name)} --create") from error
            # A branch begins with what the main one has.
            return Holding() if place.revision == MAIN else replace(self._begun(place, parcel), revision=None)
        listed = {file.path: file for file in there.files}
        same = frozenset(one.path for one in parcel.items if one.path in listed and one.is_as(listed[one.path]))
        wanted = {item.path for item in parcel.items}
        others = tuple(path for path in listed if path not in wanted)
        return Holding(there.revision, same, len(same) == len(wanted), others)

    def _begun(self, place: Reference, parcel: Parcel) -> Holding:
        try:
            return replace(self.look(place.pinned(MAIN), replace(parcel, create=False)), settled=False)
        except NotFound:
            return Holding()

    def refuse(self, place: Reference, delivery: Delivery) -> None:
        """Raise Conflict where everybody can read what is to be private."""
        if delivery.parcel.private:
            with suppress(NotFound):
                _check_private(_api(), place)

    def send(self, place: Reference, delivery: Delivery) -> Sent:
        """Upload large files one by one, which the hub keeps though the push may break off, then commit all at once."""
        holding = delivery.holding
        self.refuse(place, delivery)
        if holding.settled and not delivery.removed and holding.revision:
            return Sent(place.pinned(holding.revision), holding.revision, 0)
        api = _api()
        with _quiet():
            if holding.revision is None:
                _create(api, place, delivery.parcel)
                # Somebody else may have made it meanwhile.
                self.refuse(place, delivery)
            additions = list(self._uploaded(api, place, delivery))
            commit = _commit(api, place, delivery, additions)
        return Sent(place.pinned(commit), commit)

    def listed(self, sent: Sent, parcel: Parcel) -> list[RemoteFile]:
        """List the files of the commit."""
        return list(HubSource().resolve(sent.reference).files)

    def _uploaded(self, api: HfApi, place: Reference, delivery: Delivery) -> Iterator[CommitOperationAdd]:
        from huggingface_hub import CommitOperationAdd

        progress = Progress(sum(item.size_bytes for item in delivery.missing))
        for items in _batches(delivery.missing):
            progress.add(0, items[0].path)
            batch = [CommitOperationAdd(item.path, str(item.local) if item.local else item.data) for item in items]

            def upload(batch: list[CommitOperationAdd] = batch) -> None:
                api.preupload_lfs_files(
                    place.locator, batch, revision=place.revision, free_memory=False, gitignore_content=""
                )

            _asked(place, upload)
            for item, addition in zip(items, batch, strict=True):
                _check(addition, item, delivery.parcel)
                progress.add(item.size_bytes, item.path)
                yield addition


def _batches(items: tuple[Item, ...]) -> Iterator[list[Item]]:
    """Yield large files one by one, and small ones together, which saves questions."""
    small = [item for item in items if item.size_bytes <= _SMALL_BYTES]
    for first in range(0, len(small), _BATCH):
        yield small[first : first + _BATCH]
    yield from ([item] for item in items if item.size_bytes > _SMALL_BYTES)


def _check(addition: Any, item: Item, parcel: Parcel) -> None:
    """Raise VerificationFailed where what the library read is not the file's content; nothing names it yet."""
    if addition.upload_info.sha256 != item.sha256:
        raise damaged(item, parcel)


def _create(api: HfApi, place: Reference, parcel: Parcel) -> None:
    # Without a wish the owner's organisation decides who sees it.
    private = True if parcel.private else None
    _asked(place, lambda: api.create_repo(place.locator, private=private, exist_ok=True))
    if place.revision != MAIN:
        _asked(place, lambda: api.create_branch(place.locator, branch=str(place.revision), exist_ok=True))


def _check_private(api: HfApi, place: Reference) -> None:
    """Raise Conflict for a repository that was there already and that everybody can read."""
    if not _asked(place, lambda: api.model_info(place.locator)).private:
        raise Conflict(
            f"{place.locator} is there already and everybody can read it; nothing was sent",
            suggestion="make it private at the hub, choose another name, or leave out --private",
        )


def _commit(api: HfApi, place: Reference, delivery: Delivery, additions: list[CommitOperationAdd]) -> str:
    """Commit on top of what was looked at, and nothing else; return the commit."""
    from huggingface_hub import CommitOperationDelete

    current().check()
    operations = [*additions, *(CommitOperationDelete(path) for path in delivery.removed)]
    made = _asked(
        place,
        lambda: api.create_commit(
            place.locator,
            operations,
            commit_message=f"Push {delivery.parcel.name}",
            commit_description=f"Manifest {delivery.parcel.manifest}",
            revision=place.revision,
            parent_commit=delivery.holding.revision,
        ),
    )
    return str(made.oid)


def _asked(place: Reference, work: Callable[[], T]) -> T:
    """Run what asks the hub, again while it is busy; raises our errors."""

    def once() -> T:
        try:
            return work()
        except Exception as error:
            raise _refusal(place, error) from error

    return patiently(once)


def _refusal(place: Reference, error: Exception) -> AccelError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, AccelError):
        return error
    if status in (409, 412):
        return Conflict(f"{place} was changed by somebody else meanwhile", suggestion=_push(place))
    if status == 403:
        return NotAuthorised(f"the hub does not let this token write to {place.locator}", suggestion="hf auth login")
    if status == 400 or (status is None and type(error) is ValueError):
        return RemoteFailed(f"the hub refuses the push to {place}: {error}")
    if "xet-write-token" in str(error) and "404" in str(error):
        return Unavailable(
            f"the hub of {place.locator} does not know Xet, by which huggingface_hub uploads",
            suggestion=f"HF_HUB_DISABLE_XET=1 {_push(place)}",
        )
    return meaning(place, error)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's own progress bars off the terminal for the block."""
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    shown = not are_progress_bars_disabled()
    if shown:
        disable_progress_bars()
    try:
        yield
    finally:
        if shown:
            enable_progress_bars()


def _api() -> HfApi:
    from huggingface_hub import HfApi

    return HfApi(endpoint=_endpoint())


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT")


def _push(place: Reference, name: str = "NAME") -> str:
    written = place.pinned(None) if place.revision == MAIN else place
    return f"ipfs-accel model push {name} {written}"
