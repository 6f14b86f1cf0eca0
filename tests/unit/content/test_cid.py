from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import multihash
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_JSON, DAG_PB, RAW, codec_name
from ipfs_accel_cli.content.errors import ContentError, Malformed, Mismatch, Unsupported
from ipfs_accel_cli.content.multihash import Multihash

REFERENCE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/codecs_reference.json").read_text("utf-8"))
BASES = ["base16", "base32", "base36", "base58btc"]
HELLO = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"

cids = st.builds(
    CID, st.just(1), st.integers(0, 1 << 32), st.builds(Multihash, st.integers(0, 1 << 32), st.binary(max_size=64))
)


@pytest.mark.parametrize("vector", REFERENCE["cids"], ids=lambda vector: vector["base32"][:12])
@pytest.mark.parametrize("base", BASES)
def test_every_base_is_written_and_read_as_the_reference_library_does(vector: dict[str, str], base: str) -> None:
    cid = CID.parse(bytes.fromhex(vector["bytes"]))
    assert cid.encode(base) == vector[base]
    assert CID.parse(vector[base]) == cid
    assert bytes(cid).hex() == vector["bytes"]


def test_version_0_and_1_convert_as_the_reference_library_does() -> None:
    vector = REFERENCE["node"]
    cid = CID.parse(vector["v0"])
    assert (cid.version, cid.codec) == (0, DAG_PB)
    assert bytes(cid).hex() == vector["bytes"]
    assert str(cid) == vector["v0"]
    assert str(cid.to_v1()) == vector["v1"]
    assert cid.to_v1().to_v0() == cid
    assert cid != cid.to_v1()


@given(cids, st.sampled_from(BASES))
def test_a_cid_reads_back_from_text_and_bytes(cid: CID, base: str) -> None:
    assert CID.parse(cid.encode(base)) == cid
    assert CID.parse(bytes(cid)) == cid
    assert CID.decode_bytes(b"before" + bytes(cid) + b"after", 6) == (cid, 6 + len(bytes(cid)))


@given(st.binary(max_size=80))
def test_random_bytes_are_read_in_one_way_or_refused(data: bytes) -> None:
    try:
        cid = CID.parse(data)
    except ContentError:
        return
    assert bytes(cid) == data


@given(st.text(max_size=80) | st.text("Qmbafkz123", max_size=80))
def test_random_text_is_read_or_refused(text: str) -> None:
    try:
        cid = CID.parse(text)
    except ContentError:
        return
    assert text in {cid.encode(base) for base in BASES if cid.version or base == "base58btc"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Qm",
        HELLO + "a",
        HELLO[:-1],
        HELLO.upper(),
        f"/ipfs/{HELLO}",
        f"ipfs://{HELLO}",
        f" {HELLO}",
        "z" + REFERENCE["node"]["v0"],
        "b" + "a" * 400,
    ],
)
def test_text_that_is_not_exactly_a_cid_is_refused(text: str) -> None:
    with pytest.raises(ContentError):
        CID.parse(text)


def test_every_truncation_and_any_trailing_byte_is_refused() -> None:
    data = bytes(CID.parse(HELLO))
    for length in range(len(data)):
        with pytest.raises(Malformed):
            CID.parse(data[:length])
    with pytest.raises(Malformed, match="follow"):
        CID.parse(data + b"\0")


@pytest.mark.parametrize(
    "data", [b"\x00\x55\x12\x00", b"\x02\x55\x12\x00", b"\x12\x20" + bytes(31), b"\x81\x00\x55\x12\x00"]
)
def test_bytes_of_another_version_are_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        CID.parse(data)


def test_version_0_is_only_dag_pb_with_sha2_256() -> None:
    with pytest.raises(Malformed):
        CID(0, RAW, multihash.sha256(b""))
    with pytest.raises(Malformed):
        CID(2, RAW, multihash.sha256(b""))
    with pytest.raises(Unsupported, match="version 0"):
        CID.of(b"").to_v0()
    with pytest.raises(Unsupported, match="base32"):
        CID.of(b"", DAG_PB, 0).encode("base32")


def test_bytes_are_named_and_checked() -> None:
    cid = CID.of(b"hello world")
    assert str(cid) == HELLO
    assert cid == CID.from_sha256(multihash.sha256(b"hello world").digest)
    cid.verify(b"hello world")
    with pytest.raises(Mismatch, match=HELLO):
        cid.verify(b"hello world!")
    with pytest.raises(Malformed):
        CID.from_sha256(b"short")


def test_cids_can_be_keys_and_be_sorted() -> None:
    first, second = CID.of(b"1"), CID.of(b"2")
    assert len({first, CID.of(b"1"), second}) == 2
    assert sorted([second, first]) == sorted([first, second])
    assert repr(first) == f"CID('{first}')"


def test_codecs_have_names() -> None:
    assert [codec_name(code) for code in (RAW, DAG_PB, DAG_CBOR, DAG_JSON)] == ["raw", "dag-pb", "dag-cbor", "dag-json"]
    assert codec_name(0x300001) == "0x300001"
