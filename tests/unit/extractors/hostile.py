"""Extractors that do what hostile files make libraries do."""

from __future__ import annotations

import ctypes
import os
import signal

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.extractors.base import Content, Document, Limits


class Spins:
    name, version = "spins", 1

    def extract(self, content: Content, limits: Limits) -> Document:
        while True:
            pass


class Sleeps(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        ctypes.CDLL(None).pause()  # In C, where no Python handler is heard.
        raise AssertionError


class Swells(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        return Document("swollen", str(len(bytearray(4 << 30))))


class Crashes(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError


class Killed(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


class Leaves(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        raise SystemExit(3)


class Recurses(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        return self.extract(content, limits)


class Refuses(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        raise UnsupportedContent("locked")


class Writes(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        with open(content.name, "wb") as file:
            file.write(b"x" * 10)
        return Document("written", "x")


class Chatters(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        return Document("chatty", "x", "word " * limits.text_chars)


class Tells(Spins):
    def extract(self, content: Content, limits: Limits) -> Document:
        with content.open() as one, content.open() as other:
            one.seek(-4, os.SEEK_END)
            parts = [one.read(), other.read(4), content.head(2)]
            size = len(parts[1] + other.read())
        environment = tuple(sorted(os.environ))
        text = b"|".join(parts).decode()
        return Document("told", content.name, text, {"read": size, "environment": environment, "pid": os.getpid()})
