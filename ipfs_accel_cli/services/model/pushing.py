"""Handing a model to another place: only what is missing there travels, and what arrived is read back and compared."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ipfs_accel_cli.content.passport import Passport, is_of_passport
from ipfs_accel_cli.core.errors import Conflict, Invalid, VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model import leaving, passports, tables
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.services.model.pull import held
from ipfs_accel_cli.services.model.push_results import Pushed
from ipfs_accel_cli.sources.reference import NAMED, PLACE, Reference, parse
from ipfs_accel_cli.targets.base import Delivery, Holding, Parcel, Sent, Target
from ipfs_accel_cli.targets.registry import TARGETS, target_for

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Pusher:
    """Hands models of one home to other places."""

    home: Home
    store: Store
    registry: tables.Tables
    lookup: Lookup

    def push(
        self, name: str, place: str, *, create: bool = False, private: bool = False, dry_run: bool = False
    ) -> Pushed:
        """Bring a model to a hub, a registry or a folder, with its manifest and what is said of it.

        Raises NotFound, Invalid, NotAuthorised, Unavailable, TryAgain, Offline, DiskFull, Conflict for a place that
        holds other files, and VerificationFailed when the model is damaged here or what arrived is not what was sent.
        """
        if private and not create:
            raise Invalid("--private says how a repository is made: give --create as well")
        known = self.lookup.describe(self.lookup.find(name))
        target, where = self._target(known, place)
        if private and where.scheme in ("file", PLACE):
            raise Invalid("--private says how a repository is made, and a folder or a backend is none")
        with self._alone(known, where) as folder:
            theirs = leaving.passport_at(target, where)
            ours = leaving.joined(leaving.passport_of(self.store, known), theirs)
            parcel = Parcel(
                known.named.exact,
                known.named.manifest,
                leaving.items(self.store, known, ours),
                licence=known.licence,
                came_from=self._origins(known),
                notes=folder,
                create=create,
                private=private,
            )
            return _pushed(_Push(target, where, known, ours, theirs, parcel), dry_run=dry_run)

    def _target(self, known: Known, place: str) -> tuple[Target, Reference]:
        """Return the target and the place that a text means; raises Invalid, NotAuthorised for a path out of bounds."""
        reference = parse(place)
        if reference.scheme == NAMED:
            # What looks like a name of a model is a new folder here, and that is too easily a slip of the pen.
            raise Invalid(
                f"{place!r} is no place to push to: write hf://org/name, oci://registry/repository:tag, ./folder or "
                "BACKEND:path",
                suggestion=f"ipfs-accel model push {known.named.exact} ./{place}",
            )
        if reference.scheme not in TARGETS.names():
            raise Invalid(f"a model cannot be pushed to {reference.scheme}://; there are: {', '.join(TARGETS.names())}")
        if reference.scheme == PLACE and reference.locator.endswith(":"):
            reference = replace(reference, locator=f"{reference.locator}{known.named.manifest}")
        target = target_for(reference.scheme, self.store)
        return target, target.check(reference)

    def _origins(self, known: Known) -> tuple[Reference, ...]:
        """Return where the same model was pulled from, under whatever name."""
        texts = [named.reference for named in self.registry.names_of(known.named.manifest)]
        return tuple(parse(text) for text in dict.fromkeys([known.named.reference, *texts]))

    @contextmanager
    def _alone(self, known: Known, where: Reference) -> Iterator[Path]:
        """Let one process at a time push a model to a place; the folder stays when the target left a note in it."""
        key = hashlib.sha256(f"push\n{known.manifest.cid}\n{where}".encode()).hexdigest()[:32]
        with held(self.home, key) as folder:
            try:
                yield folder
            finally:
                if {path.name for path in folder.iterdir()} <= {"lock"}:
                    shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Push:
    """One model on its way to one place; `theirs` is the passport that lies there."""

    target: Target
    where: Reference
    known: Known
    ours: Passport
    theirs: Passport | None
    parcel: Parcel


def _pushed(push: _Push, *, dry_run: bool) -> Pushed:
    """Send what is missing and compare what arrived; raises Conflict where the place holds what is not the model's."""
    holding = push.target.look(push.where, push.parcel)
    removed = _no_longer_named(push, holding)
    delivery = Delivery(push.parcel, holding, removed)
    if dry_run:
        push.target.refuse(push.where, delivery)
        return _result(push, delivery, None)
    settled = holding.settled and not removed
    try:
        sent = push.target.send(push.where, delivery)
    except Conflict:
        # Somebody else may have brought the same meanwhile; then all is as it should be.
        holding = push.target.look(push.where, push.parcel)
        if not holding.settled:
            raise
        delivery = Delivery(push.parcel, holding)
        sent, settled = push.target.send(push.where, delivery), True
    _verify(push, sent)
    return _result(push, delivery, sent, settled=settled)


def _no_longer_named(push: _Push, holding: Holding) -> tuple[str, ...]:
    """Return what an earlier version of the model left at the place; raises Conflict for files of anybody else."""
    named = {entry.path for entry in push.theirs.manifest.files} if push.theirs is not None else set()
    others = [path for path in holding.others if not is_of_passport(path) and path not in passports.HUBS_OWN]
    foreign = [path for path in others if path not in named]
    if foreign:
        more = f" and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise Conflict(
            f"{push.where} holds files that are no part of {push.parcel.name}: {', '.join(foreign[:_SHOWN])}{more}",
            suggestion="choose a place that is empty or holds an earlier version of the model",
        )
    return tuple(others)


def _verify(push: _Push, sent: Sent) -> None:
    """Ask the place what lies there now, and compare; raises VerificationFailed."""
    listed = {file.path: file for file in push.target.listed(sent, push.parcel)}
    wrong = [item.path for item in push.parcel.items if item.path not in listed or not item.is_as(listed[item.path])]
    if wrong:
        raise VerificationFailed(
            f"{sent.reference} does not list what was sent: {', '.join(wrong[:_SHOWN])}",
            suggestion=f"ipfs-accel model push {push.parcel.name} {push.where}",
        )


def _result(push: _Push, delivery: Delivery, sent: Sent | None, *, settled: bool = False) -> Pushed:
    holding, sizes = delivery.holding, [item.size_bytes for item in push.parcel.items]
    missing_bytes = sum(item.size_bytes for item in delivery.missing)
    revision = sent.revision if sent is not None else holding.revision
    told = sent.sent_bytes if sent is not None else None
    return Pushed(
        name=push.known.named.name,
        version=push.known.named.version,
        manifest_cid=push.known.named.manifest,
        reference=str(sent.reference if sent is not None else push.where),
        revision=revision,
        replaced=holding.revision if holding.revision != revision else None,
        files=len(push.known.manifest.files),
        statements=len(push.ours.statements),
        size_bytes=sum(sizes),
        sent_bytes=missing_bytes if told is None else told,
        present_bytes=sum(sizes) - missing_bytes,
        unchanged=settled if sent is not None else holding.settled,
        verified=sent is not None,
        dry_run=sent is None,
    )
