"""Content held open: many reads at any offset, for what it costs to find it once."""

from __future__ import annotations

import os
from types import TracebackType

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.services.store.reading import Reader


class OpenContent:
    """A file's bytes at any offset until `close`; safe to share between threads.

    What was checked when it was opened (that the object has its size, that a linked file was not touched) is not
    checked again for each read. An object that gc removes meanwhile stays readable here, as any open file does.
    """

    def __init__(self, reader: Reader, cid: CID) -> None:
        named = reader.readable(cid)
        self.cid = cid
        self.size_bytes = named.size_bytes
        self._reader = reader
        self._descriptor = named.file.object.open() if named.file is not None else -1

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer only where the content ends.

        Raises Invalid for a negative number, MalformedContent when the file was cut short, and for content that is kept
        as single blocks what reading those raises.
        """
        if self._descriptor >= 0 and offset >= 0 and length >= 0:
            data = os.pread(self._descriptor, length, offset)
            if len(data) == length:
                return data
        return self._read_rest(offset, length)

    def close(self) -> None:
        """Let go of the file; again is no error."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> OpenContent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read_rest(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0:
            raise Invalid("an offset and a length are 0 or more")
        count = max(0, min(length, self.size_bytes - offset))
        if self._descriptor < 0:
            return b"".join(map(bytes, self._reader.content(self.cid, min(offset, self.size_bytes), count)))
        pieces = bytearray()
        # One call to the system reads 2 GiB at the most.
        while len(pieces) < count:
            piece = os.pread(self._descriptor, count - len(pieces), offset + len(pieces))
            if not piece:
                raise MalformedContent(f"{self.cid} ends at {offset + len(pieces)} of {self.size_bytes} bytes")
            pieces += piece
        return bytes(pieces)
