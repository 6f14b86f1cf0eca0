"""Content between the store and the backends: copied there, fetched from there, looked at and removed there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.backends import base
from ipfs_accel_cli.backends.base import Backend, Dags, Files, Pins, TakesDags
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotAuthorised, NotFound, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store.backends import layout
from ipfs_accel_cli.services.store.backends.below import Below
from ipfs_accel_cli.services.store.backends.copies import Copies, Known
from ipfs_accel_cli.services.store.backends.fetching import Fetching, Keeper, find_layout, layout_keys, read_layout
from ipfs_accel_cli.services.store.backends.placed import Placed, on_one, place_of, placed
from ipfs_accel_cli.services.store.backends.ranges import part
from ipfs_accel_cli.services.store.backends.results import Copied, Copy, Fetched
from ipfs_accel_cli.services.store.backends.sending import Sending
from ipfs_accel_cli.services.store.backends.waiting import settled
from ipfs_accel_cli.services.store.dag_results import Pin
from ipfs_accel_cli.services.store.references import Reference, parse, parse_cid
from ipfs_accel_cli.services.store.results import Entry, Verification
from ipfs_accel_cli.services.store.roots import RECURSIVE

Open = Callable[[str], Backend]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What goes on between one store and the backends that `open` finds by name."""

    home: Home
    open: Open
    fetching: Fetching
    copies: Copies

    def copy(self, reference: str | CID, to: Sequence[str], on: str | None = None) -> Iterator[Copied]:
        """Send what a reference names to places, `NAME:` or `NAME:PATH`; fetched from `on` first where it is not here.

        Raises NotFound, Invalid for what is no place, Conflict where other bytes lie there, VerificationFailed.
        """
        places = [place_of(text) for text in to]
        backends = [(self.open(name), path) for name, path in places]
        meant = self.brought(reference, on)
        root = self.fetching.reader.resolve(meant if isinstance(meant, Reference) else parse(meant))
        scratch = self.home.ensure("staging")
        for backend, path in backends:
            yield Sending(self.fetching.reader, self.copies, backend, root, path).run(scratch)

    def sent_to(self, cid: str, to: Sequence[str]) -> list[Copied]:
        """Send a DAG to places and say what became of it; raises as `copy`."""
        return list(self.copy(cid, to)) if to else []

    def fetch(self, reference: str | CID, on: str | None = None, keeper: Keeper | None = None) -> Fetched:
        """Bring the whole DAG of a reference's root from a backend into the store, and keep it.

        Raises Invalid where neither the reference nor `on` names one.
        """
        place = self.placed(reference, on)
        if place is not None:
            return self.fetching.fetch(self.open(place.name), place.root, keeper)
        if on is None:
            raise Invalid(f"say from where: {reference} --on NAME", suggestion="ipfs-accel store backend ls")
        return self.fetching.fetch(self.open(on), parse(reference).cid, keeper)

    def placed(self, reference: str | CID, on: str | None = None) -> Placed | None:
        """Find what a reference to a backend means; None for another. Raises Invalid where `on` names one as well."""
        place = placed(reference, self.open)
        if place is not None and on is not None:
            raise Invalid(f"{reference} names its backend already: leave --on out")
        return place

    def meant(self, reference: str | CID) -> Reference | None:
        """Return what a reference to a backend names, by its CID; None for another. Nothing is fetched."""
        place = self.placed(reference)
        return None if place is None else place.reference

    def brought(self, reference: str | CID, on: str | None = None) -> str | CID | Reference:
        """Fetch what a reference or `on` says is at a backend, no more of a DAG, and return what it is called here."""
        place = self.placed(reference, on)
        name = on if place is None else place.name
        if name is not None:
            _refuse_readers()
            meant = parse(reference) if place is None else place.reference
            Below(self.fetching).bring(self.open(name), meant.cid if place is None else place.root, meant)
        return reference if place is None else place.reference

    def cat(self, reference: str | CID, on: str | None, offset: int = 0, length: int | None = None) -> Blob:
        """Return bytes of a file, from here or from a backend; of what is not here yet, a range travels alone.

        Raises as `fetch`, and as `Reader.content`.
        """
        reader, place = self.fetching.reader, self.placed(reference, on)
        name = on if place is None else place.name
        if name is None:
            return reader.content(reader.find(reference), offset, length)
        _refuse_readers()
        meant = parse(reference) if place is None else place.reference
        root = meant.cid if place is None else place.root
        if (offset or length is not None) and not self.fetching.is_whole(root):
            found = part(self.open(name), root, meant, offset, length)
            if found is not None:
                return found
        Below(self.fetching).bring(self.open(name), root, meant, only_file=True)
        return reader.content(reader.resolve(meant), offset, length)

    def on_one(self, references: Sequence[str | CID], on: str | None) -> tuple[list[str | CID], str | None]:
        """Return whole DAGs and the backend that they are named at, None for here; raises Invalid."""
        return on_one(references, on, self.open)

    def roots(self, on: str) -> Iterator[CID]:
        """Yield the root of every DAG at a backend, from one listing; one may come more than once."""
        backend = self.open(on)
        if isinstance(backend, TakesDags):
            yield from backend.dags()
        elif isinstance(backend, Files):
            for found in backend.scan(f"{layout.FOLDER}/"):
                root = layout.root_of(found.key)
                if root is not None:
                    yield root
        else:
            raise UnsupportedContent(
                f"{on} has no list of what it keeps", suggestion=f"ipfs-accel store backend show {on}"
            )

    def known(self, cid: CID) -> list[Copy]:
        """Return the copies of some content that are known."""
        return [
            Copy(
                backend=one.backend,
                locator=one.locator,
                size_bytes=one.size_bytes,
                verified_at=one.verified_at,
                how=one.how,
            )
            for one in self.copies.of(cid)
        ]

    def ls(self, on: str, prefix: str = "") -> Iterator[Entry]:
        """Yield the files at a backend, or the roots of its DAGs; raises NotFound where none has the prefix."""
        found = False
        for entry in self._listed(on, prefix):
            found = True
            yield entry
        if prefix and not found:
            raise NotFound(f"{on} has nothing under {prefix}", suggestion=f"ipfs-accel store ls --on {on}")

    def _listed(self, on: str, prefix: str) -> Iterator[Entry]:
        backend = self.open(on)
        if isinstance(backend, Files):
            for found in backend.scan(prefix):
                known = self.copies.at(on, found.locator)
                cid = found.cid or (known.cid if known is not None and not known.whole_dag else None)
                modified = None if found.modified_at is None else found.modified_at.isoformat(timespec="seconds")
                yield Entry(
                    cid="" if cid is None else str(cid),
                    name=found.key,
                    kind="file",
                    size_bytes=found.size_bytes,
                    added_at=modified,
                )
            return
        for root in self.roots(on):
            if str(root).startswith(prefix):
                known = next(iter(self.copies.of(root, on)), None)
                size_bytes = None if known is None else known.size_bytes
                yield Entry(cid=str(root), name="", kind="dag", size_bytes=size_bytes)

    def verify(self, references: Sequence[str | CID], on: str) -> Verification:
        """Read DAGs back from a backend and check every byte; nothing of them is kept here.

        Raises NotFound, and VerificationFailed naming the file or block that is damaged there.
        """
        _refuse_readers()
        backend, objects, blocks, size_bytes = self.open(on), 0, 0, 0
        for reference in references:
            root = parse(reference).cid
            if isinstance(backend, Dags):
                seen = 0
                for block in backend.get_dag(root):
                    seen, blocks = seen + len(block.data), blocks + 1
                size_bytes += seen
                self.copies.note([Known(root, on, str(root), True, seen, None, "reread")])
            elif isinstance(backend, Files):
                count, read = self._reread(backend, on, root)
                objects, size_bytes = objects + count, size_bytes + read
            else:
                raise UnsupportedContent(f"{on} gives no content back", suggestion=f"ipfs-accel store pin ls --on {on}")
        return Verification(objects=objects, blocks=blocks, size_bytes=size_bytes)

    def remove(self, reference: str | CID, on: str) -> list[str]:
        """Remove a DAG at a backend and return the locators that are gone; files that other DAGs there name stay."""
        backend, root = self.open(on), parse(reference).cid
        if isinstance(backend, TakesDags):
            backend.remove_dag(root)
            gone = [str(root)]
        elif isinstance(backend, Files):
            gone = self._remove_files(backend, on, root)
        else:
            raise UnsupportedContent(f"{on} keeps no content of ours", suggestion=f"ipfs-accel store pin ls --on {on}")
        self.copies.forget(on, gone)
        return gone

    def pin(self, references: Sequence[str | CID], on: str, name: str, *, wait: bool = False) -> list[Pin]:
        """Ask a place to keep DAGs that it fetches itself; with `wait` return when it has, as `waiting.settled`."""
        pins = self._pins(on)
        asked = [pins.pin(parse(reference).cid, name) for reference in references]
        return [_shown(pin) for pin in (settled(pins, on, asked) if wait else asked)]

    def pinned(self, on: str, name: str | None = None, status: str | None = None) -> list[Pin]:
        """Return the pins at a place."""
        return [_shown(pin) for pin in self._pins(on).pins(name=name, status=status)]

    def unpin(self, cids: Sequence[str], on: str) -> list[Pin]:
        """Take the pins of some CIDs off at a place; raises NotFound for one that is not pinned there."""
        pins = self._pins(on)
        gone: list[Pin] = []
        for text in cids:
            cid = parse_cid(text)
            found = list(pins.pins(cid))
            if not found:
                raise NotFound(f"{cid} is not pinned at {on}", suggestion=f"ipfs-accel store pin ls --on {on}")
            pins.unpin(cid)
            gone += map(_shown, found)
        return gone

    def _pins(self, on: str) -> Pins:
        backend = self.open(on)
        if not isinstance(backend, Pins):
            raise UnsupportedContent(f"{on} has no pins", suggestion=f"ipfs-accel store backend show {on}")
        return backend

    def _reread(self, backend: Files, on: str, root: CID) -> tuple[int, int]:
        key, laid = find_layout(backend, on, root)
        damaged = []
        for file in laid.files:
            hashed, size_bytes = hashlib.sha256(), 0
            try:
                for piece in backend.open(file.key):
                    size_bytes += len(piece)
                    current().progress(size_bytes, file.size_bytes, f"Reading {on}:{file.key}", unit="bytes")
                    hashed.update(piece)
            except NotFound:
                damaged.append({"pointer": f"{on}:{file.key}", "detail": f"{file.cid} is missing there"})
                continue
            if hashed.digest() != file.sha256:
                damaged.append({"pointer": f"{on}:{file.key}", "detail": f"it is not {file.cid}"})
            else:
                self.copies.note([Known(file.cid, on, file.key, False, size_bytes, file.sha256, "reread")])
        if damaged:
            self.copies.forget(on, [key, *(one["pointer"].removeprefix(f"{on}:") for one in damaged)])
            raise VerificationFailed(
                f"{len(damaged)} of the {len(laid.files)} files of {root} at {on} are not what they should be",
                errors=damaged,
                suggestion=f"ipfs-accel store scrub --on {on} --repair",
            )
        self.copies.note([Known(root, on, key, True, laid.size_bytes, None, "reread")])
        return len(laid.files), laid.size_bytes

    def _remove_files(self, backend: Files, on: str, root: CID) -> list[str]:
        own = layout_keys(backend, root)
        if not own:
            raise NotFound(f"{on} does not have {root}", suggestion=f"ipfs-accel store ls --on {on}")
        laid = [read_layout(backend, key, root) for key in own]
        mine = {file.key for one in laid for file in one.files}
        for found in backend.scan(f"{layout.FOLDER}/"):
            other = layout.root_of(found.key)
            if found.key not in own and other is not None:
                try:
                    mine -= {file.key for file in read_layout(backend, found.key, other).files}
                except ContentError:
                    continue
        # The layout goes first: what has none is not whole.
        gone = [*own, *sorted(mine)]
        for key in [*own, *map(layout.nodes_key, own), *sorted(mine), *layout.passports(laid)]:
            backend.delete(key)
        return gone


def _refuse_readers() -> None:
    if not current().principal.may("store:write"):
        raise NotAuthorised("to read from a backend costs its owner, and you may only read what is here")


def _shown(pin: base.Pin) -> Pin:
    return Pin(
        cid=str(pin.cid),
        type=RECURSIVE,
        name=pin.name,
        added_at=None if pin.created_at is None else pin.created_at.isoformat(timespec="seconds"),
        status=pin.status,
        detail=pin.detail,
    )
