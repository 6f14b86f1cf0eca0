"""The body of an answer at the speed of the connection: httpx gives it out in 64 KiB, which costs more than hashing."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.call import current

if TYPE_CHECKING:
    import httpx

_WINDOW_BYTES = 256 << 10  # It stays in the cache of one core.
_LARGE_BYTES = 64 << 10  # So much at once is not copied through the window.


class BodyReader:
    """Reads the body of a streamed answer as it was sent, not decompressed; raises what httpx raises.

    Where the length is known, all but the beginning is read from the connection itself, which is then not used again.
    `ended` says that more was wanted than there was.
    """

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._pieces = response.iter_raw()
        self._piece = memoryview(b"")
        self._direct: int | None = None  # How much is left of a body that is read from the connection.
        self._begun = False
        self._window = memoryview(bytearray(_WINDOW_BYTES))
        self._at = self._end = 0
        self.ended = False

    @property
    def waiting(self) -> int:
        """Count the bytes that can be read without waiting."""
        return self._end - self._at + len(self._piece)

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, fewer only at the end."""
        here = self._end - self._at
        if here < size and size >= _LARGE_BYTES:
            return self._large(size)
        while here < size and self._fill():
            here = self._end - self._at
        self.ended = self.ended or here < size
        start, self._at = self._at, min(self._at + size, self._end)
        return bytes(self._window[start : self._at])

    def _large(self, size: int) -> bytes:
        # What a BytesIO holds becomes its value without being copied.
        target = BytesIO()
        target.seek(size - 1)
        target.write(b"\0")
        done = self._end - self._at
        with target.getbuffer() as view:
            view[:done] = self._window[self._at : self._end]
            self._at = self._end
            while done < size and (count := self._take(view[done:])):
                done += count
        if done < size:
            self.ended = True
            target.truncate(done)
        return target.getvalue()

    def _fill(self) -> bool:
        """Take what is there into the window; False at the end."""
        kept = bytes(self._window[self._at : self._end])
        self._window[: len(kept)] = kept
        self._at, self._end = 0, len(kept)
        count = self._take(self._window[self._end :])
        self._end += count
        return count > 0

    def _take(self, view: memoryview) -> int:
        """Take what is there, waiting for it; 0 at the end."""
        if not self._piece:
            if self._direct is not None:
                return self._receive(view[: self._direct]) if self._direct else 0
            self._piece = memoryview(next(self._pieces, b""))
            if not self._begun:
                self._begun, length = True, _length(self._response)
                # What had come with the head of the answer is all in the first piece.
                self._direct = None if length is None else length - len(self._piece)
        count = min(len(view), len(self._piece))
        view[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count

    def _receive(self, view: memoryview) -> int:
        import httpx

        connection = _socket(self._response)
        try:
            connection.settimeout(current().read_seconds)
            count = int(connection.recv_into(view))
        except TimeoutError as error:
            raise httpx.ReadTimeout("nothing came any more", request=self._response.request) from error
        except OSError as error:
            raise httpx.ReadError(str(error) or "the connection broke", request=self._response.request) from error
        if not count:
            raise httpx.RemoteProtocolError(
                f"the body ends {self._direct} bytes too early", request=self._response.request
            )
        self._direct = (self._direct or 0) - count
        return count


def _length(response: httpx.Response) -> int | None:
    """Return how long a body is that follows the head as it is, without a frame around its parts."""
    length = response.headers.get("content-length", "")
    framed = "transfer-encoding" in response.headers or not response.http_version.startswith("HTTP/1")
    return None if framed or not length.isdecimal() or _socket(response) is None else int(length)


def _socket(response: httpx.Response) -> Any:
    stream = response.extensions.get("network_stream")
    return stream.get_extra_info("socket") if stream is not None else None
