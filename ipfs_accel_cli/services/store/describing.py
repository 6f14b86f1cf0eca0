"""Describing content: what is kept, what a directory holds, what a CID is."""

from __future__ import annotations

import sqlite3

from ipfs_accel_cli.content import multibase
from ipfs_accel_cli.content.cid import CID, RAW, codec_name
from ipfs_accel_cli.content.dagpb import Link
from ipfs_accel_cli.content.errors import Unsupported
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.services.store.reading import Named, Reader
from ipfs_accel_cli.services.store.references import parse_cid
from ipfs_accel_cli.services.store.results import Entry, Inspection, Listing, Stat
from ipfs_accel_cli.services.store.walking import Frontier, walk

_BASES = {prefix: base for base, prefix in multibase.PREFIXES.items()}


def list_roots(reader: Reader) -> Listing:
    """List what is kept, oldest first."""
    return Listing(entries=[_root(reader, row) for row in reader.index.roots()])


def list_entries(reader: Reader, cid: CID, name: str) -> Listing:
    """List the entries of a directory in its own order, or the one entry that a file is."""
    named = reader.look(cid)
    if named.kind == "directory":
        return Listing(entries=[_entry(reader, entry, link) for entry, link in reader.entries(cid)])
    return Listing(entries=[Entry(cid=str(cid), name=name, kind=named.kind, size_bytes=named.size_bytes)])


def stat(reader: Reader, cid: CID) -> Stat:
    """Describe a CID and count the blocks of its DAG."""
    named = reader.look(cid)
    here, absent = _count(reader, cid)
    return Stat(
        cid=str(cid),
        kind=named.kind,
        codec=codec_name(cid.codec),
        size_bytes=_content_bytes(reader, named, {}),
        total_bytes=named.total_bytes,
        blocks=here,
        missing_blocks=absent,
        whole_file=named.file is not None,
        profile=named.file.profile if named.file else None,
        sha256=named.file.object.sha256.hex() if named.file else None,
        kept_by=[f"{row['owner']}:{row['label']}" for row in reader.index.roots(cid)],
    )


def inspect(text: str) -> Inspection:
    """Take a CID apart; raises Invalid. The content need not be here."""
    cid = parse_cid(text)
    try:
        older = str(cid.to_v0())
    except Unsupported:
        older = None
    return Inspection(
        cid=str(cid),
        version=cid.version,
        base="base58btc" if cid.version == 0 else _BASES[text[0]],
        codec=codec_name(cid.codec),
        hash=cid.multihash.name,
        digest=cid.multihash.digest.hex(),
        digest_bytes=len(cid.multihash.digest),
        v0=older,
        v1=str(cid.to_v1()),
    )


def _root(reader: Reader, row: sqlite3.Row) -> Entry:
    cid = CID.parse(row["cid"])
    found = _look(reader, cid)
    return Entry(
        cid=str(cid),
        name=row["label"],
        kind="encrypted" if found is not None and found.kind == "encrypted" else row["kind"],
        size_bytes=None if found is None else _shown_bytes(found),
        owner=row["owner"],
        added_at=row["added_at"],
    )


def _entry(reader: Reader, name: str, link: Link) -> Entry:
    named = _look(reader, link.cid)
    if named is None:
        return Entry(cid=str(link.cid), name=name, kind="missing", size_bytes=None)
    kind = "file" if link.cid.codec == RAW else named.kind
    return Entry(cid=str(link.cid), name=name, kind=kind, size_bytes=_shown_bytes(named))


def _shown_bytes(named: Named) -> int:
    return named.total_bytes if named.kind == "directory" else named.size_bytes


def _look(reader: Reader, cid: CID) -> Named | None:
    try:
        return reader.look(cid)
    except NotFound:
        return None


def _content_bytes(reader: Reader, named: Named, known: dict[CID, int]) -> int:
    """Add up the files below a directory, each directory once; what is not here counts as its link states."""
    if named.kind != "directory":
        return named.size_bytes
    total = 0
    for _, link in reader.entries(named.cid):
        if link.cid not in known:
            current().check()
            below = _look(reader, link.cid)
            known[link.cid] = link.size_bytes if below is None else _content_bytes(reader, below, known)
        total += known[link.cid]
    return total


def _count(reader: Reader, root: CID) -> tuple[int, int]:
    here = absent = 0
    with Frontier() as frontier:
        for visit in walk(reader.index, reader.blocks, [root], frontier):
            if visit.kind == "missing":
                absent += 1
            else:
                here += 1
    return here, absent
