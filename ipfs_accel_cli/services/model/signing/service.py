"""Signing models, and judging the signatures about them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ipfs_accel_cli.content import didkey, dsse
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, VerificationFailed
from ipfs_accel_cli.services.model import tables
from ipfs_accel_cli.services.model.content import Root, Store
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.services.model.register import KIND_STATEMENT
from ipfs_accel_cli.services.model.signing import envelopes, intoto, judging, predicates
from ipfs_accel_cli.services.model.signing.judging import ATTESTATION, KINDS, SIGNATURE
from ipfs_accel_cli.services.model.signing.results import Attested, Judged, Signed
from ipfs_accel_cli.services.model.signing.trust import Signer, Trust

MODEL_SIGNING = "model-signing"


@dataclass(frozen=True, slots=True)
class Signatures:
    """What is signed about the models of one home, and whose signatures count there.

    `measured` returns the CIDs of the statements about a manifest that evaluations in this home made.
    """

    store: Store
    registry: tables.Tables
    lookup: Lookup
    trust: Trust
    measured: Callable[[str], Collection[str]]

    def sign(
        self, name: str, key_file: Path | None = None, layout: str = "in-toto", output: Path | None = None
    ) -> Signed:
        """Sign the manifest and every file of a model and keep the signature with it; again gives the same one.

        Raises NotFound, LimitReached for a model of too many files, and what `Keys.signer` raises.
        """
        known, signer = self._known(name), self.trust.keys().signer(key_file)
        if layout == MODEL_SIGNING:
            data, said = intoto.model_signing_payload(known.manifest, known.named.name), intoto.MODEL_SIGNING
        else:
            found = predicates.manifest(known.manifest)
            data, said = intoto.payload(known.manifest, found.type, found.body), found.type
        return self._kept(known, SIGNATURE, said, data, signer, output)

    def attest(
        self,
        name: str,
        predicate: str,
        uri: str | None = None,
        key_file: Path | None = None,
        output: Path | None = None,
    ) -> Signed:
        """Sign what is known of a model, or the user's own JSON object, and keep that with it.

        Raises NotFound for what is not known, UnsafeContent when the scan finds something, VerificationFailed when the
        last verification did, Invalid, LimitReached, and what `Keys.signer` raises.
        """
        known = self._known(name)
        if predicate in predicates.TYPES and uri is not None:
            raise Invalid(f"{predicate} has its own type; --type is for a JSON file of yours")
        signer = self.trust.keys().signer(key_file)
        said = self._said(known, predicate, uri, didkey.encode(signer.public_key))
        data = intoto.payload(known.manifest, said.type, said.body)
        return self._kept(known, ATTESTATION, said.type, data, signer, output)

    def verify(
        self,
        name: str,
        keys: Sequence[str] = (),
        kind: str | None = None,
        file: Path | None = None,
        *,
        require: bool = False,
    ) -> Attested:
        """Judge every signature about a model: those kept with it, or those in a file.

        With `keys` only these count, and one of them is required. What may say anything, such as that a model is bad,
        is enough only if its `kind` is asked for. Raises VerificationFailed, whose `errors` name each signature, when
        one is invalid or what is required is missing; NotFound and Invalid.
        """
        known = self._known(name)
        trusted = self.trust.chosen(keys)
        found = list(self._in_file(known, file, trusted) if file is not None else self._with(known, trusted))
        wanted = predicates.SIGNING if kind is None else {predicates.TYPES.get(kind, kind)}
        if kind is not None:
            found = [one for one in found if one.predicate_type in wanted or one.verdict == "invalid"]
        whole = sum(
            one.verdict == "trusted" and one.covers == "model" and one.predicate_type in wanted for one in found
        )
        _check(known, found, kind, missing=(require or bool(keys)) and not whole)
        state, detail = self._bytes(known)
        return Attested(
            name=known.named.name,
            manifest_cid=known.named.manifest,
            bytes_state=state,
            bytes_detail=detail,
            signatures=found,
            trusted=whole,
            unknown=sum(one.verdict == "unknown-key" for one in found),
            unchecked=sum(one.verdict == "unchecked" for one in found),
        )

    def _said(self, known: Known, predicate: str, uri: str | None, signer: str) -> predicates.Said:
        if predicate == "provenance":
            return predicates.provenance(self.lookup, known, signer)
        if predicate == "verification":
            return predicates.verification(self.registry, known)
        if predicate == "scan":
            return predicates.scan(self.store, known, tables.now())
        if predicate == "evaluation":
            return predicates.evaluation(known, self.measured(known.named.manifest))
        return predicates.own(current().path(predicate), uri)

    def _kept(
        self,
        known: Known,
        kind: Literal["signature", "attestation"],
        said: str,
        data: bytes,
        signer: Signer,
        output: Path | None,
    ) -> Signed:
        did = didkey.encode(signer.public_key)
        signature = dsse.Signature(did, signer.sign(dsse.pae(intoto.PAYLOAD_TYPE, data)))
        envelope = dsse.Envelope(intoto.PAYLOAD_TYPE, data, (signature,))
        statement = Statement(known.manifest.cid, kind, envelope.body())
        unchanged = any(cid == str(statement.cid) for _, cid, _ in known.statements)
        if not unchanged:
            self._keep(known, statement)
        if output is not None:
            envelopes.add(output, envelope)
        return Signed(
            name=known.named.name,
            manifest_cid=known.named.manifest,
            kind=kind,
            predicate_type=said,
            signer=did,
            statement_cid=str(statement.cid),
            unchanged=unchanged,
            output=str(output) if output is not None else None,
        )

    def _keep(self, known: Known, statement: Statement) -> None:
        manifest = known.named.manifest

        def also(connection: sqlite3.Connection) -> None:
            if connection.execute("SELECT 1 FROM models WHERE manifest = ?", (manifest,)).fetchone() is None:
                raise Conflict(f"{known.named.name} was removed meanwhile", suggestion="ipfs-accel model ls")
            tables.add_statement(connection, statement.subject, statement.kind, statement.cid)

        with self.store.session() as session:
            session.block(statement.cid, statement.encode())
            session.commit([Root(statement.cid, tables.OWNER, manifest, KIND_STATEMENT)], also)

    def _with(self, known: Known, trusted: dict[bytes, str]) -> Iterator[Judged]:
        for kind, cid, body in known.statements:
            if kind in KINDS:
                yield from _judged(dsse.of_body, body, known, trusted, cid)

    def _in_file(self, known: Known, file: Path, trusted: dict[bytes, str]) -> Iterator[Judged]:
        for line in envelopes.read(file):
            yield from _judged(dsse.decode, line, known, trusted, None)

    def _bytes(self, known: Known) -> tuple[Literal["verified", "registered", "damaged"], str]:
        check = self.registry.checked(known.named.manifest)
        line = f"ipfs-accel model verify {known.named.name}@{known.named.version}"
        if check is None:
            return "registered", f"the bytes were proven when they were registered; `{line}` reads them again"
        if check.problem:
            return "damaged", f"{check.problem}; `{line}` reads them again"
        return "verified", f"the bytes were read again and are right, at {check.checked_at}"

    def _known(self, name: str) -> Known:
        return self.lookup.describe(self.lookup.find(name))


def _judged(
    read: Callable[[Any], dsse.Envelope], source: Any, known: Known, trusted: dict[bytes, str], cid: str | None
) -> list[Judged]:
    try:
        return judging.judge(read(source), known.manifest, trusted, cid)
    except ContentError as error:
        return [judging.unreadable(error, cid)]


def _check(known: Known, found: Sequence[Judged], kind: str | None, *, missing: bool) -> None:
    bad = [one for one in found if one.verdict == "invalid"]
    if not bad and not missing:
        return
    name = known.named.name
    lacking = f"statement of the type {kind}" if kind is not None else "signature"
    attested = kind is None and any(one.verdict == "trusted" and one.covers == "model" for one in found)
    hint = "; attestations count with --type" if attested else ""
    detail = (
        f"{len(bad)} of {len(found)} signatures about {name} are invalid: {bad[0].detail}"
        if bad
        else f"no {lacking} over all of {name} is by a key that is trusted{hint}"
    )
    raise VerificationFailed(
        detail,
        suggestion=f"ipfs-accel model show {name}" if bad else "ipfs-accel model trust",
        errors=[
            {"pointer": one.statement_cid or f"line {index}", "detail": f"{one.verdict}: {one.detail}"}
            for index, one in enumerate(found, 1)
        ],
    )
