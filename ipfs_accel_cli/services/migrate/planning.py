"""Listing both places of a migration and deciding what is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipfs_accel_cli.backends.base import Files
from ipfs_accel_cli.core import fields, filters
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.services.migrate import listing, models
from ipfs_accel_cli.services.migrate.ledger import Ledger
from ipfs_accel_cli.services.migrate.model import Kind, Listed, Options, Place, Step
from ipfs_accel_cli.services.migrate.places import apart, destination_of, source_of
from ipfs_accel_cli.services.migrate.plan import Estimate, by_size, compared, estimate, plan
from ipfs_accel_cli.services.migrate.results import Planned
from ipfs_accel_cli.services.migrate.world import PlaceFacts, World


@dataclass(frozen=True, slots=True)
class Looked:
    """Two places, what travels between them, and every step of it; `listed` counts what the source has at all."""

    source: Place
    destination: Place
    kind: Kind
    steps: tuple[Step, ...]
    listed: int


def look(world: World, ledger: Ledger, source_text: str, destination_text: str, options: Options) -> Looked:
    """List both places once and plan; raises Invalid for what are no two places."""
    source, destination = source_of(world, source_text), destination_of(world, destination_text)
    apart(source, destination)
    kind = listing.kind_of(world, source, destination)
    if kind == "model":
        one = models.step(world, source, destination, options)
        chosen = _chosen([one.source], options.where) if one.source is not None else []
        return Looked(source, destination, kind, (one,) if chosen else (), 1)
    if destination.model:
        raise Invalid(f"{destination.text} is for one model: give its name or path as the source, or here: alone")
    here = listing.listed(world, source, kind, ledger.remembered(source.backend))
    if source.path and not here and not options.policy and not options.delete:
        # A policy may find its source empty every other night; a person has mistyped it.
        raise NotFound(f"nothing lies at {source_text}", suggestion=f"ipfs-accel store ls --on {source.backend}")
    chosen = _chosen(here, options.where)
    there = _there(world, ledger, destination, kind, chosen)
    if options.where is not None:
        # What the filter leaves out is nobody's to delete.
        there = _chosen(there, options.where)
    same = by_size if options.compare == "size" else compared
    steps = plan(chosen, there, options.action, same=same, immutable=options.immutable, delete=options.delete)
    return Looked(source, destination, kind, tuple(steps), len(here))


def listed_at(world: World, place: Place, where: str | None) -> list[Listed]:
    """Return what lies at a source as far as a filter chooses it."""
    is_files = place.cid is None and place.backend != world.here and isinstance(world.open(place.backend), Files)
    return _chosen(listing.listed(world, place, "file" if is_files else "dag", {}), where)


def estimated(world: World, looked: Looked, options: Options) -> Estimate:
    """Return what a plan costs and how long it takes."""
    names = [one.backend for one in (looked.source, looked.destination) if one.backend != world.here]
    known = {one.name: one for one in world.facts(names)}
    target = known.get(looked.destination.backend) or PlaceFacts(
        world.here, 0.001, 500e6, 500e6, storage=0.0, egress=0.0, ingress=0.0, puts=0.0, gets=0.0
    )
    return estimate(looked.steps, known.get(looked.source.backend), target, options.transfers)


def row(step: Step) -> Planned:
    """Return a step as it is shown."""
    found = step.source or step.destination
    assert found is not None
    return Planned(
        symbol=step.symbol,
        name=step.name,
        todo=step.todo,
        size_bytes=step.size_bytes,
        kind=step.kind,
        cid=found.cid,
        sha256=None if found.sha256 is None else found.sha256.hex(),
        modified_at=None if found.modified_at is None else found.modified_at.isoformat(timespec="seconds"),
        why=step.why,
    )


def _there(world: World, ledger: Ledger, place: Place, kind: Kind, source: Sequence[Listed]) -> list[Listed]:
    if place.backend == world.here:
        return listing.listed(world, place, "dag", {})
    takes = listing.takes(world, place)
    if kind == "dag":
        return listing.listed(world, replace(place, path=""), "dag", {})
    if takes == "file":
        return listing.listed(world, place, "file", ledger.remembered(place.backend))
    # At a place of DAGs a file is found by its CID; what none is remembered of is read.
    roots = {str(cid.to_v1()) for cid in world.roots(place.backend)}
    return [
        Listed(one.name, "dag", one.cid, one.size_bytes, None, one.cid)
        for one in source
        if one.cid and one.cid in roots
    ]


def _chosen(found: list[Listed], where: str | None) -> list[Listed]:
    if where is None:
        return found
    condition = filters.parse(where, fields.of_result(Planned))
    return [one for one in found if condition.matches(row(Step(one.name, one.kind, "+", "", one, None)))]
