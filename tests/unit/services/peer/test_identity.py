"""Peer ids equal those of the libp2p specification and of independent libraries."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import AccelError, Invalid, UnsupportedContent
from ipfs_accel_cli.services.peer import identity

# The Ed25519 test vector of libp2p's peer-ids specification: PrivateKey protobuf and PublicKey protobuf.
SPECIFIED_PRIVATE = bytes.fromhex(
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
    "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e"
)
SPECIFIED_PUBLIC = bytes.fromhex("080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e")

# The same key written by the PyPI packages base58 2.1.1, py-cid 0.5.0 and py-multibase 2.0.0.
PEER_ID = "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq"
CID_BASE36 = "k51qzi5uqu5dgy8qsq67hbz73jqkw87l3fgf4a91qb0d9b5173tir7n4vxk1oe"
CID_BASE58 = "z5AanNVJCxnGuh8TJu4nye3dE3NbxAd8FB9cr46uVagyFPuibMxok2R"
KEY_TEXT = "z6MkgXZvRh65tcAdLJTKdEvyqEv7ZBhn9C5BM68jw4cESKtH"


def public_key() -> bytes:
    return Ed25519PrivateKey.from_private_bytes(SPECIFIED_PRIVATE[4:36]).public_key().public_bytes_raw()


def test_the_specified_private_key_has_the_specified_public_key() -> None:
    assert b"\x08\x01\x12\x20" + public_key() == SPECIFIED_PUBLIC


def test_the_specified_key_has_the_known_names() -> None:
    assert identity.peer_id(public_key()) == PEER_ID
    assert identity.peer_cid(public_key()) == CID_BASE36
    assert identity.key_text(public_key()) == KEY_TEXT


@pytest.mark.parametrize("name", [PEER_ID, CID_BASE36, CID_BASE58])
def test_every_form_of_a_peer_id_gives_back_the_key(name: str) -> None:
    assert identity.public_key_of(name) == public_key()


@given(st.binary(min_size=32, max_size=32))
def test_a_peer_id_holds_its_key(key: bytes) -> None:
    assert identity.peer_id(key).startswith("12D3KooW")
    assert identity.public_key_of(identity.peer_id(key)) == key
    assert identity.public_key_of(identity.peer_cid(key)) == key


@pytest.mark.parametrize(
    "name",
    [
        "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
        "bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe",
    ],
)
def test_a_hashed_key_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedContent, match="hash"):
        identity.public_key_of(name)


@pytest.mark.parametrize("name", ["", "12D3Koo0", PEER_ID[:-1], PEER_ID + "1", "bafkreigh2akiscaildc", "me@example"])
def test_text_that_is_no_peer_id_is_invalid(name: str) -> None:
    with pytest.raises((Invalid, UnsupportedContent)):
        identity.public_key_of(name)


def test_the_cid_of_a_file_is_no_peer_id() -> None:
    with pytest.raises(Invalid, match="libp2p-key"):
        identity.public_key_of("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")


@given(st.text(max_size=600))
def test_no_text_is_more_than_a_known_problem(name: str) -> None:
    try:
        key = identity.public_key_of(name)
    except AccelError:
        return
    assert len(key) == 32


def test_a_key_of_another_length_is_refused() -> None:
    with pytest.raises(Invalid, match="32 bytes"):
        identity.peer_id(bytes(33))
