"""How places are written: `NAME:path`, `here:`, a CID, or a model's name."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import AccelError, Invalid
from ipfs_accel_cli.services.migrate.model import Place
from ipfs_accel_cli.services.migrate.world import World


def source_of(world: World, text: str) -> Place:
    """Read where content comes from; raises Invalid, and NotFound for a backend or a model that is not known."""
    bare = text.removeprefix("ipfs://").removeprefix("/ipfs/")
    if (cid := _cid(bare)) is not None:
        return Place(text, _lies(world, cid), "", cid)
    name, colon, path = text.partition(":")
    if colon and not path.startswith("//") and name in (world.here, *world.names()):
        if name != world.here and (cid := _cid(path.strip("/"))) is not None:
            return Place(text, name, "", cid)
        return _placed(world, text, name, path)
    try:
        cid, size_bytes = world.model(text)
    except AccelError as error:
        if path.startswith("//"):
            raise Invalid(
                f"{text!r} is no place: what is to be migrated is a backend, and a model is pulled",
                suggestion=f"ipfs-accel model pull {text}",
            ) from error
        if colon:
            world.open(name)  # What is wrong with it says more.
        raise _no_place(text, "NAME:path with a backend's name, here:, a CID, or a model's name") from error
    return Place(text, world.here, "", cid, text, size_bytes)


def destination_of(world: World, text: str) -> Place:
    """Read where content goes to: `NAME:path`, `here:`, or `here:MODEL` for one model under that name."""
    name, colon, path = text.partition(":")
    if not colon:
        raise _no_place(text, f"a backend's name and a colon, as in {text}: or {text}:folder")
    if name == world.here and path:
        return Place(text, name, model=path)
    return _placed(world, text, name, path)


def apart(source: Place, destination: Place) -> None:
    """Raise Invalid where content would be brought to where it is, or into itself."""
    if source.cid is not None or source.backend != destination.backend:
        return
    one, other = f"{source.path}/".lstrip("/"), f"{destination.path}/".lstrip("/")
    if one.startswith(other) or other.startswith(one):
        raise Invalid(f"{source.text} and {destination.text} overlap")


def _no_place(text: str, wanted: str) -> Invalid:
    if "/" not in text and not text.startswith((".", "~")):
        return Invalid(f"{text!r} is no place: {wanted}", suggestion="ipfs-accel store backend ls")
    folder = Path(text).expanduser().absolute()
    name = re.sub(r"[^a-z0-9._-]+", "-", folder.name.lower()).strip(".-_") or "folder"
    return Invalid(
        f"{text!r} is no place yet; a folder becomes one by a name",
        suggestion=f"ipfs-accel store backend add {name} local --path {shlex.quote(str(folder))}",
    )


def _placed(world: World, text: str, name: str, path: str) -> Place:
    path = path.strip("/")
    if name == world.here:
        if path:
            raise Invalid("here: takes no path: content is here by its CID")
    else:
        world.open(name)
    if any(part in ("", ".", "..") for part in path.split("/")) and path:
        raise Invalid(f"{path!r} is no path of names")
    return Place(text, name, path)


def _lies(world: World, cid: CID) -> str:
    """Return where a DAG is: here if all of it is, else where it was proven last."""
    if world.is_whole(cid):
        return world.here
    known = [one.backend for one in world.copies_of(cid) if one.whole_dag]
    return known[0] if known else world.here


def _cid(text: str) -> CID | None:
    try:
        return CID.parse(text)
    except (ContentError, ValueError):
        return None
