"""Passports of models that leave: what may travel of all that is said of them."""

from __future__ import annotations

from collections.abc import Iterator

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.content.passport import CAR, JSON, MAX_BYTES, Passport
from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.services.model import hearsay
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.derived import DERIVED
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.sources.reference import Reference, place_in
from ipfs_accel_cli.targets.base import Item, Target

SOURCE = "source"
_LOCAL = ("file", "car")


def passport_of(store: Store, known: Known) -> Passport:
    """Return what travels with a model: its manifest and what is said of it.

    What was made of it can be made again, and where it lay on this machine is nobody's business: both stay.
    """
    said = [Statement.decode(store.block(CID.parse(cid))) for kind, cid, _ in known.statements if kind != DERIVED]
    leaving = [one for one in said if not (one.kind == SOURCE and is_local(one))]
    present = {known.manifest.cid, *(one.cid for one in leaving)}
    return Passport(known.manifest, tuple(one for one in leaving if one.subject in present))


def joined(ours: Passport, theirs: Passport | None) -> Passport:
    """Add what others said of the same model to ours, as far as anybody would take it."""
    if theirs is None or theirs.manifest != ours.manifest:
        return ours
    return ours.with_statements(hearsay.taken(theirs.manifest, theirs.statements))


def is_local(statement: Statement) -> bool:
    """Say whether a statement about the source names a place on the machine that made it."""
    text = str(statement.body.get("reference", ""))
    return text.partition(":")[0] in _LOCAL or place_in(text) is not None


def passport_at(target: Target, where: Reference) -> Passport | None:
    """Read the passport that lies at a place; None for none, or for one that cannot be read."""
    data = target.read(where, CAR)
    try:
        return Passport.decode(data) if data is not None and len(data) <= MAX_BYTES else None
    except ContentError:
        return None


def items(store: Store, known: Known, ours: Passport) -> tuple[Item, ...]:
    """Return the files of a model as they leave, its passport last; raises VerificationFailed for a lost one."""
    return (*_files(store, known), Item.of(CAR, ours.encode()), Item.of(JSON, ours.readable()))


def _files(store: Store, known: Known) -> Iterator[Item]:
    for entry in known.manifest.files:
        local = store.object_path(entry.cid)
        if not local.is_file() or local.stat().st_size != entry.size_bytes:
            raise VerificationFailed(
                f"{entry.path} is damaged in the store, and was not sent",
                suggestion=f"ipfs-accel model repair {known.named.exact}",
            )
        yield Item(entry.path, entry.size_bytes, entry.sha256, local)
