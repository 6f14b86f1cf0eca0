"""What lies at a place, from one listing, with what is remembered of files that have not changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ipfs_accel_cli.backends.base import Dags, Files, TakesDags
from ipfs_accel_cli.backends.seen import is_still
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, UnsupportedContent
from ipfs_accel_cli.services.migrate.model import Kind, Listed, Place
from ipfs_accel_cli.services.migrate.models import is_model
from ipfs_accel_cli.services.migrate.world import World

OURS = ".ipfs-accel/"  # Where layouts of DAGs lie at a place of files.


def kind_of(world: World, source: Place, destination: Place) -> Kind:
    """Say what travels: one model, files where both places keep them or the source does, else whole DAGs."""
    if is_model(world, source, destination):
        return "model"
    if source.cid is not None or world.here in (source.backend, destination.backend):
        return "dag"
    return "file" if isinstance(world.open(source.backend), Files) else "dag"


def listed(world: World, place: Place, kind: Kind, remembered: Mapping[str, tuple[str, bytes, str]]) -> list[Listed]:
    """Return what lies at a place, by name; `remembered` gives (print, sha-256, CID) of what lay under a locator.

    Raises NotFound for a CID that is nowhere, UnsupportedContent for a place that has no list.
    """
    if place.cid is not None:
        if place.backend == world.here and not world.is_whole(place.cid):
            raise NotFound(f"{place.cid} is not whole here, and no backend is known to have it")
        return [_dag(str(place.cid.to_v1()), place.size_bytes or world.size_of(place.cid))]
    if place.backend == world.here:
        return [_dag(str(cid.to_v1()), size_bytes) for cid, size_bytes in world.own_roots()]
    if kind == "dag":
        if place.path and isinstance(world.open(place.backend), Files):
            raise UnsupportedContent(
                f"{place.text} has files, and here are DAGs: a DAG is named by its CID, as in {place.backend}:CID",
                suggestion=f"ipfs-accel store ls --on {place.backend}",
            )
        sizes = {str(one.cid.to_v1()): one.size_bytes for one in world.known_at(place.backend) if one.whole_dag}
        found = {str(cid.to_v1()) for cid in world.roots(place.backend)}
        return [_dag(cid, sizes.get(cid)) for cid in sorted(found)]
    return list(_files(world, place, remembered))


def _files(world: World, place: Place, remembered: Mapping[str, tuple[str, bytes, str]]) -> Iterator[Listed]:
    backend = world.open(place.backend)
    if not isinstance(backend, Files):
        raise UnsupportedContent(f"{place.backend} keeps no files", suggestion="ipfs-accel store backend ls")
    prefix = f"{place.path}/" if place.path else ""
    single = backend.stat(place.path) if place.path else None
    found = iter((single,)) if single is not None else backend.scan(prefix)
    for one in found:
        current().check()
        if one.key.startswith(OURS) and not place.path.startswith(OURS.rstrip("/")):
            continue
        name = one.key.rsplit("/", 1)[-1] if single is not None else one.key.removeprefix(prefix)
        sha256, cid = one.sha256, None if one.cid is None else str(one.cid)
        known = remembered.get(one.locator)
        if known is not None and is_still(known[0], one):
            sha256, cid = sha256 or known[1], cid or known[2]
        yield Listed(name, "file", one.locator, one.size_bytes, sha256, cid, one.etag, one.modified_at)


def takes(world: World, place: Place) -> Kind:
    """Say what a destination takes: files or DAGs; raises UnsupportedContent for one that takes neither."""
    backend = world.open(place.backend)
    if backend.traits.read_only:
        raise UnsupportedContent(f"{place.backend} is only read", suggestion="ipfs-accel store backend ls")
    if isinstance(backend, Files):
        return "file"
    if isinstance(backend, TakesDags):
        return "dag"
    raise UnsupportedContent(
        f"{place.backend} takes no content that is sent to it", suggestion="ipfs-accel store backend ls"
    )


def gives(world: World, place: Place) -> bool:
    """Say whether a source gives its content back."""
    return place.backend == world.here or isinstance(world.open(place.backend), Files | Dags)


def _dag(cid: str, size_bytes: int | None) -> Listed:
    return Listed(cid, "dag", cid, size_bytes, None, cid)
