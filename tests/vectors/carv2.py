"""CARv2 files, written by the specification (https://ipld.io/specs/transport/car/carv2/).

The reference library reads such files and writes none. What it reads in these is in carv2_reference.json, made by
`python -m tests.vectors.carv2 | node carv2_reference.mjs > carv2_reference.json` where @ipld/car is installed.
"""

from __future__ import annotations

import io
import json
import sys

from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB
from ipfs_accel_cli.content.varint import encode

MULTIHASH_INDEX_SORTED = 0x0401


def carv2(
    data: bytes,
    *,
    padding: bytes = b"",
    index: bytes = b"",
    index_padding: bytes = b"",
    characteristics: bytes = bytes(16),
    data_offset: int | None = None,
    data_bytes: int | None = None,
    index_offset: int | None = None,
) -> bytes:
    """Put a CARv1 into the frame of a CARv2; the offsets are right unless they are given."""
    start = 51 + len(padding) if data_offset is None else data_offset
    size = len(data) if data_bytes is None else data_bytes
    after = 51 + len(padding) + len(data) + len(index_padding) if index else 0
    offsets = (start, size, after if index_offset is None else index_offset)
    header = characteristics + b"".join(offset.to_bytes(8, "little") for offset in offsets)
    return bytes.fromhex("0aa16776657273696f6e02") + header + padding + data + index_padding + index


def sorted_index(places: dict[CID, int]) -> bytes:
    """Write a MultihashIndexSorted of sha2-256 CIDs: where in the CARv1 the section of each begins."""
    rows = sorted(cid.multihash.digest + offset.to_bytes(8, "little") for cid, offset in places.items())
    buckets = (40).to_bytes(4, "little") + (40 * len(rows)).to_bytes(8, "little") + b"".join(rows)
    code = (0x12).to_bytes(8, "little") + (1).to_bytes(4, "little") + buckets
    return encode(MULTIHASH_INDEX_SORTED) + (1).to_bytes(4, "little") + code


def examples() -> dict[str, bytes]:
    """Return the files that carv2_reference.json tells about."""
    contents = ((b"hello", 0x55, 1), (b"\x0a\x02\x08\x01", DAG_PB, 0), (b"\xa0", DAG_CBOR, 1))
    blocks = [Block(CID.of(data, codec, version), data) for data, codec, version in contents]
    ends = []
    for count in range(len(blocks) + 1):
        stream = io.BytesIO()
        ends.append(car.write(stream, [blocks[0].cid], blocks[:count]))
    places = {block.cid: start for block, start in zip(blocks, ends, strict=False)}
    data, index = stream.getvalue(), sorted_index(places)
    indexed = b"\x80" + bytes(15)
    return {
        "plain": carv2(data),
        "padded": carv2(data, padding=bytes(1000)),
        "indexed": carv2(data, index=index, characteristics=indexed),
        "padded and indexed": carv2(
            data, padding=bytes(77), index=index, index_padding=bytes(5), characteristics=indexed
        ),
    }


if __name__ == "__main__":
    json.dump({name: data.hex() for name, data in examples().items()}, sys.stdout)
