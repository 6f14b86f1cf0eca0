"""The body of an answer, read as it came: without a detour where `core/direct.py` holds the connection."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class BodyReader:
    """Reads the body of a streamed answer, not decompressed; raises what httpx raises.

    `ended` says that more was wanted than there was.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._request = response.request
        self._body = response.extensions.get("direct_body")
        self._pieces = None if self._body is not None else response.iter_raw()
        self._piece = memoryview(b"")
        self.ended = False

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, fewer only at the end."""
        data = self._joined(size) if self._body is None else self._direct(size)
        self.ended = self.ended or len(data) < size
        return data

    def _direct(self, size: int) -> bytes:
        from ipfs_accel_cli.core.direct import check_end, of_http

        assert self._body is not None
        try:
            data: bytes = self._body.read(size)
            if len(data) < size:
                check_end(self._body)
        except (OSError, HTTPException, ValueError) as error:
            raise of_http(error, self._request) from error
        return data

    def _joined(self, size: int) -> bytes:
        parts: list[memoryview] = []
        while size:
            if not self._piece:
                self._piece = memoryview(next(self._pieces or iter(()), b""))
                if not self._piece:
                    break
            parts.append(self._piece[:size])
            self._piece = self._piece[size:]
            size -= len(parts[-1])
        return b"".join(parts)
