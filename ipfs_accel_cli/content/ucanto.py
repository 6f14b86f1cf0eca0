"""Messages between agents: invocations on the way there, receipts on the way back, both in one CAR.

Source: https://github.com/storacha/ucanto, message 7.0.0; receipts as in https://github.com/ucan-wg/invocation 0.1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import car, dagcbor, principal, ucan
from .car import Block
from .cid import CID, DAG_CBOR
from .errors import ContentError, Malformed
from .principal import Signer
from .ucan import Token

MEDIA_TYPE = "application/vnd.ipld.car"
_MESSAGE = "ucanto/message@7.0.0"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of an invocation: `ok` or `error`, and the invocations that it led to (`forks`)."""

    ran: CID
    ok: Any = None
    error: Any = None
    forks: tuple[CID, ...] = ()
    issuer: str = ""
    signed: bool | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that came back: the receipts that it reports, and whatever else came with it."""

    reported: Mapping[CID, Receipt]
    blocks: Mapping[CID, bytes]

    def receipt(self, ran: CID) -> Receipt | None:
        """Return the receipt of an invocation, reported or only enclosed; None where there is none."""
        if ran in self.reported:
            return self.reported[ran]
        return next((one for one in self._receipts() if one.ran == ran), None)

    def invocation(self, cid: CID) -> Token | None:
        """Return an invocation that came along; None where it did not."""
        return ucan.decode(cid, self.blocks[cid]) if cid in self.blocks else None

    def _receipts(self) -> Iterator[Receipt]:
        for cid in self.blocks:
            if cid.codec == DAG_CBOR and (found := _enclosed(cid, self.blocks)) is not None:
                yield found


def request(invocations: Sequence[Token], enclosed: Sequence[Block] = ()) -> bytes:
    """Write a message that asks for invocations; `enclosed` are the proofs and whatever else they link to."""
    blocks = [one.block() for one in invocations]
    root = _block({_MESSAGE: {"execute": [block.cid for block in blocks]}})
    return _archive(root, [*enclosed, *blocks])


def reply(receipts: Sequence[tuple[CID, Block]], enclosed: Sequence[Block] = ()) -> bytes:
    """Write a message that reports receipts, each given with the invocation it is of."""
    root = _block({_MESSAGE: {"report": {str(ran): block.cid for ran, block in receipts}}})
    return _archive(root, [*enclosed, *(block for _, block in receipts)])


def read(data: bytes) -> Answer:
    """Read a message; every block is checked. Raises Malformed and Mismatch."""
    reader = car.open_reader(io.BytesIO(data))
    blocks = dict(reader.blocks)
    if not reader.roots or reader.roots[0] not in blocks:
        raise Malformed("the message has no root")
    root = dagcbor.decode(blocks[reader.roots[0]])
    message = root.get(_MESSAGE) if isinstance(root, dict) else None
    if not isinstance(message, dict):
        raise Malformed(f"the answer is no {_MESSAGE}")
    report = message.get("report", {})
    if not isinstance(report, dict):
        raise Malformed("the report of the message is no map")
    return Answer({CID.parse(ran): _receipt(link, blocks) for ran, link in report.items()}, blocks)


def receipt_block(signer: Signer, ran: CID, ok: Any) -> Block:
    """Return a signed receipt which says that an invocation went well."""
    outcome = {"ran": ran, "out": {"ok": ok}, "fx": {"fork": []}, "meta": {}, "iss": signer.did, "prf": []}
    return _block({"ocm": outcome, "sig": signer.sign(dagcbor.encode(outcome))})


def _enclosed(cid: CID, blocks: Mapping[CID, bytes]) -> Receipt | None:
    try:
        return _receipt(cid, blocks)
    except ContentError:
        return None


def _receipt(cid: Any, blocks: Mapping[CID, bytes]) -> Receipt:
    if not isinstance(cid, CID) or cid not in blocks:
        raise Malformed("a receipt of the message did not come with it")
    body = dagcbor.decode(blocks[cid])
    outcome = body.get("ocm") if isinstance(body, dict) else None
    if not isinstance(outcome, dict) or not isinstance(outcome.get("ran"), CID):
        raise Malformed("this block is no receipt")
    out, effects, issuer = outcome.get("out"), outcome.get("fx", {}), outcome.get("iss", "")
    if not isinstance(out, dict) or not ("ok" in out) ^ ("error" in out) or not isinstance(issuer, str):
        raise Malformed("a receipt says neither that it went well nor that it did not")
    forks = effects.get("fork", []) if isinstance(effects, dict) else []
    links = tuple(link for link in forks if isinstance(link, CID)) if isinstance(forks, list) else ()
    signature = body.get("sig")
    signed = None
    if issuer and isinstance(signature, bytes):
        signed = principal.signature_holds(issuer, dagcbor.encode(outcome), signature)
    return Receipt(outcome["ran"], out.get("ok"), out.get("error"), links, issuer, signed)


def _block(value: Any) -> Block:
    data = dagcbor.encode(value)
    return Block(CID.of(data, DAG_CBOR), data)


def _archive(root: Block, blocks: Sequence[Block]) -> bytes:
    stream = io.BytesIO()
    car.write(stream, [root.cid], dict.fromkeys([*blocks, root]))
    return stream.getvalue()
