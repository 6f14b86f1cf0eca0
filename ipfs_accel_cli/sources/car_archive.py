"""Models out of CAR files: read into plain files, so that they pass the same checks as those of any other source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ipfs_accel_cli.content import files, hamt, unixfs
from ipfs_accel_cli.content.car import open_reader
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB, RAW
from ipfs_accel_cli.content.errors import ContentError, Malformed, Mismatch
from ipfs_accel_cli.content.manifest import Manifest, Statement, normalise_path
from ipfs_accel_cli.content.passport import check_count
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, NotFound, UnsafeContent, VerificationFailed
from ipfs_accel_cli.core.space import check_space
from ipfs_accel_cli.sources.base import Writer, plainly
from ipfs_accel_cli.sources.reference import Reference

# One block may stand for many stretches of equal bytes, but a model that expands further was made to fill a disk.
MAX_GROWTH = 20
ALLOWANCE_BYTES = 64 << 20
MAX_FILES = 100_000
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The model of a CAR file: where its files lie now, the manifest they must give, and what is said about it.

    A CAR that other tools wrote has no manifest; its files then are those of its root.
    """

    paths: dict[str, Path]
    manifest: Manifest | None = None
    statements: tuple[Statement, ...] = ()


def unpack(car: Path, folder: Path, reference: Reference, write: Writer = plainly) -> Unpacked:
    """Write the files of the model in a CAR file, version 1 or 2, under `folder`.

    The model is the one whose manifest is a root; else the file or directory that is a root. Of several, the fragment
    of the reference names one. Raises Invalid where it does not, NotFound for a root that is not there,
    MalformedContent for a CAR that is damaged or lacks a block, VerificationFailed for a wrong hash, UnsafeContent for
    one that expands beyond reason.
    """
    try:
        with car.open("rb") as stream:
            blocks = _Blocks(stream, car)
            manifests, statements = _roots(blocks)
            root = _chosen(car, blocks.roots, [manifest.cid for manifest in manifests], reference)
            manifest = next((one for one in manifests if one.cid == root), None)
            if manifest is None:
                return Unpacked(_unpack_plain(car, blocks, root, folder, write))
            _check_growth(car, manifest.size_bytes, folder)
            paths = {entry.path: folder / entry.path for entry in manifest.files}
            for entry in manifest.files:
                _write(blocks, entry.cid, entry.path, entry.size_bytes, paths[entry.path], write)
            own = tuple(statement for statement in statements if statement.subject == manifest.cid)
            check_count(own)
            return Unpacked(paths, manifest, own)
    except Mismatch as error:
        raise VerificationFailed(f"{car.name}: {error}") from error
    except ContentError as error:
        raise MalformedContent(f"{car.name}: {error}") from error


class _Blocks:
    """Where each block of a CAR file lies; every one is hashed while they are counted."""

    def __init__(self, stream: BinaryIO, car: Path) -> None:
        self._stream = stream
        self._places: dict[CID, tuple[int, int]] = {}
        size_bytes = car.stat().st_size
        reader = open_reader(stream)
        self.roots = reader.roots
        for block in reader.blocks:
            end = stream.tell()
            self._places[block.cid.to_v1()] = (end - len(block.data), len(block.data))
            current().progress(end, size_bytes, f"Checking {car.name}", unit="bytes")

    def read(self, cid: CID) -> bytes:
        """Return a block; raises Malformed when the CAR lacks it."""
        place = self._places.get(cid.to_v1())
        if place is None:
            raise Malformed(f"it lacks the block {cid}")
        offset, length = place
        self._stream.seek(offset)
        return self._stream.read(length)


def _roots(blocks: _Blocks) -> tuple[list[Manifest], list[Statement]]:
    manifests: list[Manifest] = []
    statements: list[Statement] = []
    for root in dict.fromkeys(blocks.roots):
        data = blocks.read(root) if root.codec == DAG_CBOR else b""
        try:
            manifests.append(Manifest.decode(data))
        except Malformed:
            statements.extend(_statement(data))
    return manifests, statements


