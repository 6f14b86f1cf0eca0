"""Proof: a file is read as what it must be, and what a place took without a proof is read back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from ipfs_accel_cli.backends.base import Backend, Batch, Body, Files, Receipt, Replaces, Stat
from ipfs_accel_cli.backends.wrap.base import BatchAround, FilesAround, ReplacesAround, Through, closing, wrapped
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, VerificationFailed


def proven(inner: Backend) -> Backend:
    """Return a backend whose receipts all prove something, but for places where files settle later.

    A put whose receipt proves nothing is read back and hashed, and the receipt then says `reread`. Other bytes are
    deleted where this put brought them, and VerificationFailed is raised. Blocks of DAGs are proven by contract.
    """
    return wrapped(inner, Through(), {Files: _ProvenFiles, Replaces: _ProvenReplaces, Batch: _ProvenBatch})


def verified(files: Files, locator: str, sha256: bytes, size_bytes: int) -> Iterator[bytes]:
    """Yield a whole file and raise VerificationFailed where it is not the one that was expected.

    The last piece is held back until all are proven, so that nobody ever has all bytes of a wrong file.
    """
    hashed, seen, held = hashlib.sha256(), 0, b""
    with closing(files.open(locator)) as pieces:
        for piece in pieces:
            current().check()
            if not piece:
                continue
            seen += len(piece)
            if seen > size_bytes:
                raise VerificationFailed(f"{locator}: more bytes come than the {size_bytes} of the file")
            hashed.update(piece)
            if held:
                yield held
            held = piece
    if seen != size_bytes:
        raise VerificationFailed(f"{locator}: {seen} bytes came, not the {size_bytes} of the file")
    if hashed.digest() != sha256:
        raise VerificationFailed(f"{locator}: the bytes hash to {hashed.hexdigest()}, not to {sha256.hex()}")
    if held:
        yield held


class _ProvenFiles(FilesAround):
    def put(self, body: Body, key: str) -> Receipt:
        is_new = None if self.traits.tells_new else self._inner.stat(key) is None
        receipt = self._inner.put(body, key)
        if self.traits.settles_later:
            return receipt
        return _read_back(self._inner, self.name, body, receipt, ours=receipt.new is True if is_new is None else is_new)


class _ProvenReplaces(ReplacesAround):
    def replace(self, body: Body, key: str, seen: Stat) -> Receipt:
        receipt = self._inner.replace(body, key, seen)
        files = self._inner
        if not isinstance(files, Files) or self.traits.settles_later:
            return receipt
        # The old bytes are gone, so what came wrong off the wire may be all there is.
        return _read_back(files, self.name, body, receipt, ours=False)


class _ProvenBatch(BatchAround):
    def put_all(self, bodies: Sequence[tuple[Body, str]]) -> Sequence[Receipt]:
        receipts = self._inner.put_all(bodies)
        files = self._inner
        if not isinstance(files, Files) or self.traits.settles_later:
            return receipts
        # All or none became visible, so one that is wrong is told and nothing is deleted alone.
        return [
            _read_back(files, self.name, body, receipt, ours=False)
            for (body, _), receipt in zip(bodies, receipts, strict=True)
        ]


def _read_back(files: Files, name: str, body: Body, receipt: Receipt, *, ours: bool) -> Receipt:
    if receipt.proof != "none":
        return receipt
    try:
        for _ in verified(files, receipt.locator, body.sha256, body.size_bytes):
            pass
    except VerificationFailed as error:
        if ours:
            # What is told is the wrong bytes, whether they could be deleted or not.
            with suppress(AccelError):
                files.delete(receipt.locator)
        raise VerificationFailed(f"{name} did not keep what it was given: {error.detail}") from error
    return replace(receipt, proof="reread")
