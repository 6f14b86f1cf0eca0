"""What is fed with bytes that anyone may have made: each reader may refuse them, with its own error and nothing else.

Readers of content refuse with a ContentError, those of a model's files with MalformedContent.

A reader that accepts them must make sense of them: what it returns is written and read again.
"""

from __future__ import annotations

import base64
import io
import json
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content import (
    car,
    carv2,
    dag,
    dagcbor,
    dagjson,
    dagpb,
    delegation,
    files,
    hamt,
    ipns,
    libp2pkey,
    multibase,
    shardindex,
    ucan,
    ucanto,
    unixfs,
    varint,
)
from ipfs_accel_cli.content.blocks import ReadBlock, bounded
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_JSON, DAG_PB, RAW
from ipfs_accel_cli.content.diff import diff
from ipfs_accel_cli.content.envelope import Envelope, Secret, decode_index, encode_index
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import Manifest, Statement
from ipfs_accel_cli.content.resolve import resolve
from ipfs_accel_cli.content.selection import ByteRange, select
from ipfs_accel_cli.content.walk import walk
from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.formats import safetensors

Target = Callable[[bytes], None]
CODECS = (RAW, DAG_PB, DAG_CBOR, DAG_JSON)


def accepted(read: Callable[..., object], *arguments: Any, **options: Any) -> bool:
    """Say whether a reader accepts what it is given, to the last item; every error but a refusal goes through."""
    try:
        result = read(*arguments, **options)
        if isinstance(result, Iterator):
            deque(result, maxlen=0)
    except ContentError:
        return False
    return True


def fuzz_cid(data: bytes) -> None:
    if accepted(CID.parse, data):
        cid = CID.parse(data)
        assert bytes(cid) == data
        for base in ("base16", "base32", "base36", "base58btc") if cid.version else ("base58btc",):
            if len(text := cid.encode(base)) <= multibase.MAX_CHARACTERS:
                assert CID.parse(text) == cid
    text = data.decode("latin-1")
    if accepted(CID.parse, text):
        assert CID.parse(str(CID.parse(text))) == CID.parse(text)


def fuzz_multibase(data: bytes) -> None:
    text = data.decode("latin-1")
    if accepted(multibase.decode, text):
        base = next(name for name, prefix in multibase.PREFIXES.items() if prefix == text[0])
        assert multibase.encode(multibase.decode(text), base) == text


def fuzz_dagpb(data: bytes) -> None:
    if accepted(dagpb.decode, data):
        node = dagpb.decode(data)
        assert dagpb.decode(dagpb.encode(node)) == node


def fuzz_dagcbor(data: bytes) -> None:
    if accepted(dagcbor.decode, data):
        assert dagcbor.encode(dagcbor.decode(data)) == data


def fuzz_dagjson(data: bytes) -> None:
    if accepted(dagjson.decode, data):
        written = dagjson.encode(dagjson.decode(data))
        assert dagjson.encode(dagjson.decode(written)) == written


def fuzz_unixfs(data: bytes) -> None:
    if accepted(unixfs.decode, data):
        message = unixfs.decode(data)
        assert unixfs.decode(unixfs.encode(message)) == message
        assert message.stamped(message.metadata).mtime == message.mtime
    if accepted(unixfs.read, data):
        assert unixfs.read(data).size_bytes >= 0


def fuzz_car(data: bytes) -> None:
    stream = io.BytesIO(data)
    if accepted(car.open_reader, stream):
        stream.seek(0)
        blocks: list[car.Block] = []
        accepted(lambda: blocks.extend(car.open_reader(stream, max_block_bytes=1 << 16).blocks))
        for block in blocks:
            block.cid.verify(block.data)
            accepted(dag.links, block.cid, block.data)


def fuzz_carv2(data: bytes) -> None:
    fuzz_car(carv2.PRAGMA + data)


def fuzz_hamt(data: bytes) -> None:
    cid = CID.of(data, DAG_PB)

    def read_block(_: CID) -> bytes:
        return data

    if accepted(hamt.entries, cid, read_block):
        for name, link in hamt.entries(cid, read_block):
            assert hamt.child(cid, name, read_block) == link
    accepted(hamt.child, cid, "name", read_block)


def fuzz_manifest(data: bytes) -> None:
    if accepted(Manifest.decode, data):
        assert Manifest.decode(data).encode() == data
    if accepted(Statement.decode, data):
        assert Statement.decode(data).encode() == data


