"""What a node keeps: blocks, DAGs as CAR files, the bytes of files, and pins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ipfs_accel_cli.backends.base import Pin
from ipfs_accel_cli.backends.dags import car_blocks, followed, told
from ipfs_accel_cli.backends.ipfs import answers, refusals
from ipfs_accel_cli.backends.ipfs.compatible import library
from ipfs_accel_cli.backends.ipfs.line import Line
from ipfs_accel_cli.backends.ipfs.sending import Form, car_pieces
from ipfs_accel_cli.content.blocks import is_inline
from ipfs_accel_cli.content.car import MAX_BLOCK_BYTES, Block
from ipfs_accel_cli.content.cid import CID, codec_name
from ipfs_accel_cli.content.walk import block_key
from ipfs_accel_cli.core.bodies import joined
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, TryAgain, Unavailable, VerificationFailed

# js-ipfs knows no `offline` and would look for a block on its network for ever.
_LOOK_SECONDS = 1
PART_BYTES = 8 << 20  # What is in memory of a DAG that is sent, and what a break may cost.


class Content:
    """The calls about content. What the node lacks it looks for on its network only with `fetch`."""

    def __init__(self, line: Line, *, fetch: bool = False) -> None:
        self._line, self._fetch = line, fetch
        self._what = f"the node of {line.server.name}"

    def block(self, cid: CID) -> bytes:
        """Return a block, proven to be what its CID says; raises NotFound."""
        try:
            data = joined(self._line.read("block/get", str(cid), **self._where()), MAX_BLOCK_BYTES)
        except TryAgain as error:
            if self._fetch or not self._is_js or self._listed({cid}):
                raise
            raise NotFound(f"{self._what} does not have {cid}") from error
        if len(data) > MAX_BLOCK_BYTES:
            raise VerificationFailed(f"{self._what} sends more than {MAX_BLOCK_BYTES} bytes for {cid}")
        with told(self._what):
            cid.verify(data)
        return data

    def put_block(self, cid: CID, data: bytes) -> None:
        """Bring a block, not pinned; raises VerificationFailed where the node calls it otherwise."""
        with told(self._what):
            cid.verify(data)
        # Kubo refuses the older word beside its own, and js-ipfs knows no other.
        codec: dict[str, Any] = {"format" if self._is_js else "cid-codec": codec_name(cid.codec)}
        kind = cid.multihash.name
        answer = self._line.ask(
            "block/put", content=Form.of([data]), cid_base="base32", version=cid.version, mhtype=kind, **codec
        )
        named = answers.cid(answers.text(answer, "Key"))
        # Some name every block as a raw one; what is in it is the same.
        if named.multihash != cid.multihash:
            raise VerificationFailed(f"{self._what} calls the block {cid} {named}")

    def block_size(self, cid: CID) -> int:
        """Return how many bytes a block has that the node keeps."""
        return answers.whole(self._line.ask("block/stat", str(cid), **self._where()), "Size")

    def has(self, cids: Sequence[CID]) -> set[CID]:
        """Return those that the node keeps."""
        found, unsure = set(filter(is_inline, cids)), set[CID]()
        if self._is_js and len(cids) > 1:
            return found | self._listed(set(cids) - found)
        for cid in (cid for cid in cids if cid not in found):
            current().check()
            try:
                self._line.ask("block/stat", str(cid), **self._where(look=False))
                found.add(cid)
            except NotFound:
                continue
            except TryAgain:
                if not self._is_js:
                    raise
                unsure.add(cid)
        # js-ipfs says of what it lacks only that it ran out of time, and a list says so for certain.
        return found | (self._listed(unsure) if unsure else set())

    def known(self, cids: Sequence[CID]) -> set[CID]:
        """Return those that need not be brought; none where the node has no call to ask, or no good answer."""
        try:
            # js-ipfs would go on looking for what it lacks.
            return self._listed(set(cids)) if self._is_js else self.has(cids)
        except (refusals.Lacking, TryAgain, Unavailable):
            return set()

    def keeps(self, root: CID) -> bool:
        """Say whether a DAG is pinned, and so all of it there; no where the node has no call to ask."""
        try:
            return next(self.pins(root), None) is not None
        except refusals.Lacking:
            return False

    def dag(self, root: CID) -> Iterator[Block]:
        """Yield a whole DAG, each block proven to be what it claims and to belong there; raises NotFound."""
        pieces = self._line.read("dag/export", str(root), progress=False, offline=not self._fetch)
        try:
            yield from followed(root, car_blocks(pieces, self._what), what=self._what)
        except TryAgain as error:
            # What was left out may have been cut off, or the node has not all of it.
            missing = error.context.get("missing")
            if missing is None or self._fetch or self.has([CID.parse(missing)]):
                raise
            raise NotFound(f"{self._what} has {root} only in part: {missing} is missing") from error

    def bring(self, root: CID, blocks: Iterable[tuple[CID, bytes]]) -> None:
        """Bring what the node lacks of a DAG, its root first, and pin it; the blocks must have been checked.

        They go in parts, since some nodes keep nothing of what broke off. Raises VerificationFailed where the node pins
        another root.
        """
        waiting = iter(blocks)
        first = following = next(waiting, None)
        while following is not None:
            part, part_bytes = [following], len(following[1])
            while (following := next(waiting, None)) is not None and part_bytes < PART_BYTES:
                part.append(following)
                part_bytes += len(following[1])
            if following is not None:
                for _ in self._imported(root, part, pin=False):
                    current().check()
            else:
                self._pin_last(root, part if first in part or first is None else [first, *part])

    def _pin_last(self, root: CID, blocks: Sequence[tuple[CID, bytes]]) -> None:
        kept, others = False, list[str]()
        for item in self._imported(root, blocks, pin=True):
            stated = item.get("Root")
            if not isinstance(stated, dict):
                continue
            named = answers.cid(stated.get("Cid"))
            if message := stated.get("PinErrorMsg"):
                raise VerificationFailed(f"{self._what} took {named} and does not pin it: {str(message)[:300]}")
            same = block_key(named) == block_key(root)
            kept |= same
            others += [] if same else [str(named)]
        if others:
            raise VerificationFailed(f"{self._what} calls {root} otherwise: {', '.join(others[:3])}")
        if not kept:
            raise TryAgain(f"{self._what} does not say that it keeps {root}")

    def _imported(self, root: CID, blocks: Iterable[tuple[CID, bytes]], *, pin: bool) -> Iterator[dict[str, Any]]:
        sent = Form.of(car_pieces(root, blocks))
        return self._line.objects("dag/import", content=sent, slow=True, pin_roots=pin, cid_base="base32")

    def cat(self, path: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file as the node has put them together: they are not proven."""
        return self._line.read("cat", path, offset=offset, length=length, offline=not self._fetch)

    def pin(self, cid: CID, name: str = "") -> Pin:
        """Pin a DAG, fetched by the node where it lacks some of it."""
        named = list[CID]()
        for item in self._line.objects(
            "pin/add", str(cid), slow=True, recursive=True, progress=True, name=name or None, cid_base="base32"
        ):
            current().progress(float(item.get("Progress") or 0), None, f"Pinning {cid}: blocks")
            named += map(answers.cid, answers.rows(item, "Pins"))
        if block_key(cid) not in map(block_key, named):
            raise TryAgain(f"{self._what} does not say that it pinned {cid}")
        return next(self.pins(cid), Pin(cid, "pinned"))

    def pins(self, cid: CID | None = None) -> Iterator[Pin]:
        """Yield the recursive pins, or that of a DAG."""
        asked = (str(cid),) if cid else ()
        with suppress(NotFound):
            for item in self._line.objects(
                "pin/ls", *asked, type="recursive", stream=True, names=True, cid_base="base32", offline=True
            ):
                current().check()
                yield from _pins(item)

    def unpin(self, cid: CID) -> None:
        """Take the pin off a DAG; what has none is no error."""
        with suppress(NotFound):
            library(self._line).pin.rm(str(cid), opts={"offline": "true"})

    def _listed(self, cids: set[CID]) -> set[CID]:
        wanted = {cid.multihash: cid for cid in cids}
        listed = (answers.cid(item.get("Ref")) for item in self._line.objects("refs/local"))
        return {cid for one in listed if (cid := wanted.get(one.multihash)) is not None}

    def _where(self, *, look: bool = True) -> dict[str, Any]:
        if self._fetch and look:
            return {}
        return {"timeout": f"{_LOOK_SECONDS}s"} if self._is_js else {"offline": True}

    @property
    def _is_js(self) -> bool:
        return "ipfs-core" in self._line.version()


def _pins(item: Any) -> Iterator[Pin]:
    """Read a line of a stream, or all pins in one object as nodes without streams answer."""
    listed = item["Keys"].items() if isinstance(item.get("Keys"), dict) else [(item.get("Cid"), item)]
    for cid, facts in listed:
        name = facts.get("Name") if isinstance(facts, dict) else None
        yield Pin(answers.cid(cid), "pinned", name=str(name or ""))
