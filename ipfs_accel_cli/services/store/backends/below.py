"""What a path leads to at a backend, alone: no more travels than the nodes on its way and the DAG at its end."""

from __future__ import annotations

from collections.abc import Callable, Container
from contextlib import suppress
from dataclasses import dataclass, replace

from ipfs_accel_cli.backends.base import Backend, Dags, Files
from ipfs_accel_cli.content import dag, hamt, unixfs
from ipfs_accel_cli.content.blocks import ReadBlock
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_PB, RAW
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.services.store.backends.fetching import Fetching, find_layout, layout_blocks
from ipfs_accel_cli.services.store.backends.layout import LaidFile, Layout
from ipfs_accel_cli.services.store.putting import USER
from ipfs_accel_cli.services.store.reading import no_entry
from ipfs_accel_cli.services.store.references import Reference

_FOLDERS = ("directory", "hamt-shard")


class _Unknown(Exception):
    """A block that is not among those at hand."""


@dataclass(frozen=True, slots=True)
class Below:
    """Brings parts of DAGs into one store."""

    fetching: Fetching

    def bring(self, backend: Backend, root: CID, meant: Reference, *, only_file: bool = False) -> None:
        """Bring what is meant and keep that; the nodes on its way come with it, and stay until the next gc.

        All of the root comes where there is no path, and where what is at the place does not tell the part. Raises
        NotFound, Invalid for a directory with `only_file`, and VerificationFailed.
        """
        if self.fetching.is_whole(root):
            self.fetching.keep(root, backend.name)
            return
        with suppress(_Unknown):
            end = _follow(meant, self._here, backend.name)
            if self.fetching.is_whole(end):
                self.fetching.keep(end, backend.name)
                return
        came = False
        if isinstance(backend, Dags):
            came = self._dag(backend, backend.name, meant, only_file=only_file)
        elif isinstance(backend, Files):
            came = self._files(backend, backend.name, root, meant, only_file=only_file)
        if not came:
            self.fetching.fetch(backend, root)

    def _dag(self, backend: Dags, name: str, meant: Reference, *, only_file: bool) -> bool:
        """Say whether the part came; False where all of the DAG is meant."""
        way: dict[CID, bytes] = {}

        def read(cid: CID) -> bytes:
            if cid not in way:
                with suppress(_Unknown):
                    way[cid] = self._here(cid)
                    return way[cid]
                way[cid] = _single(backend, name, cid)
            return way[cid]

        end = _follow(meant, read, name)
        if only_file:
            _refuse_folder(meant, end, read)
        if end == meant.cid:
            return False
        blocks = [Block(cid, data) for cid, data in way.items() if cid != end]
        self.fetching.dag(backend, name, end, (USER, name), blocks)
        return True

    def _files(self, backend: Files, name: str, root: CID, meant: Reference, *, only_file: bool) -> bool:
        """Say whether the part came; False where only the whole DAG tells it."""
        key, laid = find_layout(backend, name, root)
        files, known = {file.cid.to_v1(): file for file in laid.files}, dict[CID, bytes]()
        if not meant.path and not only_file:
            return False
        for block in layout_blocks(backend, key):
            # Blocks of files that are not whole there lie beside them, too: those are read when they are fetched.
            if block.cid.codec == DAG_PB:
                known[block.cid.to_v1()] = block.data

        def read(cid: CID) -> bytes:
            data = known.get(cid.to_v1())
            return self._here(cid) if data is None else data

        try:
            end = _follow(meant, read, name, files)
            if only_file and end.to_v1() not in files:
                _refuse_folder(meant, end, read)
            part = _part(laid, _below(end, files, read))
        except _Unknown:
            return False
        if end in (root, meant.cid):
            return False
        self.fetching.files(backend, name, (key, part), end, (USER, name))
        return True

    def _here(self, cid: CID) -> bytes:
        with suppress(VerificationFailed):
            data = self.fetching.reader.blocks.find(cid)
            if data is not None:
                return data
        raise _Unknown


def _follow(meant: Reference, read: ReadBlock, name: str, files: Container[CID] = ()) -> CID:
    """Follow names through directories as far as there are any: what is encrypted or a document is taken whole.

    `files` are known to be files, and not read for that.
    """
    cid, walked = meant.cid, str(meant.cid)
    for step in meant.path:
        kind = "file" if cid.to_v1() in files else _kind(cid, read)
        if kind == "":
            return cid
        if kind not in _FOLDERS:
            raise NotFound(f"{walked} is a {kind}: it has no entry {step!r}")
        link = hamt.child(cid, step, read)
        if link is None:
            names = (one for one, _ in hamt.entries(cid, read))
            raise no_entry(walked, step, names, f"ipfs-accel store ls --on {name}")
        cid, walked = link.cid, f"{walked}/{step}"
    return cid


def _kind(cid: CID, read: ReadBlock) -> str:
    if cid.codec == RAW:
        return "file"
    if cid.codec != DAG_PB:
        return ""
    try:
        return unixfs.read(read(cid)).kind
    except ContentError:
        return ""


def _refuse_folder(meant: Reference, end: CID, read: ReadBlock) -> None:
    if _kind(end, read) in _FOLDERS:
        raise Invalid(f"{meant} is a directory, not a file")


def _single(backend: Dags, name: str, cid: CID) -> bytes:
    for block in backend.get_dag(cid, scope="block"):
        if block.cid.to_v1() == cid.to_v1():
            return block.data
    raise NotFound(f"{name} does not have {cid}", suggestion=f"ipfs-accel store ls --on {name}")


def _below(end: CID, files: dict[CID, LaidFile], read: Callable[[CID], bytes]) -> set[CID]:
    """Return which of the files of a layout a node reaches."""
    waiting, found = [end], set[CID]()
    while waiting:
        cid = waiting.pop().to_v1()
        if cid in found:
            continue
        found.add(cid)
        if cid not in files and cid.codec != RAW:
            waiting += dag.links(cid, read(cid))
        elif cid not in files:
            raise _Unknown
    return found & set(files)


def _part(laid: Layout, cids: set[CID]) -> Layout:
    return replace(laid, files=tuple(file for file in laid.files if file.cid.to_v1() in cids))
