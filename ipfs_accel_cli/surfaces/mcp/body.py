"""The body of a request, taken whole before anything runs: how large it may be, and how long it may take."""

from __future__ import annotations

from collections import deque

import anyio
from starlette.types import Message, Receive

from ipfs_accel_cli.core.errors import AccelError, LimitReached, TryAgain
from ipfs_accel_cli.core.units import human_bytes

# What the SDK allows, too; a message holds arguments, and files are named by their path.
BODY_BYTES = 4 << 20
BODY_SECONDS = 30.0


class Bodies:
    """Takes the bodies of requests, and can stop waiting for those that are still coming."""

    def __init__(self) -> None:
        self._coming: set[anyio.CancelScope] = set()

    async def take(self, receive: Receive, declared: str) -> Receive:
        """Return a `receive` that gives the whole body at once, then whatever the client does next.

        Raises LimitReached for too large a body, and TryAgain for one that does not arrive in time.
        """
        if declared.isdecimal() and int(declared) > BODY_BYTES:
            raise _too_large()
        messages: deque[Message] = deque()
        with anyio.move_on_after(BODY_SECONDS) as scope:
            self._coming.add(scope)
            try:
                messages.append(await _whole(receive))
            finally:
                self._coming.discard(scope)
        if not messages:
            raise TryAgain("the rest of the request did not arrive in time, or the server is going down")

        async def replayed() -> Message:
            return messages.popleft() if messages else await receive()

        return replayed

    def stop(self) -> None:
        """Wait no longer for any body that is still coming."""
        for scope in list(self._coming):
            scope.cancel()


async def _whole(receive: Receive) -> Message:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
        if len(body) > BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return {"type": "http.request", "body": bytes(body), "more_body": False}


def _too_large() -> AccelError:
    return LimitReached(
        f"a request may have {human_bytes(BODY_BYTES)} at most",
        suggestion="put long text into a file and name its path",
    )
