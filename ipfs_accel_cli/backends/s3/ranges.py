"""Fetching an object by several connections at a time, where one alone would mostly wait for its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from ipfs_accel_cli.backends.s3.parts import Span, spans
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Unavailable
from ipfs_accel_cli.core.lines import Answer, Lines, get, is_straight
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.core.parts import MIB, Pace, at_a_time, to_read
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_errors import of_page
from ipfs_accel_cli.core.s3_reading import PART, read, wanted

FIRST_BYTES = MIB  # What comes first tells how much there is; a small object is all in it.
LEAST_BYTES = 4 * MIB  # A shorter range is not worth it.
_MAX_PAGE_BYTES = 1 << 16


def fetched(
    bucket: Bucket, key: str, what: str, offset: int, length: int | None, pace: Callable[[], Pace]
) -> Iterator[bytes]:
    """Yield the bytes of an object from an offset on, as `read` does; in parts at a time where the way is long.

    Raises what `read` does, and Conflict where the object becomes another one meanwhile.
    """
    current().needs_network(f"fetching {what}")
    if is_straight() and (length is None or length >= LEAST_BYTES):
        known = pace()
        if (at_a_time(known.read_bytes_s, known.latency_s) or 1) > 1:
            yield from _Ranges(bucket, key, what).all(offset, length, known)
            return
    yield from read(bucket, key, what, offset, length)


@dataclass(frozen=True, slots=True)
class _Ranges:
    bucket: Bucket
    key: str
    what: str

    def all(self, offset: int, length: int | None, pace: Pace) -> Iterator[bytes]:
        first = self._first(offset)
        if first is None:  # A server that gives no parts, or a refusal, which is told there.
            yield from read(self.bucket, self.key, self.what, offset, length)
            return
        data, total, etag = first
        yield data
        begin = offset + len(data)
        rest = total - begin if length is None else min(total - begin, length - len(data))
        cut = to_read(rest, pace)
        with closing(Lines(self.bucket.certificates)) as lines:
            parts = ordered(
                lambda span: self._part(lines, begin, span, total, etag), spans(rest, cut.part_bytes), cut.parallel
            )
            with closing(parts):
                yield from parts

    def _first(self, offset: int) -> tuple[bytes, int, str] | None:
        """Return the first bytes, how many there are in all, and the tag of the object."""
        headers = _headers(offset, FIRST_BYTES)
        with get(self.bucket.address(self.key), headers, self.what, certificates=self.bucket.certificates) as answer:
            told, etag = PART.fullmatch(answer.headers.get("content-range", "")), answer.headers.get("etag", "")
            if answer.status != 206 or told is None or told["total"] == "*" or not etag:
                return None
            expected = wanted(answer, self.what, offset, FIRST_BYTES)
            data = b"".join(answer.pieces)
            return (data, int(told["total"]), etag) if len(data) == expected else None

    def _part(self, lines: Lines, begin: int, span: Span, total: int, etag: str) -> bytes:
        """Return one part, patiently; it is one of the very object that the first bytes were of."""
        offset = begin + span.offset

        def asked() -> bytes:
            current().check()
            headers = (_headers(offset, span.length) | {"if-match": etag}).items()
            limit = max(span.length, _MAX_PAGE_BYTES)
            answer = lines.send("GET", self.bucket.address(self.key), headers, (), self.what, limit)
            data = b"".join(answer.pieces)
            self._same(answer, data, total, etag)
            if wanted(answer, self.what, offset, span.length) != span.length or len(data) != span.length:
                raise Unavailable(f"{self.what}: the server sends {len(data)} bytes where {span.length} were asked for")
            return data

        return patiently(asked)

    def _same(self, answer: Answer, page: bytes, total: int, etag: str) -> None:
        changed = f"{self.what} became another object while it was read; run the command again"
        if answer.status == 412:
            raise Conflict(changed)
        if answer.status != 206:
            bucket = self.bucket
            raise of_page(answer.status, answer.headers, page, self.what, bucket.place.bucket, bucket.login())
        told = PART.fullmatch(answer.headers.get("content-range", ""))
        if answer.headers.get("etag", etag) != etag or (told is not None and told["total"] not in ("*", str(total))):
            raise Conflict(changed)


def _headers(offset: int, length: int) -> dict[str, str]:
    return {"accept-encoding": "identity", "range": f"bytes={offset}-{offset + length - 1}"}
