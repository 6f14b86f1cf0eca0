"""Sending a file: small ones with one request, others in parts that go on after a crash with what is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from ipfs_accel_cli.backends.base import Body, Proof, Receipt
from ipfs_accel_cli.backends.s3 import bodies, stated
from ipfs_accel_cli.backends.s3.notes import Note, Notes, Sent
from ipfs_accel_cli.backends.s3.parts import LIMITS, SINGLE_BYTES, base64_of, composite, digest_of, held_parts, spans
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Conflict, NotFound, TryAgain, VerificationFailed
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.core.parts import Pace, Parts, to_send
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_bodies import sending

UNLESS_THERE: Mapping[str, str] = {"IfNoneMatch": "*"}


@dataclass(frozen=True, slots=True)
class Sending:
    """One file on its way to a key; `full` is the key in the bucket, `key` the one at the backend.

    `lying` looks what is under the key, and `believed` says whether what the server states of a digest is proof.
    By the `pace` at which bytes get there it is cut. The `condition` is what must hold for it to become visible.
    """

    bucket: Bucket
    notes: Notes
    body: Body
    full: str
    key: str
    lying: Callable[[], Receipt | None]
    believed: Callable[[], bool]
    pace: Pace
    condition: Mapping[str, str] = field(default_factory=lambda: UNLESS_THERE)

    @property
    def what(self) -> str:
        return f"{self.bucket.place.bucket}/{self.full}"

    def sent(self) -> Receipt:
        """Send it by one request or by several, as its size asks for; raises Conflict where the condition fails."""
        return self.at_once() if self.body.size_bytes <= SINGLE_BYTES else self.in_parts()

    def at_once(self, learn: Callable[[Callable[[], object]], None] = lambda _: None) -> Receipt:
        """Send all bytes with one request; raises Conflict where others are there.

        `learn` is given how to send them again, once they are there.
        """
        data = bodies.whole(self.body, self.key)
        digest = base64_of(self.body.sha256)
        given: dict[str, Any] = {
            "Key": self.full,
            "Body": sending(data),
            "ChecksumSHA256": digest,
            **self.condition,
            "Metadata": self._metadata(),
        }
        try:
            answer = self.bucket.ask("put_object", self.what, **given)
        except Conflict:
            return self._already()
        learn(lambda: self.bucket.once("put_object", self.what, **given))
        return self._receipt(answer.get("ChecksumSHA256") == digest, answer)

    def in_parts(self) -> Receipt:
        """Send the parts that the server lacks and let it put them together; raises Conflict where others are there."""
        wished = to_send(self.body.size_bytes, self.pace, LIMITS)
        note, there = self._going_on()
        if note is None:
            note, there = self._begun(wished), {}
        cut = spans(self.body.size_bytes, note.part_bytes)
        rooms: SimpleQueue[bytearray] = SimpleQueue()
        for _ in range(held_parts(note.part_bytes, wished.parallel)):
            rooms.put(bytearray())
        begun = note

        def send(part: bodies.Part) -> Sent:
            try:
                return self._sent(begun, part, there.get(part.span.number))
            finally:
                rooms.put(part.buffer)

        try:
            read = bodies.parts(self.body, cut, self.key, lambda: _waited(rooms))
            sent = list(ordered(send, read, wished.parallel))
        except VerificationFailed:
            self._abort(note)
            raise
        except NotFound as error:
            return self._vanished(note, error)
        return self._completed(note, sent)

    def _going_on(self) -> tuple[Note | None, dict[int, dict[str, Any]]]:
        """Return the note of an upload that the server still has, and what it has of its parts by their number."""
        note = self.notes.find(self.full, self.body.sha256)
        if note is None:
            return None, {}
        there: dict[int, dict[str, Any]] = {}
        more: dict[str, int] = {}
        try:
            while True:
                page = self.bucket.ask("list_parts", self.what, **self._upload(note), **more)
                there |= {int(part["PartNumber"]): part for part in page.get("Parts", ())}
                following = int(page.get("NextPartNumberMarker") or 0)
                if not page.get("IsTruncated") or following <= more.get("PartNumberMarker", 0):
                    return note, there
                more = {"PartNumberMarker": following}
        except NotFound:
            note.remove()
            return None, {}

    def _begun(self, wished: Parts) -> Note:
        answer = self.bucket.ask(
            "create_multipart_upload",
            self.what,
            Key=self.full,
            ChecksumAlgorithm="SHA256",
            ChecksumType="COMPOSITE",
            Metadata=self._metadata() | {stated.CUT: str(wished.part_bytes)},
        )
        return self.notes.begin(self.full, self.body.sha256, str(answer["UploadId"]), wished.part_bytes)

    def _sent(self, note: Note, part: bodies.Part, there: dict[str, Any] | None) -> Sent:
        """Send a part, unless the server has stated that it has just this one."""
        current().check()
        digest, number = part.digest(), part.span.number
        if there is not None and there.get("Size") == part.span.length:
            known = note.sent.get(number)
            etag = str(there.get("ETag"))
            if "ChecksumSHA256" in there and digest_of(there["ChecksumSHA256"]) == digest:
                return Sent(number, digest, etag, stated=True)
            # Some servers list no digests; the tag tells that it is still the part that was taken.
            if "ChecksumSHA256" not in there and known is not None and (known.sha256, known.etag) == (digest, etag):
                return known
        text = base64_of(digest)
        answer = self.bucket.ask(
            "upload_part",
            f"part {number} of {self.what}",
            **self._upload(note),
            PartNumber=number,
            Body=part.payload(),
            ChecksumSHA256=text,
        )
        sent = Sent(number, digest, str(answer["ETag"]), stated=answer.get("ChecksumSHA256") == text)
        note.add(sent)
        return sent

    def _completed(self, note: Note, sent: list[Sent]) -> Receipt:
        listed = [{"PartNumber": one.number, "ETag": one.etag, "ChecksumSHA256": base64_of(one.sha256)} for one in sent]
        try:
            answer = self.bucket.ask(
                "complete_multipart_upload",
                self.what,
                **self._upload(note),
                MultipartUpload={"Parts": listed},
                **self.condition,
            )
        except NotFound as error:
            return self._vanished(note, error)
        except Conflict:
            return self._lost(note)
        note.remove()
        told = answer.get("ChecksumSHA256")
        if told is None:
            told = (stated.head(self.bucket, self.full, self.what) or {}).get("ChecksumSHA256")
        own = composite([one.sha256 for one in sent])
        return self._receipt(all(one.stated for one in sent) and str(told) in (own, own.partition("-")[0]), answer)

    def _vanished(self, note: Note, error: NotFound) -> Receipt:
        """Say what became of an upload that the server no longer has: it was completed, or somebody ended it."""
        if error.context.get("answer") == "NoSuchBucket":
            raise error
        note.remove()
        receipt = self.lying()
        if receipt is None:
            raise TryAgain(f"the upload of {self.what} was ended at the server; run the command again") from error
        return receipt

    def _lost(self, note: Note) -> Receipt:
        """Say what became of an upload that came second: whoever was first wrote the same bytes, or others."""
        self._abort(note)
        return self._already()

    def _already(self) -> Receipt:
        receipt = self.lying()
        if receipt is None:
            raise TryAgain(f"{self.what} was there for a moment only; run the command again")
        return receipt

    def _abort(self, note: Note) -> None:
        with suppress(AccelError):
            self.bucket.ask("abort_multipart_upload", self.what, **self._upload(note))
        note.remove()

    def _upload(self, note: Note) -> dict[str, str]:
        return {"Key": self.full, "UploadId": note.upload_id}

    def _metadata(self) -> dict[str, str]:
        return {stated.NOTED: self.body.sha256.hex()}

    def _receipt(self, told: bool, answer: Mapping[str, Any]) -> Receipt:
        proof: Proof = "checksum" if told and self.believed() else "none"
        return Receipt(self.key, self.body.size_bytes, proof, new=True, etag=str(answer.get("ETag") or "") or None)


def _waited(rooms: SimpleQueue[bytearray]) -> bytearray:
    """Wait until what a buffer held was sent, so that no more than a few parts are in memory."""
    while True:
        current().check()
        with suppress(Empty):
            return rooms.get(timeout=0.2)
