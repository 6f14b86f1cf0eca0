"""Repositories of the Hugging Face Hub, or of what HF_ENDPOINT names, as places that models are handed to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ipfs_accel_cli.content import passport
from ipfs_accel_cli.core import fetch, hub_commits
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotAuthorised, NotFound, VerificationFailed
from ipfs_accel_cli.core.hub import MAIN, Repository, is_commit
from ipfs_accel_cli.core.hub_commits import Upload, Writing
from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.hf import HubSource
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.targets.base import Delivery, Holding, Item, Parcel, Progress, Sent, damaged, owner_only

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd


class HubTarget:
    """A branch of a model repository; every push that changes something is one commit, and its history stays."""

    name = "hf"

    def check(self, place: Reference) -> Reference:
        """Return the place with its branch; raises Invalid for a commit, which nothing can be given, and a folder."""
        owner_only(place)
        if place.subfolder or "/" not in place.locator:
            raise Invalid(f"a model is pushed to a repository: hf://ORG/NAME[@BRANCH], not {place}")
        branch = place.revision or MAIN
        if is_commit(branch):
            raise Invalid(
                f"{place} is a commit, and a model is pushed to a branch", suggestion=_push(place.pinned(None))
            )
        return place.pinned(branch)

    def read(self, place: Reference, path: str) -> bytes | None:
        """Return the bytes of a file of the branch; None where there is none, or no such repository."""
        repository = _repository(place)
        data = b""
        try:
            for piece in fetch.ranged(repository.address(path), 0, str(place), headers=repository.headers()):
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
                _check_private(place)

    def send(self, place: Reference, delivery: Delivery) -> Sent:
        """Upload large files one by one, which the hub keeps though the push may break off, then commit all at once."""
        holding = delivery.holding
        self.refuse(place, delivery)
        if holding.settled and not delivery.removed and holding.revision:
            return Sent(place.pinned(holding.revision), holding.revision, 0)
        writing = Writing(_repository(place), _push(place))
        with hub_commits.quiet():
            if holding.revision is None:
                writing.create(private=True if delivery.parcel.private else None)
                # Somebody else may have made it meanwhile.
                self.refuse(place, delivery)
            additions = list(_uploaded(writing, delivery))
            commit = _commit(writing, delivery, additions)
        return Sent(place.pinned(commit), commit)

    def listed(self, sent: Sent, parcel: Parcel) -> list[RemoteFile]:
        """List the files of the commit."""
        return list(HubSource().resolve(sent.reference).files)


def _uploaded(writing: Writing, delivery: Delivery) -> Iterator[CommitOperationAdd]:
    missing = delivery.missing
    progress = Progress(sum(item.size_bytes for item in missing))
    for numbers in hub_commits.batches([item.size_bytes for item in missing]):
        items = [missing[number] for number in numbers]
        progress.add(0, items[0].path)
        try:
            additions = writing.upload([_upload(item) for item in items])
        except VerificationFailed as error:
            spoiled = next((item for item in items if not item.is_sound()), items[0])
            raise damaged(spoiled, delivery.parcel) from error
        for item, addition in zip(items, additions, strict=True):
            progress.add(item.size_bytes, item.path)
            yield addition


def _upload(item: Item) -> Upload:
    return Upload(item.path, item.size_bytes, item.sha256, str(item.local) if item.local else item.data)


def _check_private(place: Reference) -> None:
    """Raise Conflict for a repository that was there already and that everybody can read."""
    writing = Writing(_repository(place), _push(place))
    if not writing.asked(lambda: _repository(place).api().model_info(place.locator)).private:
        raise Conflict(
            f"{place.locator} is there already and everybody can read it; nothing was sent",
            suggestion="make it private at the hub, choose another name, or leave out --private",
        )


def _commit(writing: Writing, delivery: Delivery, additions: list[CommitOperationAdd]) -> str:
    """Commit on top of what was looked at, and nothing else; return the commit."""
    from huggingface_hub import CommitOperationDelete

    operations = [*additions, *(CommitOperationDelete(path) for path in delivery.removed)]
    parcel = delivery.parcel
    return writing.commit(
        operations, f"Push {parcel.name}", delivery.holding.revision, description=f"Manifest {parcel.manifest}"
    )


def _repository(place: Reference) -> Repository:
    return Repository(place.locator, revision=place.revision)


def _push(place: Reference, name: str = "NAME") -> str:
    written = place.pinned(None) if place.revision == MAIN else place
    return f"ipfs-accel model push {name} {written}"