def fuzz_ipns(data: bytes) -> None:
    if accepted(ipns.decode, data):
        record = ipns.decode(data)
        assert ipns.parse_time(ipns.format_time(record.eol_ns).encode()) == record.eol_ns
        assert ipns.better(record, record) is record
    if accepted(libp2pkey.PublicKey.decode, data):
        assert libp2pkey.PublicKey.decode(data).encode() == data
        accepted(libp2pkey.PublicKey.decode(data).verify, bytes(64), b"")
    if accepted(libp2pkey.decode_private, data):
        libp2pkey.decode_private(libp2pkey.encode_private(libp2pkey.decode_private(data)))
    accepted(libp2pkey.parse_name, data.decode("latin-1"))


def fuzz_envelope(data: bytes) -> None:
    if accepted(Envelope.decode, data):
        assert Envelope.decode(data).encode() == data
    if accepted(Secret.decode, data):
        assert Secret.decode(data).encode() == data
    if accepted(decode_index, data):
        assert decode_index(encode_index(decode_index(data))) == sorted(
            decode_index(data), key=lambda entry: entry.path.encode()
        )


def fuzz_blocks(data: bytes) -> None:
    """Read a DAG from a store that answers every question with one of a few blocks, so that it may have cycles."""
    blocks = list(_sections(data))
    if not blocks:
        return
    codec, first = CODECS[blocks[0][0] % 4 if blocks[0] else 0], blocks[0]
    root, other = CID.of(first, codec), CID.of(blocks[-1], codec)

    def read_block(cid: CID) -> bytes:
        return blocks[0] if cid == root else blocks[cid.multihash.digest[-1] % len(blocks)]

    def limited() -> ReadBlock:
        return bounded(read_block, max_blocks=200)

    accepted(walk, root, limited(), max_depth=20)
    accepted(files.read, root, limited(), 3, 1000)
    accepted(diff, root, other, limited())
    for path in ("", "a", "a/0/a", "name/b"):
        accepted(resolve, root, path, limited())
    for duplicates in (False, True):
        accepted(select, root, "", "all", None, limited(), duplicates=duplicates)
        accepted(select, root, "a", "entity", ByteRange(1, -2), limited(), duplicates=duplicates)


def fuzz_ucan(data: bytes) -> None:
    """Read a token, a receipt and an index, as a block of their own and inside what they come in."""
    cid = CID.of(data, DAG_CBOR)
    if accepted(ucan.decode, cid, data):
        token = ucan.decode(cid, data)
        assert ucan.decode(*token.block()) == token
        accepted(token.signed_by_issuer)
    for form in (data, base64.b64encode(data)):
        if accepted(delegation.parse, form):
            granted = delegation.parse(form)
            assert delegation.parse(granted.archive()).token == granted.token
            for space in granted.spaces():
                granted.refusal("upload/add", space, 0)
    accepted(shardindex.parse, data)
    stream = io.BytesIO()
    root = dagcbor.encode({"ucanto/message@7.0.0": {"report": {str(cid): cid}}})
    car.write(stream, [CID.of(root, DAG_CBOR)], [(cid, data), (CID.of(root, DAG_CBOR), root)])
    accepted(ucanto.read, stream.getvalue())


def fuzz_safetensors(data: bytes) -> None:
    """Read a file's header, also when its first 8 bytes are made to say the truth, or most would be refused there."""
    for file in (data, len(data).to_bytes(8, "little") + data):
        with tempfile.NamedTemporaryFile() as scratch:
            Path(scratch.name).write_bytes(file)
            try:
                found = safetensors.read(Path(scratch.name), "fuzz")
            except MalformedContent:
                continue
        length = int.from_bytes(file[:8], "little")
        header = json.loads(file[8 : 8 + length])
        assert found.tensors == len(header.keys() - {"__metadata__"})
        assert found.size_bytes == sum(found.dtypes.values()) == len(file) - 8 - length


def _sections(data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        try:
            length, position = varint.decode(data, position)
        except ContentError:
            return
        yield data[position : position + length]
        position += length


TARGETS: dict[str, Target] = {
    name.removeprefix("fuzz_"): target for name, target in sorted(globals().items()) if name.startswith("fuzz_")
}
