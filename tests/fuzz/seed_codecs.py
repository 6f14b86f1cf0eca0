"""The seeds of the codecs: identifiers, blocks and the messages in them."""

from __future__ import annotations

from dataclasses import replace

from ipfs_accel_cli.content import builder, dagcbor, dagjson, dagpb, multibase, unixfs
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.dagpb import Link, Node
from ipfs_accel_cli.content.multihash import Multihash
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.content.unixfs import Metadata, Unixfs

LEAF = CID.of(b"leaf")
NODE0 = CID.of(b"\x0a\x02\x08\x01", DAG_PB, 0)
PROFILE = replace(PROFILES["unixfs-v1-2025"], chunk_bytes=4, width=3)
OVERLONG, ENDLESS, HUGE = b"\x80\x00", b"\xff" * 20, b"\xff" * 8 + b"\x7f"


def cids() -> dict[str, bytes]:
    inline = CID(1, 0x55, Multihash(0, b"inside"))
    return {
        "v0": bytes(NODE0),
        "v1": bytes(LEAF),
        "v0 text": str(NODE0).encode(),
        "base32 text": str(LEAF).encode(),
        "base36 text": LEAF.encode("base36").encode(),
        "base58 text": LEAF.encode("base58btc").encode(),
        "base16 text": LEAF.encode("base16").encode(),
        "identity": bytes(inline),
        "identity of nothing": b"\x01\x55\x00\x00",
        "identity of 129 bytes": b"\x01\x55\x00\x81\x01" + bytes(129),
        "unknown hash": bytes(CID(1, 0x0129, Multihash(0x9999, bytes(20)))),
        "trailing byte": bytes(LEAF) + b"\0",
        "v0 behind a multibase prefix": multibase.encode(bytes(NODE0), "base32").encode(),
        "upper case base32": str(LEAF).upper().encode(),
        "version 2": b"\x02" + bytes(LEAF)[1:],
        "overlong codec": b"\x01\xd5\x00" + bytes(LEAF)[2:],
        "endless varint": b"\x01" + ENDLESS,
        "huge digest": b"\x01\x55\x12" + HUGE,
        "stray bits in base32": str(LEAF)[:-1].encode() + b"7",
    }


def multibases() -> dict[str, bytes]:
    contents = (b"", b"\0\0\x01", bytes(range(20)))
    valid = {
        f"{base} {len(data)}": multibase.encode(data, base).encode() for base in multibase.PREFIXES for data in contents
    }
    return valid | {
        "unknown prefix": b"!abc",
        "known elsewhere": b"uAQID",
        "padding": b"bme======",
        "odd base16": b"f123",
        "upper case base16": b"fAB",
        "513 characters": b"z" + b"1" * 512,
        "512 ones": b"z" + b"1" * 511,
        "zero in base58": b"z0",
        "not ascii": "zé".encode("latin-1"),
    }


def dagpb_blocks() -> dict[str, bytes]:
    link = dagpb.encode(Node((Link(LEAF, "name", 4),)))
    return {
        "empty": b"",
        "links and data": dagpb.encode(Node((Link(LEAF, "", 4), Link(NODE0, "é", 1 << 40)), b"data")),
        "data before links": b"\x0a\x04data" + link,
        "links around data": link + b"\x0a\x04data" + link,
        "data twice": b"\x0a\x01a\x0a\x01b",
        "empty data": b"\x0a\x00",
        "link without a cid": b"\x12\x00",
        "name before hash": b"\x12\x29\x12\x01a\x0a\x24" + bytes(LEAF),
        "name not utf-8": b"\x12\x29\x0a\x24" + bytes(LEAF) + b"\x12\x01\xff",
        "group": b"\x0b\x0c",
        "unknown field": b"\x1a\x00",
        "overlong length": b"\x12" + OVERLONG,
        "huge length": b"\x12" + HUGE,
        "size over 63 bits": b"\x12\x31\x0a\x24" + bytes(LEAF) + b"\x18" + b"\xff" * 9 + b"\x01",
        "two thousand links": b"\x12\x02\x0a\x00" * 2_000,
    }


