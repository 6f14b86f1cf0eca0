"""Units, registries, bounded threads, and the ban on sockets."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.call import Call, current, using
from ipfs_accel_cli.core.errors import Invalid, MissingExtra, Offline
from ipfs_accel_cli.core.network import forbidden
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.core.units import human_bytes, parse_bytes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("1024", 1024),
        ("1k", 1024),
        ("1KiB", 1024),
        ("1kB", 1000),
        ("1.5MiB", 1572864),
        (" 2 GB ", 2_000_000_000),
    ],
)
def test_sizes_are_read_as_people_write_them(text: str, count: int) -> None:
    assert parse_bytes(text) == count


@given(st.integers(0, 1 << 60))
def test_a_shown_size_reads_back_as_nearly_the_same(count: int) -> None:
    assert abs(parse_bytes(human_bytes(count).replace(" ", "")) - count) <= max(1, count * 0.06)


@pytest.mark.parametrize("text", ["", "big", "-1", "1 QB", "1e3"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is not a size"):
        parse_bytes(text)


def test_a_registry_names_plugins_without_importing_them() -> None:
    registry = Registry(
        "tests",
        {"there": Plugin("ipfs_accel_cli.core.units:human_bytes"), "far": Plugin("no.such:thing", ("nosuch",), "far")},
    )
    assert registry.names() == ["there", "far"]
    assert registry.load("there") is human_bytes
    with pytest.raises(MissingExtra) as caught:
        registry.load("far")
    assert caught.value.suggestion == "pip install 'ipfs-accel[far]'"
    with pytest.raises(Invalid, match="there, far"):
        registry.load("nowhere")


def test_parallel_work_keeps_order_and_carries_the_call() -> None:
    def work(number: int) -> tuple[int, str]:
        time.sleep(0.002 * (number % 3))
        return number, current().command

    with using(Call(command="mine")):
        assert list(ordered(work, range(30), 4)) == [(number, "mine") for number in range(30)]


def test_parallel_work_is_bounded() -> None:
    lock, busy, most = threading.Lock(), [0], [0]

    def work(_: int) -> None:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.002)
        with lock:
            busy[0] -= 1

    list(ordered(work, range(40), 3))
    assert most[0] <= 3


def test_the_first_error_stops_what_has_not_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 3:
            raise ZeroDivisionError
        time.sleep(0.001)

    with pytest.raises(ZeroDivisionError):
        list(ordered(work, range(1000), 2))
    assert len(begun) < 20


def test_no_socket_opens_while_it_is_forbidden() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with forbidden():
        for attempt in (
            lambda: socket.create_connection(("127.0.0.1", port)),
            lambda: socket.getaddrinfo("localhost", 80),
            lambda: socket.create_server(("127.0.0.1", 0)),
        ):
            with pytest.raises(Offline, match="--offline"):
                attempt()
    socket.create_connection(("127.0.0.1", port)).close()
    listener.close()
