"""Asking a session at hand, which nobody else drives."""

from __future__ import annotations

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.engines.base import Chunk, Request, Session


def chunks_of(session: Session, request: Request) -> list[Chunk]:
    """Return all chunks of one request, in order.

    Raises what the session raises, what it gives in place of a chunk's data, and Cancelled when the caller gives up.
    """
    session.submit(request)
    chunks: list[Chunk] = []
    while moved := session.step():
        current().check()
        chunks += [chunk for _, chunk in moved]
    problem = next((chunk.data for chunk in chunks if isinstance(chunk.data, Exception)), None)
    if problem is not None:
        raise problem
    return chunks