def cbor_values() -> dict[str, bytes]:
    value: object = {"a": [1, -2, 2.5, None, True, b"b", "é", LEAF], "bb": {"": {}}, "c": [[[]]]}
    return {
        "every kind": dagcbor.encode(value),
        "integers": dagcbor.encode([0, 23, 24, 255, 256, 65535, 65536, 1 << 32, (1 << 64) - 1, -(1 << 64)]),
        "deep lists": b"\x81" * 127 + b"\x80",
        "too deep": b"\x81" * 10_000,
        "deep maps": b"\xa1\x60" * 500,
        "keys out of order": b"\xa2\x61b\x01\x61a\x02",
        "keys repeated": b"\xa2\x61a\x01\x61a\x02",
        "long integer": b"\x18\x01",
        "short float": b"\xf9\x3c\x00",
        "not a number": b"\xfb\x7f\xf8" + bytes(6),
        "endless list": b"\x9f\x01\xff",
        "huge list": b"\x9b" + b"\xff" * 8,
        "huge map": b"\xbb" + b"\x7f" + b"\xff" * 7,
        "huge text": b"\x7b" + b"\xff" * 8,
        "other tag": b"\xc1\x00",
        "link without its zero": b"\xd8\x2a\x58\x24" + bytes(LEAF),
        "link of nothing": b"\xd8\x2a\x40",
        "undefined": b"\xf7",
        "half of a surrogate": b"\x63\xed\xa0\x80",
        "trailing byte": b"\x80\x00",
        "a million nulls said, ten there": b"\x9a\x00\x0f\x42\x40" + b"\xf6" * 10,
    }


def json_values() -> dict[str, bytes]:
    value: object = {"a": [1, -2, 2.5, None, True, b"b", "é", LEAF], "bb": {"": {}}}
    return {
        "every kind": dagjson.encode(value),
        "spaces": b' { "b" : [ 1 , 2 ] , "a" : { "/" : { "bytes" : "AQ" } } } ',
        "keys repeated": b'{"a":1,"a":2}',
        "key repeated by an escape": b'{"a":1,"\\u0061":2}',
        "half of a surrogate": b'"\\ud800"',
        "reserved": b'{"/":1}',
        "reserved text": b'{"/":"not a cid"}',
        "reserved with more": b'{"/":"x","a":1}',
        "bytes with padding": b'{"/":{"bytes":"AQ=="}}',
        "stray bits": b'{"/":{"bytes":"AR"}}',
        "too deep": b"[" * 10_000,
        "quote in brackets": b'["]]]]\\"[[[["]',
        "huge integer": b"1" + b"0" * 5000,
        "huge exponent": b"1e999999999",
        "not a number": b"NaN",
        "minus zero": b"[-0,-0.0]",
        "byte order mark": b"\xef\xbb\xbf1",
        "not utf-8": b'"\xff"',
        "trailing comma": b"[1,]",
        "two values": b"1 2",
        "nothing": b"",
    }


def unixfs_messages() -> dict[str, bytes]:
    message = unixfs.encode
    data = (0).to_bytes(8, "little")
    return {
        "file": message(Unixfs("file", b"data", 4)),
        "file of parts": message(Unixfs("file", b"", 7, (4, 3))),
        "packed sizes": b"\x08\x02\x18\x07\x22\x02\x04\x03",
        "directory with metadata": message(Unixfs("directory").stamped(Metadata(0o700, -5, 7))),
        "symlink": message(Unixfs("symlink", b"target")),
        "shard": message(Unixfs("hamt-shard", b"\x01", hash_type=0x22, fanout=256)),
        "no type": b"\x18\x01",
        "type 6": b"\x08\x06",
        "type twice": b"\x08\x02\x08\x01",
        "huge fan-out": b"\x08\x05\x30" + HUGE,
        "overlong size": b"\x08\x02\x18" + OVERLONG,
        "size of 70 bits": b"\x08\x02\x18" + ENDLESS,
        "time without seconds": b"\x08\x01\x42\x00",
        "too many nanoseconds": b"\x08\x01\x42\x07\x08\x01\x15\xff\xff\xff\xff",
        "nanoseconds as a varint": b"\x08\x01\x42\x04\x08\x01\x10\x01",
        "later field": b"\x08\x01\x51" + data,
        "block of a file": dagpb.encode(Node((Link(LEAF, "", 4),), b"\x08\x02\x18\x04\x20\x04")),
        "block of a symlink": builder.symlink("target", PROFILE)[0],
        "block of a directory": builder.directory([("a", Built(LEAF, 4, 4))], PROFILE)[0],
        "block of a file that does not add up": dagpb.encode(Node((Link(LEAF, "", 4),), b"\x08\x02\x18\x09\x20\x04")),
        "block with a path for a name": dagpb.encode(Node((Link(LEAF, "../a", 4),), b"\x08\x01")),
        "block with a name twice": dagpb.encode(Node((Link(LEAF, "a", 4),) * 2, b"\x08\x01")),
    }
