"""What migrations are told of the store, models and the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.settings import Settings

if TYPE_CHECKING:
    from ipfs_accel_cli.services.job.service import Jobs
    from ipfs_accel_cli.services.migrate.service import Migrations
    from ipfs_accel_cli.services.migrate.world import World
    from ipfs_accel_cli.services.model.service import Models
    from ipfs_accel_cli.services.store.backends.copies import How
    from ipfs_accel_cli.services.store.store import Store


def migrations(
    home: Home,
    settings: Settings,
    store: Store,
    models: Callable[[], Models],
    jobs: Callable[[], Jobs],
    database: Database,
) -> Migrations:
    """Return the migrations of a home."""
    from ipfs_accel_cli.services.migrate.ledger import Ledger
    from ipfs_accel_cli.services.migrate.service import Migrations

    places = world(store, models, jobs)
    return Migrations(home, Ledger(database), places, lambda: float(settings.get("migrate.patience-seconds")))


def world(store: Store, models: Callable[[], Models], jobs: Callable[[], Jobs]) -> World:
    """Return the store, and models by their name, as migrations use them."""
    from ipfs_accel_cli.content.cid import CID
    from ipfs_accel_cli.core.jobs.model import Caller
    from ipfs_accel_cli.services.migrate.world import Carried, PlaceFacts, Reference, Sent, World
    from ipfs_accel_cli.services.store.backends.copies import HERE, Known
    from ipfs_accel_cli.services.store.placement.costs import HISTORY_DAYS
    from ipfs_accel_cli.services.store.placement.forecast import forecast

    exchange, placement = store.exchange, store.placement

    def send(root: CID, name: str, path: str) -> Sent:
        (sent,) = exchange.copy(root, [f"{name}:{path}"])
        return Sent(sent.path, sent.size_bytes, sent.sent_bytes, sent.proof)

    def model(name: str) -> tuple[CID, int]:
        shown = models().show(name)
        return CID.parse(shown.manifest_cid), shown.size_bytes

    def push(name: str, place: str, dry_run: bool) -> Carried:
        sent = models().pushes.push(name, place, dry_run=dry_run)
        locator = sent.reference.partition(":")[2]
        return Carried(sent.name, locator, sent.manifest_cid, sent.size_bytes, sent.sent_bytes, sent.unchanged)

    def pull(place: str, name: str, dry_run: bool) -> Carried:
        came = models().pull(place, name or None, dry_run=dry_run)
        # What is here already is answered by whichever of its names comes first.
        chosen = name or place.rpartition(":")[2].rpartition("/")[2]
        there = came.version is not None and any(
            (one.name, one.manifest_cid) == (chosen, came.manifest_cid) for one in models().ls().models
        )
        name = chosen if dry_run and came.version is not None else came.name
        return Carried(name, name, came.manifest_cid, came.size_bytes, came.fetched_bytes, dry_run and there)

    def known(one: Known) -> Reference:
        return Reference(one.cid, one.backend, one.locator, one.whole_dag, one.size_bytes, one.sha256, one.how)

    def noted(one: Reference) -> Known:
        how: How = "reread" if one.how == "reread" else "cid" if one.how == "cid" else "checksum"
        return Known(one.cid, one.backend, one.locator, one.whole_dag, one.size_bytes, one.sha256, how)

    def facts(names: Sequence[str]) -> list[PlaceFacts]:
        return [
            PlaceFacts(
                one.name,
                one.latency_s,
                one.write_bytes_s,
                one.read_bytes_s,
                one.price.storage,
                one.price.egress,
                one.price.ingress,
                one.price.puts,
                one.price.gets,
                one.unreachable,
                one.takes,
                one.region,
            )
            for one in placement.facts.candidates(names)
        ]

    def foresee(name: str, days: int) -> tuple[int | None, float | None, str]:
        values = [float(one.size_bytes) for one in placement.costs.history.of(name, HISTORY_DAYS)]
        seen = forecast(values)
        later = None if seen.line is None else int(seen.line.at(len(values) - 1 + days))
        return later, seen.error, seen.why

    def enqueue(policy: str, priority: int, number: int, backends: tuple[str, ...]) -> str:
        return jobs().queue.add(
            "command",
            {"command": ["migrate", "run"], "arguments": {"policy": policy}},
            title=f"migrate run {policy}",
            priority=priority,
            unique=f"migrate {policy} {number}",
            backends=backends,
            caller=Caller.of(current()),
        )

    return World(
        here=HERE,
        open=store.backends.open,
        names=store.backends.names,
        roots=exchange.roots,
        own_roots=store.syncing.own_roots,
        send=send,
        fetch=lambda root, name, label: exchange.fetch(root, name, _passing(label)).fetched_bytes,
        let_go=store.syncing.let_go,
        reread=lambda root, name: exchange.verify([root], name).size_bytes,
        remove=lambda root, name: _nothing(store.remove([root], name)),
        is_whole=exchange.fetching.is_whole,
        size_of=store.syncing.size_of,
        note=lambda copies: exchange.copies.note(map(noted, copies)),
        forget=exchange.copies.forget,
        known_at=lambda name: map(known, exchange.copies.oldest_at(name)),
        copies_of=lambda cid: [known(one) for one in exchange.copies.of(cid)],
        facts=facts,
        currency=lambda: placement.facts.books.read().currency,
        model=model,
        push=push,
        pull=pull,
        foresee=foresee,
        enqueue=enqueue,
    )


def _passing(label: str | None) -> tuple[str, str] | None:
    from ipfs_accel_cli.services.store.roots import TRANSIT

    return None if label is None else (TRANSIT, label)


def _nothing(_: object) -> None: ...
