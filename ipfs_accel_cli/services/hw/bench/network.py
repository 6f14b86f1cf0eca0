"""What TCP over loopback costs on this machine: throughput of one connection, and the time of a round trip."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ipfs_accel_cli.core.figures import Row
from ipfs_accel_cli.services.hw.bench.measuring import Effort, measured, rate

_SENT_BYTES = 256 << 20
_PIECE_BYTES = 1 << 18
_ROUND_TRIPS = 200
_TIMEOUT_SECONDS = 30.0


def bench(effort: Effort) -> list[Row]:
    """Measure with a thread of this process at the other end."""
    size_bytes = effort.bytes(_SENT_BYTES)
    piece = bytes(_PIECE_BYTES)
    with _connected(_swallow) as end:

        def send() -> None:
            for _ in range(0, size_bytes, _PIECE_BYTES):
                end.sendall(piece)
            end.sendall(b"?")
            end.recv(1)

        throughput = measured("loopback-throughput", "bytes/s", rate(size_bytes, send), effort)
    with _connected(_echo) as end:

        def trip() -> float:
            start = time.perf_counter()
            for _ in range(_ROUND_TRIPS):
                end.sendall(b"x")
                end.recv(1)
            return (time.perf_counter() - start) / _ROUND_TRIPS

        return [throughput, measured("loopback-round-trip", "seconds", trip, effort, "lower")]


def _swallow(end: socket.socket) -> None:
    piece = bytearray(_PIECE_BYTES)
    while count := end.recv_into(piece):
        if piece[count - 1] == ord("?"):
            end.sendall(b"!")


def _echo(end: socket.socket) -> None:
    while data := end.recv(64):
        end.sendall(data)


@contextmanager
def _connected(answer: Callable[[socket.socket], None]) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname(), timeout=_TIMEOUT_SECONDS)
        far, _ = server.accept()
    for end in (near, far):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    thread = threading.Thread(target=answer, args=(far,), daemon=True)
    thread.start()
    try:
        yield near
    finally:
        near.close()
        thread.join(_TIMEOUT_SECONDS)
        far.close()
