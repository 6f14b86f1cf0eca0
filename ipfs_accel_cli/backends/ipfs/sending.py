"""What is sent with a call: a file in a form, and a DAG as a CAR file; both are made as they are sent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ipfs_accel_cli.content import car, varint
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current

_PIECE_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Form:
    """A file to be sent with a call, as `multipart/form-data`; its bytes come as they are needed."""

    data: Iterable[bytes]
    boundary: str

    @classmethod
    def of(cls, data: Iterable[bytes]) -> Form:
        """Return a form around a file, with a boundary that nobody can have put into it."""
        return cls(data, f"ipfs-accel-{os.urandom(12).hex()}")

    @property
    def kind(self) -> str:
        """The media type of the whole."""
        return f"multipart/form-data; boundary={self.boundary}"

    def pieces(self) -> Iterator[bytes]:
        """Yield the form around the file."""
        named = 'Content-Disposition: form-data; name="file"; filename="file"\r\n'
        yield f"--{self.boundary}\r\n{named}Content-Type: application/octet-stream\r\n\r\n".encode()
        for piece in self.data:
            current().check()
            yield piece
        yield f"\r\n--{self.boundary}--\r\n".encode()


class _Head(bytearray):
    write = bytearray.extend


def car_pieces(root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Iterator[bytes]:
    """Yield a CARv1 with one root; small blocks go together, large ones as they are."""
    waiting = _Head()
    car.write(waiting, [root], ())
    for cid, data in blocks:
        name = bytes(cid)
        waiting += varint.encode(len(name) + len(data)) + name
        if len(data) < _PIECE_BYTES:
            waiting += data
            if len(waiting) < _PIECE_BYTES:
                continue
            yield bytes(waiting)
        else:
            yield bytes(waiting)
            yield data
        waiting.clear()
    if waiting:
        yield bytes(waiting)