def _statement(data: bytes) -> Iterator[Statement]:
    try:
        yield Statement.decode(data)
    except Malformed:
        return


def _chosen(car: Path, roots: Sequence[CID], manifests: Sequence[CID], reference: Reference) -> CID:
    """Return the root that is the model, or that the reference names; what is said of models is never one."""
    plain = [root for root in dict.fromkeys(roots) if root.codec in (DAG_PB, RAW)]
    wanted = reference.subfolder
    if wanted is None:
        found = list(manifests) or plain
    else:
        found = [root for root in (*manifests, *plain) if wanted in (str(root), str(root.to_v1()))]
    if len(found) == 1:
        return found[0]
    if wanted is None and not found:
        raise NotFound(f"{car.name} holds no model: none of its roots is a manifest, a file or a folder")
    choices = [str(replace(reference, subfolder=str(root))) for root in (*manifests, *plain)]
    shown = ", ".join(choices[:_SHOWN]) + (f" and {len(choices) - _SHOWN} more" if len(choices) > _SHOWN else "")
    if wanted is not None:
        raise NotFound(f"{car.name} has no model at the root {wanted}; there are: {shown or 'none'}", choices=choices)
    raise Invalid(
        f"{car.name} holds {len(found)} models; name one: {shown}",
        suggestion=f"ipfs-accel model pull '{choices[0]}'",
        choices=choices,
    )


def _unpack_plain(car: Path, blocks: _Blocks, root: CID, folder: Path, write: Writer) -> dict[str, Path]:
    """Write the file or the directory that a root is; a file gets the name of the CAR."""
    found = list(_files(blocks, root, car.name.removesuffix(".car")))
    sizes = [files.size_bytes(cid, blocks.read) for _, cid in found]
    _check_growth(car, sum(sizes), folder)
    paths: dict[str, Path] = {}
    for (name, cid), size_bytes in zip(found, sizes, strict=True):
        try:
            path = normalise_path(name)
        except ValueError as error:
            raise UnsafeContent(f"{car.name} holds a file that would leave its folder: {error}") from error
        if path in paths or any(str(parent) in paths for parent in PurePosixPath(path).parents):
            raise MalformedContent(f"{car.name} holds {path!r} twice, or as a file and a folder")
        paths[path] = folder / path
        _write(blocks, cid, path, size_bytes, paths[path], write)
    return paths


def _files(blocks: _Blocks, root: CID, name: str) -> Iterator[tuple[str, CID]]:
    waiting = [("", root)]
    for _ in range(MAX_FILES):
        if not waiting:
            return
        path, cid = waiting.pop()
        entry = unixfs.read(blocks.read(cid)) if cid.codec == DAG_PB else None
        if entry is None or entry.kind in ("file", "raw"):
            yield path or name, cid
        elif entry.kind in ("directory", "hamt-shard"):
            inside = [(f"{path}/{name}" if path else name, link.cid) for name, link in hamt.entries(cid, blocks.read)]
            waiting.extend(reversed(inside))
        else:
            raise UnsafeContent(f"{path or cid} is a {entry.kind}, not a file")
    raise UnsafeContent(f"the CAR holds more than {MAX_FILES} files and folders")


def _check_growth(car: Path, size_bytes: int, folder: Path) -> None:
    limit_bytes = ALLOWANCE_BYTES + MAX_GROWTH * car.stat().st_size
    if size_bytes > limit_bytes:
        raise UnsafeContent(f"{car.name} would expand to {size_bytes} bytes, more than {limit_bytes}")
    check_space(folder, size_bytes)


def _write(blocks: _Blocks, cid: CID, name: str, size_bytes: int, path: Path, write: Writer) -> None:
    written_bytes = 0

    def contents() -> Iterator[bytes]:
        nonlocal written_bytes
        for content in files.read(cid, blocks.read):
            written_bytes += len(content)
            if written_bytes > size_bytes:
                return
            yield content
            current().progress(written_bytes, size_bytes, f"Unpacking {name}", unit="bytes")

    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, contents())
    if written_bytes != size_bytes:
        raise Malformed(f"{name} has not the {size_bytes} bytes that are stated")
