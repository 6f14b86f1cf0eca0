"""Content that is named by where it lies: `NAME:CID[/PATH]`, or `NAME:PATH` at a place that keeps files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Backend, Files
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.services.store.backends import layout
from ipfs_accel_cli.services.store.backends.fetching import layout_blocks, read_layout
from ipfs_accel_cli.services.store.references import Reference
from ipfs_accel_cli.sources.reference import of_place, place_in

_ANOTHER = re.compile(r",[a-z0-9._-]{2,}:")


@dataclass(frozen=True, slots=True)
class Placed:
    """The backend, the root of the DAG that it knows, and what is meant of that: below it, or of a model its folder."""

    name: str
    root: CID
    reference: Reference


def placed(text: str | CID, open_backend: Callable[[str], Backend]) -> Placed | None:
    """Find what lies at a backend; None for a text that names no place.

    Raises Invalid for a whole backend, NotFound for a path that no DAG of ours lies under.
    """
    found = None if isinstance(text, CID) else place_in(text)
    if found is None:
        return None
    name, path = found[0], of_place(*found).locator.partition(":")[2]
    backend = open_backend(name)
    head, *below = path.split("/")
    try:
        root = CID.parse(head)
    except ContentError:
        return _under(backend, name, path)
    return Placed(name, root, Reference(root, tuple(below)))


def on_one(
    references: Sequence[str | CID], on: str | None, open_backend: Callable[[str], Backend]
) -> tuple[list[str | CID], str | None]:
    """Return whole DAGs by their CIDs, and the one backend that they are at, by their places or by `on`.

    Raises Invalid where these are several, or for a part of a DAG.
    """
    at = [(text, placed(text, open_backend)) for text in references]
    names = {on if place is None else place.name for _, place in at} | ({on} if on else set())
    if len(names) > 1:
        raise Invalid("name content at one place at a time: CID --on NAME, or all of it as NAME:CID")
    for text, place in at:
        if place is not None and place.reference.path:
            raise Invalid(f"{text} is a part of a DAG; name all of it: {place.name}:{place.root}")
    return [text if place is None else place.root for text, place in at], next(iter(names), on)


def _under(backend: Backend, name: str, path: str) -> Placed:
    if not path:
        raise Invalid(f"{name}: is a whole backend; write {name}:CID", suggestion=f"ipfs-accel store ls --on {name}")
    if not isinstance(backend, Files):
        raise Invalid(
            f"{name} keeps content by its CID: write {name}:CID[/PATH]", suggestion=f"ipfs-accel store ls --on {name}"
        )
    matches = list(_matching(backend, name, path))
    if not matches and next(iter(backend.scan(path)), None) is None:
        raise NotFound(f"{name} has nothing under {path}", suggestion=f"ipfs-accel store ls --on {name}")
    if not matches:
        raise NotFound(
            f"nothing that a CID is known of lies under {path} at {name}",
            suggestion=f"ipfs-accel store ls --on {name} {path}",
        )
    if len(matches) > 1:
        roots = ", ".join(f"{name}:{one.root}" for one in matches)
        raise Invalid(f"several DAGs lie under {path} at {name}; write one of {roots}")
    return matches[0]


def _matching(backend: Files, name: str, path: str) -> Iterator[Placed]:
    """Yield the DAGs whose layouts are those of a path or of one above it, and have something there."""
    names = path.split("/")
    above = ["/".join(names[:count]) for count in range(len(names), 0, -1)]
    for found in backend.scan(f"{layout.FOLDER}/"):
        root = layout.root_of(found.key)
        if root is None or found.key not in [layout.key_of(root, one) for one in above]:
            continue
        laid = read_layout(backend, found.key, root)
        if laid.path == path or any(file.key == path or file.key.startswith(f"{path}/") for file in laid.files):
            below = path.removeprefix(laid.path).strip("/")
            folder = _folder_of(backend, found.key, root)
            yield Placed(name, root, Reference(folder, tuple(filter(None, below.split("/")))))


def _folder_of(backend: Files, key: str, root: CID) -> CID:
    """Return what the paths of a DAG begin at: of a model, its folder."""
    if root.codec != DAG_CBOR:
        return root
    block = next((block.data for block in layout_blocks(backend, key) if block.cid == root), b"")
    try:
        return Manifest.decode(block).root
    except ContentError:
        return root


def place_of(text: str) -> tuple[str, str]:
    """Take `NAME:` or `NAME:PATH` apart; raises Invalid, also for several places in one word."""
    name, colon, path = text.partition(":")
    if not colon:
        raise Invalid(f"{text!r} is no place: a backend's name and a colon, as in {text}: or {text}:folder/name")
    if _ANOTHER.search(path):
        raise Invalid(f"{text!r} is several places in one word; give each as a word of its own")
    return name, path.strip("/")
