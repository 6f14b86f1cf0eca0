"""Files that are read in a process of their own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from ipfs_accel_cli.core.call import current, using
from ipfs_accel_cli.core.errors import AccelError, Cancelled, LimitReached, MalformedContent, UnsupportedContent
from ipfs_accel_cli.extractors import apart, registry
from ipfs_accel_cli.extractors.base import Content, Document, Limits
from ipfs_accel_cli.extractors.contents import BytesContent, FileContent

BRIEF = Limits(seconds=0.3, text_chars=1000, memory_bytes=256 << 20)
LETTER = BytesContent(b"begin" + b"." * (3 << 20) + b"ends", "letter")


def read(kind: str, content: Content = LETTER, limits: Limits = BRIEF) -> Document:
    return apart.extract(f"tests.unit.extractors.hostile:{kind}", (), content, limits)


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("Spins", LimitReached, "longer than 0.3 seconds"),
        ("Sleeps", LimitReached, "longer than 0.3 seconds"),
        ("Swells", LimitReached, "268435456 bytes of memory"),
        ("Crashes", MalformedContent, "SIGSEGV"),
        ("Killed", LimitReached, "memory"),
        ("Leaves", MalformedContent, "SystemExit"),
        ("Recurses", LimitReached, "nested too deeply"),
        ("Refuses", UnsupportedContent, "locked"),
    ],
)
def test_what_goes_wrong_there_is_told_here(kind: str, error: type[AccelError], said: str) -> None:
    with pytest.raises(error, match=said):
        read(kind)
    assert read("Tells").kind == "told"


def test_a_child_cannot_write_files(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with pytest.raises(MalformedContent):
        read("Writes", BytesContent(b"x", str(target)))
    assert not target.exists() or target.stat().st_size == 0


def test_text_beyond_the_limit_never_leaves_the_child() -> None:
    document = read("Chatters")
    assert len(document.text) == 1000
    assert document.truncated


def test_a_file_and_bytes_in_memory_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    with LETTER.open() as file:
        path.write_bytes(file.read())
    for content in (LETTER, FileContent(path)):
        document = read("Tells", content)
        assert document.text == "ends|begi|be"
        assert document.facts["read"] == LETTER.size_bytes


def test_of_a_tebibyte_that_lies_elsewhere_only_the_header_is_read() -> None:
    entries = json.dumps({"w": {"dtype": "U8", "shape": [1 << 40], "data_offsets": [0, 1 << 40]}}).encode()
    header = struct.pack("<Q", len(entries)) + entries
    read_bytes = [0]

    class Far(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            read_bytes[0] += size or 0
            return super().read(size)

    class Elsewhere(BytesContent):
        def open(self) -> BinaryIO:
            return Far(header + bytes(1 << 20))

    content = Elsewhere(header, "far.safetensors")
    content.size_bytes = len(header) + (1 << 40)
    document = registry.extract(content)
    assert document.facts["parameters"] == 1 << 40
    assert 0 < read_bytes[0] <= 1 << 20


def test_a_child_knows_no_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    apart.forget()
    environment = read("Tells").facts["environment"]
    assert isinstance(environment, tuple)
    assert "HF_TOKEN" not in environment


def test_each_file_has_a_process_of_its_own() -> None:
    pids = {read("Tells").facts["pid"] for _ in range(4)}
    assert len(pids) == 4
    assert os.getpid() not in pids


def test_several_threads_read_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: read("Tells", BytesContent(b"%05d" % number, "n")).text, range(24)))
    assert [text.rpartition("|")[2] for text in found] == [f"{number:05d}"[:2] for number in range(24)]


def test_a_nursery_that_was_killed_is_replaced() -> None:
    read("Tells")
    for nursery in apart._idle:
        os.kill(nursery._process.pid, signal.SIGKILL)
        nursery._process.wait()
    assert read("Tells").kind == "told"


@pytest.fixture
def stopped() -> Iterator[None]:
    class Stopped:
        def __init__(self) -> None:
            self.looks = 0

        def progress(self, done: float, total: float | None, message: str, unit: str) -> None: ...
        def emit(self, text: str) -> None: ...
        def check(self) -> None:
            self.looks += 1
            if self.looks > 1:
                raise Cancelled("interrupted")

    with using(replace(current(), reporter=Stopped())):
        yield


@pytest.mark.usefixtures("stopped")
def test_a_caller_who_stops_does_not_wait_for_the_file() -> None:
    with pytest.raises(Cancelled):
        read("Spins", limits=Limits(seconds=600.0))


def test_no_descriptor_and_no_thread_is_left(tmp_path: Path) -> None:
    read("Tells")
    before, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    for kind in ("Tells", "Tells", "Refuses"):
        with contextlib.suppress(UnsupportedContent):
            read(kind)
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (before, threads)
