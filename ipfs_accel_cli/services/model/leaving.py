"""Passports of models that leave: what may travel of all that is said of them."""

from __future__ import annotations

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.content.passport import Passport
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.derived import DERIVED
from ipfs_accel_cli.services.model.lookup import Known

FACTS, SOURCE = "facts", "source"
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
    """Add what others said of the same model to ours, facts apart, which everyone reads from the files."""
    if theirs is None or theirs.manifest != ours.manifest:
        return ours
    return ours.with_statements(one for one in theirs.statements if one.kind != FACTS)


def is_local(statement: Statement) -> bool:
    """Say whether a statement about the source names a place on the machine that made it."""
    return str(statement.body.get("reference", "")).partition(":")[0] in _LOCAL
