"""UCANs, delegations, messages and indexes, against what Storacha's JavaScript libraries write."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.content import car, dagcbor, delegation, principal, shardindex, ucan, ucanto
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.delegation import Delegation
from ipfs_accel_cli.content.errors import ContentError, Malformed, Mismatch, Unsupported
from ipfs_accel_cli.content.multihash import Multihash, sha256
from ipfs_accel_cli.content.shardindex import Shard
from ipfs_accel_cli.content.ucan import Capability, Token
from tests.unit.content.values import values

REFERENCE = json.loads((Path(__file__).parents[2] / "vectors/ucan_reference.json").read_text("utf-8"))
SPACE, AGENT, OTHER = (principal.signer(bytes([number]) * 32) for number in (1, 2, 3))
SERVICE = "did:web:up.storacha.network"
LINK = CID.of(b"")


def issued(name: str) -> Token:
    """Issue what the reference made of the same parts."""
    at = SPACE.did
    if name == "plain":
        return ucan.issue(SPACE, AGENT.did, [Capability("*", at)], expires=None)
    if name == "dated":
        return ucan.issue(
            SPACE,
            SERVICE,
            [Capability("upload/*", at, {"root": LINK})],
            expires=2_000_000_000,
            not_before=1_000_000_000,
            nonce="ünï",
            facts=[{"bytes": b"\1\2", "list": [1, None, "x"], "link": LINK}],
        )
    if name == "account":
        rights = [Capability("space/blob/add", at), Capability("upload/add", at)]
        return ucan.issue(SPACE, "did:mailto:example.com:alice", rights, expires=1)
    rights = [Capability("upload/add", "ucan:*")]
    return ucan.issue(AGENT, OTHER.did, rights, expires=None, proofs=[issued("plain").block().cid])


def archived(*chain: Token) -> Delegation:
    """Return a delegation of tokens, the last of which is the one that is handed over."""
    blocks = tuple(token.block() for token in chain)
    tokens = {block.cid: token for block, token in zip(blocks, chain, strict=True)}
    return Delegation(blocks[-1].cid, tokens, blocks)


def test_keys_are_read_and_written_as_javascript_does() -> None:
    for number, known in enumerate(REFERENCE["keys"], start=1):
        assert principal.format_key(bytes([number]) * 32) == known["text"]
        assert principal.parse_key(known["text"]).did == known["did"]
    assert {did: principal.to_bytes(did).hex() for did in REFERENCE["dids"]} == REFERENCE["dids"]
    assert all(principal.from_bytes(bytes.fromhex(data)) == did for did, data in REFERENCE["dids"].items())


@pytest.mark.parametrize("name", REFERENCE["delegations"])
def test_a_delegation_has_the_same_bytes_as_in_javascript(name: str) -> None:
    known, block = REFERENCE["delegations"][name], issued(name).block()

    assert (str(block.cid), block.data.hex()) == (known["cid"], known["bytes"])
    assert ucan.decode(block.cid, block.data) == issued(name)
    assert issued(name).signed_by_issuer() is True


@pytest.mark.parametrize("name", REFERENCE["delegations"])
def test_an_archive_is_read_in_every_form_that_tools_write(name: str) -> None:
    known = REFERENCE["delegations"][name]
    archive, text = bytes.fromhex(known["archive"]), known["text"].encode()
    stream = io.BytesIO()
    car.write(stream, [CID.parse(known["cid"])], delegation.parse(archive).blocks)

    url_safe = b"u" + text[1:].translate(bytes.maketrans(b"+/", b"-_"))
    for form in (archive, text, text[:76] + b"\n" + text[76:] + b"\n", url_safe, base64.b64encode(stream.getvalue())):
        read = delegation.parse(form)
        assert read.cid == CID.parse(known["cid"])
        assert read.token == issued(name)
    assert delegation.parse(delegation.parse(archive).archive()).token == issued(name)


def test_messages_and_receipts_are_those_of_javascript() -> None:
    proof = issued("plain").block()
    right = Capability("upload/list", SPACE.did, {})
    asked = ucan.issue(AGENT, SERVICE, [right], expires=2_000_000_000, nonce="n", proofs=[proof.cid])
    assert asked.block().data.hex() == REFERENCE["invocation"]["bytes"]
    ours, theirs = (
        ucanto.read(data) for data in (ucanto.request([asked], [proof]), bytes.fromhex(REFERENCE["request"]))
    )
    assert dict(ours.blocks) == dict(theirs.blocks)

    receipt = ucanto.receipt_block(OTHER, asked.block().cid, {})
    assert receipt.data.hex() == REFERENCE["receipt"]["bytes"]
    answer = ucanto.read(bytes.fromhex(REFERENCE["reply"]))
    went_well, failed = answer.receipt(asked.block().cid), answer.receipt(proof.cid)
    assert went_well is not None
    assert failed is not None
    assert (went_well.ok, went_well.error, went_well.signed, went_well.issuer) == ({}, None, True, OTHER.did)
    assert (failed.ok, failed.error) == (None, {"name": "X", "message": "y"})
    assert answer.receipt(LINK) is None


def test_an_index_is_that_of_javascript() -> None:
    shards = [
        Shard(
            sha256(bytes([number])),
            size,
            {sha256(bytes([number, at])): (at * 50, 40) for at in range(3)},
        )
        for number, size in ((1, 300), (2, 200))
    ]
    data = shardindex.encode(LINK, shards)

    assert data.hex() == REFERENCE["index"]
    root, read = shardindex.parse(data)
    assert root == LINK
    assert sorted(read, key=lambda one: one.size_bytes) == sorted(shards, key=lambda one: one.size_bytes)


conditions = st.none() | values.filter(lambda value: isinstance(value, dict))
capabilities = st.builds(Capability, st.sampled_from(["*", "a/b", "upload/add"]), st.just(SPACE.did), conditions)


@settings(deadline=None)
@given(
    rights=st.lists(capabilities, max_size=3),
    expires=st.none() | st.integers(0, 1 << 53),
    nonce=st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=8),
    facts=st.lists(values, max_size=2),
    proofs=st.lists(st.binary(max_size=4).map(CID.of), max_size=2),
)
def test_any_token_reads_back_as_it_was_written(
    rights: list[Capability], expires: int | None, nonce: str | None, facts: list[Any], proofs: list[CID]
) -> None:
    token = ucan.issue(AGENT, SERVICE, rights, expires=expires, nonce=nonce, facts=facts, proofs=proofs)
    read = ucan.decode(*token.block())

    assert read == token
    assert read.signed_by_issuer() is True
    assert replace(read, audience=OTHER.did).signed_by_issuer() is False


@settings(deadline=None)
@given(st.binary(max_size=300) | st.builds(dagcbor.encode, values))
def test_bytes_that_are_no_token_are_refused_in_our_words(data: bytes) -> None:
    with pytest.raises(ContentError):
        ucan.decode(CID.of(data, DAG_CBOR), data)


@settings(deadline=None)
@given(st.integers(0, 2000), st.integers(1, 255))
def test_an_archive_that_was_changed_is_refused_or_says_the_same(at: int, mask: int) -> None:
    archive = bytearray.fromhex(REFERENCE["delegations"]["chain"]["archive"])
    archive[at % len(archive)] ^= mask
    try:
        assert delegation.parse(bytes(archive)).token in (issued("chain"), issued("plain"))
    except ContentError:
        return


class TestChains:
    """What a chain of delegations grants."""

    def test_the_owner_of_a_space_grants_it(self) -> None:
        granted = archived(issued("plain"))
        assert granted.refusal("upload/add", SPACE.did, 0) == ""
        assert granted.spaces() == [SPACE.did]
        assert "does not grant" in granted.refusal("upload/add", OTHER.did, 0)

    def test_a_right_is_handed_on_but_not_widened(self) -> None:
        granted = archived(issued("plain"), issued("chain"))
        assert granted.refusal("upload/add", SPACE.did, 0) == ""
        assert "does not grant upload/list" in granted.refusal("upload/list", SPACE.did, 0)
        assert granted.spaces() == [SPACE.did]

        narrow = ucan.issue(SPACE, AGENT.did, [Capability("upload/list", SPACE.did)], expires=None)
        wide = ucan.issue(AGENT, OTHER.did, [Capability("*", SPACE.did)], expires=None, proofs=[narrow.block().cid])
        assert archived(narrow, wide).refusal("upload/list", SPACE.did, 0) == ""
        assert "does not grant upload/add" in archived(narrow, wide).refusal("upload/add", SPACE.did, 0)

    def test_nobody_grants_what_is_not_theirs(self) -> None:
        forged = ucan.issue(OTHER, AGENT.did, [Capability("*", SPACE.did)], expires=None)
        assert "was not granted itself" in archived(forged).refusal("upload/add", SPACE.did, 0)

        proof = issued("plain")  # It is for the agent, and not for who uses it here.
        stolen = ucan.issue(OTHER, SERVICE, [Capability("*", SPACE.did)], expires=None, proofs=[proof.block().cid])
        assert "was not granted itself" in archived(proof, stolen).refusal("upload/add", SPACE.did, 0)

    def test_a_signature_is_looked_at_all_along_the_chain(self) -> None:
        proof = replace(issued("plain"), signature=issued("dated").signature)
        last = ucan.issue(AGENT, OTHER.did, [Capability("*", SPACE.did)], expires=None, proofs=[proof.block().cid])
        assert "did not sign it" in archived(proof, last).refusal("upload/add", SPACE.did, 0)

    def test_times_are_kept_all_along_the_chain_and_told(self) -> None:
        proof = ucan.issue(SPACE, AGENT.did, [Capability("*", SPACE.did)], expires=2000, not_before=1000)
        last = ucan.issue(AGENT, OTHER.did, [Capability("*", SPACE.did)], expires=1900, proofs=[proof.block().cid])
        granted = archived(proof, last)

        assert granted.lifetime() == (1000, 1900)
        assert granted.refusal("upload/add", SPACE.did, 1500) == ""
        assert "expired at 1970-01-01 00:31:40 UTC" in granted.refusal("upload/add", SPACE.did, 1900)
        assert "only from 1970-01-01 00:16:40 UTC" in granted.refusal("upload/add", SPACE.did, 10)

    def test_what_rests_on_an_account_or_an_absent_proof_is_left_to_the_service(self) -> None:
        proof = ucan.issue(SPACE, "did:mailto:example.com:alice", [Capability("*", SPACE.did)], expires=None)
        unsigned = Token(
            "did:mailto:example.com:alice",
            AGENT.did,
            (Capability("*", "ucan:*"),),
            (proof.block().cid,),
            signature=principal.signature_bytes(0xD000, b""),
        )
        assert archived(proof, unsigned).refusal("upload/add", SPACE.did, 0) == ""
        assert archived(unsigned).refusal("upload/add", SPACE.did, 0) == ""

    def test_a_key_of_another_kind_is_no_reason_to_believe(self) -> None:
        plain = issued("plain")
        assert replace(plain, signature=principal.signature_bytes(0xD000, b"")).signed_by_issuer() is False


@pytest.mark.parametrize("text", ["", "Mg", "mgCY", "M" + "A" * 92, REFERENCE["keys"][0]["text"][:-6] + "AAAAA="])
def test_a_key_that_is_none_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Malformed) as raised:
        principal.parse_key(text)
    assert len(text) < 9 or text not in str(raised.value)
    assert "sign" not in repr(principal.parse_key(REFERENCE["keys"][0]["text"]))


def test_other_versions_and_forms_are_told_apart() -> None:
    block = issued("plain").block()
    newer = dagcbor.encode(dagcbor.decode(block.data) | {"v": "0.10.0"})
    with pytest.raises(Unsupported, match=r"0\.10\.0"):
        ucan.decode(CID.of(newer, DAG_CBOR), newer)
    with pytest.raises(Unsupported):
        ucan.decode(CID.of(b"x.y.z"), b"x.y.z")


@pytest.mark.parametrize("data", [b"", b"m", b"no base64 !", b"mAYIEAAA", b"\x00" * 40, b"x" * (9 << 20)])
def test_what_holds_no_delegation_is_refused(data: bytes) -> None:
    with pytest.raises(ContentError):
        delegation.parse(data)


def test_a_message_without_what_it_speaks_of_is_refused() -> None:
    stream = io.BytesIO()
    root = dagcbor.encode({"ucanto/message@7.0.0": {"report": {str(LINK): LINK}}})
    block = Block(CID.of(root, DAG_CBOR), root)
    car.write(stream, [block.cid], [block])
    with pytest.raises(Malformed, match="did not come with it"):
        ucanto.read(stream.getvalue())
    spoiled = bytearray.fromhex(REFERENCE["reply"])
    spoiled[-1] ^= 1
    with pytest.raises((Malformed, Mismatch)):
        ucanto.read(bytes(spoiled))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1 << 40), st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 22)))),
        max_size=3,
    )
)
def test_any_index_reads_back(sizes: list[tuple[int, list[tuple[int, int]]]]) -> None:
    def digest(*numbers: int) -> Multihash:
        return sha256(repr(numbers).encode())

    shards = [
        Shard(digest(number), size, {digest(number, at): place for at, place in enumerate(places)})
        for number, (size, places) in enumerate(sizes)
    ]
    root, read = shardindex.parse(shardindex.encode(LINK, shards))
    assert root == LINK
    assert sorted(read, key=lambda one: one.digest) == sorted(shards, key=lambda one: one.digest)
