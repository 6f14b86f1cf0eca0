"""The passport: the same bytes for the same claims, nothing believed that is about something else."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import car, dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.errors import ContentError, Malformed, OverLimit
from ipfs_accel_cli.content.manifest import FileEntry, Manifest, Statement
from ipfs_accel_cli.content.passport import MAX_STATEMENTS, Passport, is_of_passport

FILE = FileEntry("a/config.json", 2, bytes(32), CID.of(b"{}"))
MANIFEST = Manifest("unixfs-v1-2025", CID.of(b"root"), (FILE,))
FACTS = Statement(MANIFEST.cid, "facts", {"tasks": ["embed"], "of": CID.of(b"x"), "raw": b"\0\1"})
SIGNED = Statement(FACTS.cid, "signature", {"by": "me"})


def written(*values: object) -> bytes:
    blocks = [(CID.of(data, DAG_CBOR), data) for data in map(dagcbor.encode, values)]
    out = io.BytesIO()
    car.write(out, [cid for cid, _ in blocks], blocks)
    return out.getvalue()


def test_what_was_written_is_read_again_in_any_order_of_statements() -> None:
    one, other = Passport(MANIFEST, (FACTS, SIGNED)), Passport(MANIFEST, (SIGNED, FACTS, SIGNED))

    assert one.encode() == other.encode()
    assert Passport.decode(one.encode()) == one


def test_a_statement_may_be_about_another_statement_but_not_about_another_model() -> None:
    assert Passport(MANIFEST, (SIGNED, FACTS)).statements
    with pytest.raises(Malformed, match="not this model"):
        Passport(MANIFEST, (SIGNED,))
    with pytest.raises(Malformed, match="not this model"):
        Passport.decode(
            written(
                dagcbor.decode(MANIFEST.encode()), dagcbor.decode(Statement(CID.of(b"other"), "facts", {}).encode())
            )
        )


def test_what_a_later_version_may_add_is_left_out() -> None:
    read = Passport.decode(written({"schema": "something/else"}, dagcbor.decode(MANIFEST.encode()), [1, 2]))

    assert read == Passport(MANIFEST)


@pytest.mark.parametrize("values", [(), ({"schema": "something/else"},)])
def test_without_a_manifest_it_is_none(values: tuple[object, ...]) -> None:
    with pytest.raises(Malformed, match="holds one manifest"):
        Passport.decode(written(*values))


@given(st.integers(0, len(Passport(MANIFEST, (FACTS, SIGNED)).encode()) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    passport = Passport(MANIFEST, (FACTS, SIGNED))
    data = bytearray(passport.encode())
    data[position] ^= change

    try:
        read = Passport.decode(bytes(data))
    except ContentError:
        return
    assert read == passport


def test_a_statement_that_was_cut_off_or_renamed_is_missed() -> None:
    whole = Passport(MANIFEST, (FACTS, SIGNED)).encode()
    last = max(whole.rindex(bytes(one.cid)) for one in (FACTS, SIGNED))
    renamed = bytearray(whole)
    renamed[last + 1] ^= 1  # The codec: no hash covers it.

    for changed in (whole[: last - 2], bytes(renamed)):
        with pytest.raises(Malformed, match="roots name"):
            Passport.decode(changed)


def test_more_statements_than_anybody_reads_are_refused_in_passing() -> None:
    many = tuple(Statement(MANIFEST.cid, "licence", {"number": number}) for number in range(MAX_STATEMENTS))
    data = Passport(MANIFEST, many).encode()
    assert len(Passport.decode(data).statements) == MAX_STATEMENTS

    with pytest.raises(OverLimit, match="1000 statements"):
        Passport(MANIFEST, (*many, FACTS))
    more = [dagcbor.decode(one.encode()) for one in (MANIFEST, *many, FACTS)]
    with pytest.raises(OverLimit, match="1000 statements"):
        Passport.decode(written(*more, {"schema": "never reached"}))


def test_people_read_the_same_in_json() -> None:
    shown = json.loads(Passport(MANIFEST, (FACTS,)).readable())

    assert (shown["manifest"], shown["files"][0]["sha256"]) == (str(MANIFEST.cid), "00" * 32)
    assert shown["statements"][0]["body"] == {
        "tasks": ["embed"],
        "of": {"/": str(CID.of(b"x"))},
        "raw": {"/": {"bytes": "AAE"}},
    }


def test_its_files_are_told_from_those_of_a_model() -> None:
    assert is_of_passport(".ipfs-accel/model.car")
    assert not is_of_passport(".ipfs-accelerated/model.car")
    assert not is_of_passport("a/.ipfs-accel/model.car")
