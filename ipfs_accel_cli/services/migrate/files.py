"""One file on its way from a place of files: hashed, sent, proven there, and seen not to have changed meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from ipfs_accel_cli.backends.base import Backend, Blocks, Body, Dags, Files, OnDisk, Receipt, Replaces, Stat, TakesDags
from ipfs_accel_cli.backends.seen import described, is_strong
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, NotFound, TryAgain, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.services.migrate import hashing
from ipfs_accel_cli.services.migrate.model import Done, Listed, Step, Verify

Wait = Callable[[int], None]


class Gives(Backend, Files, Protocol):
    """A backend of files."""


class Changed(TryAgain):
    """The source changed while it was read."""


@dataclass(frozen=True, slots=True)
class FileCopy:
    """Copies files; `wait` holds back what would go too fast, `count` is told bytes that travelled."""

    source: Files
    target: Backend
    path: str
    wait: Wait
    count: Wait
    immutable: bool = False
    # What was found to be another file than was listed; it is looked at anew.
    stale: set[str] = field(default_factory=set)
    # Which contracts both have; to ask for it anew took longer than to sign a request.
    _files: Files | None = field(init=False, repr=False)
    _is_on_disk: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_files", self.target if isinstance(self.target, Files) else None)
        object.__setattr__(self, "_is_on_disk", isinstance(self.source, OnDisk))

    def key(self, step: Step) -> str:
        """Return the key of an item at the destination."""
        return f"{self.path}/{step.name}" if self.path else step.name

    def run(self, step: Step, verify: Verify, *, replace: bool) -> Done:
        """Bring one file; raises Changed, VerificationFailed, and Conflict where other bytes lie and may not go."""
        listed = step.source
        assert listed is not None
        before = self._before(listed)
        try:
            return self._brought(step, listed, before, verify, replace=replace)
        except (Changed, NotFound):
            self.stale.add(listed.locator)
            raise

    def _brought(self, step: Step, listed: Listed, before: Stat, verify: Verify, *, replace: bool) -> Done:
        found = self._read(listed.locator, before)
        if self._files is not None:
            receipt, replaced = self._put(self._files, found, listed.locator, step, replace=replace)
        elif isinstance(self.target, TakesDags):
            receipt, replaced = self._put_dag(self.target, found, listed.locator), False
        else:
            raise UnsupportedContent(f"{self.target.name} takes no content that is sent to it")
        self._unchanged(listed.locator, before, step.name)
        proof = self._proven(receipt, found, verify)
        return Done(
            receipt.locator,
            found.size_bytes,
            found.size_bytes,
            found.sha256,
            str(found.cid),
            proof,
            verify,
            print=described(before),
            replaced=replaced,
            there=f"{found.size_bytes}|{receipt.etag}|" if is_strong(receipt.etag) else "",
        )

    def verified(self, step: Step, verify: Verify) -> Done:
        """Prove that what lies at both sides is the same, by reading both; nothing is sent."""
        listed = step.source
        assert listed is not None
        before = self.source.stat(listed.locator)
        if before is None:
            raise NotFound(f"{step.name} is not at the source any more")
        found = self._read(listed.locator, before)
        locator = step.destination.locator if step.destination is not None else self.key(step)
        proof = self._proven(Receipt(locator, found.size_bytes, "none"), found, "full")
        self._unchanged(listed.locator, before, step.name)
        return Done(locator, found.size_bytes, 0, found.sha256, str(found.cid), proof, verify, print=described(before))

    def is_unchanged(self, step: Step, done: Done) -> bool:
        """Say whether the source is still what was copied."""
        assert step.source is not None
        now = self.source.stat(step.source.locator)
        return now is not None and described(now) == done.print

    def _before(self, listed: Listed) -> Stat:
        """Return what the source says of a file: a folder says no more than it listed, until that has changed."""
        at, size_bytes = listed.locator, listed.size_bytes
        if size_bytes is not None and at not in self.stale and self._is_on_disk:
            return Stat(at, at, size_bytes, etag=listed.etag, modified_at=listed.modified_at)
        found = self.source.stat(listed.locator)
        if found is None:
            raise NotFound(f"{listed.name} is not at the source any more")
        return found

    def _read(self, locator: str, stat: Stat) -> hashing.Known:
        found = hashing.known(self._pieces(locator))
        if found.size_bytes != stat.size_bytes or (stat.sha256 is not None and stat.sha256 != found.sha256):
            now = self.source.stat(locator)
            if now is None or described(now) != described(stat):
                raise Changed(f"{locator} changed while it was read")
            raise VerificationFailed(f"{locator} is not what its place says of it: it is damaged there")
        return found

    def _pieces(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        for piece in self.source.open(locator, offset, length):
            current().check()
            self.wait(len(piece))
            yield piece

    def _again(self, found: hashing.Known, locator: str) -> Callable[[int, int | None], Iterator[bytes | memoryview]]:
        data = found.data

        def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
            if data is not None:
                end = len(data) if length is None else offset + length
                yield memoryview(data)[offset:end]
                return
            yield from self._pieces(locator, offset, length)

        return read

    def _put(
        self, target: Files, found: hashing.Known, locator: str, step: Step, *, replace: bool
    ) -> tuple[Receipt, bool]:
        """Return the receipt, and whether other bytes made room."""
        key, old = self.key(step), step.destination
        body = Body(found.size_bytes, found.sha256, self._again(found, locator), found.cid)
        if not replace or old is None:
            try:
                receipt = target.put(body, key)
            except Conflict:
                # The listing did not tell whether it is the same, and it is not.
                if self.immutable or old is None:
                    raise
            else:
                self.count(found.size_bytes)
                return receipt, False
        receipt = _over(target, body, key, old)
        self.count(found.size_bytes)
        return receipt, True

    def _put_dag(self, target: TakesDags, found: hashing.Known, locator: str) -> Receipt:
        read = self._again(found, locator)

        def begin() -> Iterator[tuple[CID, bytes]]:
            return hashing.blocks(found, read(0, None))

        receipt = target.put_dag(found.cid, Blocks(begin))
        self.count(found.size_bytes)
        return receipt

    def _unchanged(self, locator: str, before: Stat, name: str) -> None:
        after = self.source.stat(locator)
        if after is None or described(after) != described(before):
            raise Changed(f"{name} changed at the source while it was copied")

    def _proven(self, receipt: Receipt, found: hashing.Known, verify: Verify) -> str:
        if receipt.proof != "none" and (verify != "full" or receipt.proof == "reread"):
            return receipt.proof
        if isinstance(self.target, Files):
            whole, size_bytes = hashlib.sha256(), 0
            for piece in self.target.open(receipt.locator):
                current().check()
                self.wait(len(piece))
                whole.update(piece)
                size_bytes += len(piece)
            if (whole.digest(), size_bytes) != (found.sha256, found.size_bytes):
                raise VerificationFailed(f"{self.target.name}:{receipt.locator} does not hold the bytes of the source")
        elif isinstance(self.target, Dags):
            for block in self.target.get_dag(found.cid):
                self.wait(len(block.data))
        else:
            raise VerificationFailed(f"{self.target.name} gives nothing back that would prove it")
        return "reread"


def _over(target: Files, body: Body, key: str, old: Listed) -> Receipt:
    """Bring a file in the place of the one that the plan saw; raises Conflict where another is there by now."""
    if isinstance(target, Replaces):
        return target.replace(
            body, key, Stat(key, old.locator, old.size_bytes or 0, etag=old.etag, modified_at=old.modified_at)
        )
    target.delete(old.locator)
    return target.put(body, key)
