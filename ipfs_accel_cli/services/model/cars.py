"""Models out of CAR files: read into plain files, so that they pass the same checks as those of any other source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ipfs_accel_cli.content import dagpb, unixfs
from ipfs_accel_cli.content.car import read_blocks, read_header
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB, RAW
from ipfs_accel_cli.content.errors import ContentError, Malformed, Mismatch
from ipfs_accel_cli.content.manifest import FileEntry, Manifest, Statement
from ipfs_accel_cli.content.profiles import profile as find_profile
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, UnsafeContent, VerificationFailed
from ipfs_accel_cli.services.model.download import check_space

# One block may stand for many stretches of equal bytes, but a model that expands further was made to fill a disk.
MAX_GROWTH = 20
ALLOWANCE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The model of a CAR file: its manifest, what is said about it, and where its files lie now."""

    manifest: Manifest
    statements: list[Statement]
    paths: dict[str, Path]


def unpack(car: Path, folder: Path) -> Unpacked:
    """Write the files of the model whose manifest is a root of a CAR file under `folder`.

    Raises Invalid for a CAR without exactly one manifest among its roots, MalformedContent for one that is damaged or
    lacks a block, VerificationFailed for a wrong hash, UnsafeContent for one that expands beyond reason.
    """
    try:
        with car.open("rb") as stream:
            blocks = _Blocks(stream, car)
            manifest, statements = _roots(car, blocks)
            _check_growth(car, manifest, folder)
            paths: dict[str, Path] = {}
            for entry in manifest.files:
                paths[entry.path] = folder / entry.path
                _write(blocks, manifest, entry, paths[entry.path])
            return Unpacked(manifest, statements, paths)
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
        self.roots = read_header(stream).roots
        for block in read_blocks(stream):
            end = stream.tell()
            self._places[block.cid.to_v1()] = (end - len(block.data), len(block.data))
            current().progress(end, size_bytes, f"Checking {car.name}")

    def read(self, cid: CID) -> bytes:
        """Return a block; raises Malformed when the CAR lacks it."""
        place = self._places.get(cid.to_v1())
        if place is None:
            raise Malformed(f"it lacks the block {cid}")
        offset, length = place
        self._stream.seek(offset)
        return self._stream.read(length)


def _roots(car: Path, blocks: _Blocks) -> tuple[Manifest, list[Statement]]:
    manifests: list[Manifest] = []
    statements: list[Statement] = []
    for root in blocks.roots:
        data = blocks.read(root) if root.codec == DAG_CBOR else b""
        try:
            manifests.append(Manifest.decode(data))
        except Malformed:
            statements.extend(_statement(data))
    if len(manifests) != 1:
        raise Invalid(
            f"{car.name} holds {len(manifests)} manifests among its roots, a model's CAR file holds one",
            suggestion=f"ipfs-accel store import {car}",
        )
    subject = manifests[0].cid
    return manifests[0], [statement for statement in statements if statement.subject == subject]


def _statement(data: bytes) -> Iterator[Statement]:
    try:
        yield Statement.decode(data)
    except Malformed:
        return


def _check_growth(car: Path, manifest: Manifest, folder: Path) -> None:
    limit_bytes = ALLOWANCE_BYTES + MAX_GROWTH * car.stat().st_size
    if manifest.size_bytes > limit_bytes:
        raise UnsafeContent(f"{car.name} would expand to {manifest.size_bytes} bytes, more than {limit_bytes}")
    check_space(folder, manifest.size_bytes)


def _write(blocks: _Blocks, manifest: Manifest, entry: FileEntry, path: Path) -> None:
    # A file built as the profile says has at most one inner node for each leaf.
    leaves = entry.size_bytes // find_profile(manifest.profile).chunk_bytes + 1
    written_bytes = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for content in _contents(blocks, entry.cid, 2 * leaves + 1):
            written_bytes += len(content)
            if written_bytes > entry.size_bytes:
                break
            file.write(content)
            current().progress(written_bytes, entry.size_bytes, f"Unpacking {entry.path}")
    if written_bytes != entry.size_bytes:
        raise Malformed(f"{entry.path} has not the {entry.size_bytes} bytes that the manifest states")


def _contents(blocks: _Blocks, root: CID, max_blocks: int) -> Iterator[bytes]:
    """Yield the bytes of a UnixFS file, leaf by leaf."""
    waiting = [root]
    for _ in range(max_blocks):
        if not waiting:
            return
        cid = waiting.pop()
        data = blocks.read(cid)
        if cid.codec == RAW:
            yield data
            continue
        if cid.codec != DAG_PB:
            raise Malformed(f"{cid} is no part of a file")
        node = dagpb.decode(data)
        message = unixfs.decode(node.data or b"")
        if message.kind not in ("file", "raw"):
            raise Malformed(f"{cid} is a {message.kind}, not a file")
        yield message.data or b""
        waiting.extend(link.cid for link in reversed(node.links))
    if waiting:
        raise Malformed(f"{root} has more blocks than a file of its size")
