"""The seeds of what is made of several blocks: archives, directories, manifests and whole DAGs."""

from __future__ import annotations

import io
from dataclasses import replace

from ipfs_accel_cli.content import builder, car, dagcbor, dagjson, dagpb, hamt, hashing, unixfs, varint
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB
from ipfs_accel_cli.content.dagpb import Link, Node
from ipfs_accel_cli.content.manifest import FileEntry, Manifest, Statement
from ipfs_accel_cli.content.unixfs import Unixfs
from tests.fuzz.seed_codecs import HUGE, LEAF, NODE0, OVERLONG, PROFILE
from tests.unit.content.shards import nested, own_slot, shard
from tests.vectors import carv2 as carv2_files


def cars() -> dict[str, bytes]:
    blocks = [Block(CID.of(data, codec), data) for data, codec in ((b"one", 0x55), (b"\xa0", DAG_CBOR), (b"", DAG_PB))]
    stream = io.BytesIO()
    car.write(stream, [blocks[0].cid], blocks)
    whole = stream.getvalue()
    wrong = io.BytesIO()
    car.write(wrong, [], [Block(blocks[0].cid, b"two")])
    return {
        "whole": whole,
        "cut in a block": whole[:-1],
        "no blocks": whole[: whole[0] + 1],
        "wrong hash": wrong.getvalue(),
        "huge section": whole + HUGE,
        "overlong length": whole + OVERLONG,
        "empty section": whole + b"\0",
        "section shorter than its cid": whole + b"\x03\x01\x55\x12",
        "version 3": whole.replace(b"version\x01", b"version\x03"),
        "huge header": b"\xff\xff\xff\x7f",
        "nothing": b"",
        "carv2": carv2_files.examples()["padded and indexed"],
    }


def carv2s() -> dict[str, bytes]:
    inner = cars()["whole"]
    strange = {
        "data in the header": carv2_files.carv2(inner, data_offset=11),
        "data far away": carv2_files.carv2(inner, data_offset=1 << 62),
        "more padding than there is": carv2_files.carv2(inner, data_offset=1 << 20),
        "more data than there is": carv2_files.carv2(inner, data_bytes=1 << 62),
        "data cut in a section": carv2_files.carv2(inner, data_bytes=len(inner) - 1),
        "index in the data": carv2_files.carv2(inner, index_offset=60),
        "not finished": carv2_files.carv2(inner, data_offset=0, data_bytes=0),
        "in itself": carv2_files.carv2(carv2_files.carv2(inner)),
        "short header": carv2_files.carv2(inner)[:40],
    }
    return {name: data[11:] for name, data in (carv2_files.examples() | strange).items()}


def shards() -> dict[str, bytes]:
    good = own_slot("a") + "a"
    return {
        "one entry": shard(good),
        "three entries": shard(*(own_slot(name) + name for name in "abc")),
        "fan-out 8": shard("0a", field=b"\x01", fanout=8),
        "plain directory": builder.directory([("a", Built(LEAF, 4, 4))], PROFILE)[0],
        "slot of another": shard(own_slot("b") + "a"),
        "below itself": nested(LEAF, "00", "FF"),
        "slot twice": shard(good, good + "b"),
        "field of another slot": shard(good, field=b"\x01"),
        "long field": shard(good, field=b"\xff" * 5000),
        "no fan-out": shard(good, fanout=None),
        "fan-out 3": shard(good, fanout=3),
        "fan-out 1024": shard("000a", field=b"\x01", fanout=1024),
        "sha2-256": shard(good, hash_type=0x12),
        "lower case": shard("aaa", field=b"\0"),
        "signed slot": shard("+1a", field=b"\x02"),
        "path in a name": shard(good + "/.."),
        "no links": shard(),
    }


def manifests() -> dict[str, bytes]:
    files = tuple(FileEntry(path, 4, LEAF.multihash.digest, LEAF) for path in ("a", "b/é"))
    manifest = Manifest("unixfs-v1-2025", NODE0.to_v1(), files)
    fields = dagcbor.decode(manifest.encode())
    entry = fields["files"][0]

    def changed(**changes: object) -> bytes:
        return dagcbor.encode(fields | changes)

    return {
        "two files": manifest.encode(),
        "no files": Manifest("unixfs-v0-2015", NODE0, ()).encode(),
        "statement": Statement(manifest.cid, "facts", {"licence": "MIT", "size": 4, "of": LEAF}).encode(),
        "not sorted": changed(files=fields["files"][::-1]),
        "a file twice": changed(files=[entry, entry]),
        "unknown profile": changed(profile="other"),
        "other schema": changed(schema="ipfs-accel/manifest/v2"),
        "one field more": changed(more=1),
        "negative size": changed(files=[entry | {"size": -1}]),
        "size true": changed(files=[entry | {"size": True}]),
        "short sha-256": changed(files=[entry | {"sha256": b"short"}]),
        "path upwards": changed(files=[entry | {"path": "../a"}]),
        "absolute path": changed(files=[entry | {"path": "/a"}]),
        "path not in normal form": changed(files=[entry | {"path": "e\u0301"}]),
        "file that is a folder": changed(files=[entry, entry | {"path": "a/b"}]),
        "list": dagcbor.encode([]),
    }


def block_lists() -> dict[str, bytes]:
    collected: dict[CID, bytes] = {}
    file = hashing.hash_bytes(b"a file of a few leaves", PROFILE, collected.__setitem__)
    folder = hamt.build_directory(
        [("a", file), ("name", file)], replace(PROFILE, shard_over_bytes=0), collected.__setitem__
    )
    document = dagcbor.encode({"a": [{"a": file.cid}], "name": folder.cid})
    repeated = dagpb.encode(Node((Link(LEAF, "", 1),) * 3, unixfs.encode(Unixfs("file", b"", 12, (4, 4, 4)))))
    lists: dict[str, list[bytes]] = {
        "file": [collected[file.cid], b"leaf"],
        "sharded directory": [collected[folder.cid], *collected.values()],
        "document": [document, *collected.values()],
        "json": [dagjson.encode({"a": [{"a": file.cid}]}), dagjson.encode([file.cid])],
        "links to itself": [dagcbor.encode([CID.of(b"x", DAG_CBOR)] * 9)],
        "link alone": [dagcbor.encode(CID.of(b"x", DAG_CBOR))],
        "file in itself": [repeated],
        "shards in themselves": [nested(LEAF, *(f"{slot:02X}" for slot in range(256))), shard()],
        "json links alone": [dagjson.encode(CID.of(b"x", 0x0129))],
        "empty blocks": [b"", b""],
    }
    return {name: b"".join(varint.encode(len(block)) + block for block in blocks) for name, blocks in lists.items()}
