"""A web server on loopback: the files of a folder, with entity tags and ranges, and some bad habits by path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.serving import Handler, Site, serving


class Web(Site):
    """`tags`: files have entity tags. `/loop` redirects to itself, `/page` is a web page, `/moved/X` redirects to X."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.tags = True
        self.away = ""  # where `/away` redirects to

    def answer(self, handler: Handler) -> None:
        path = handler.path.partition("?")[0]
        if path == "/loop":
            return handler.reply(302, b"", {"Location": "/loop"})
        if path == "/away":
            return handler.reply(302, b"", {"Location": self.away})
        if path == "/page":
            return handler.reply(200, b"<html>not a model</html>", {"Content-Type": "text/html; charset=utf-8"})
        if path.startswith("/moved/"):
            return handler.reply(302, b"", {"Location": path.removeprefix("/moved")})
        file = self.folder / path.lstrip("/")
        if not file.is_file():
            return handler.reply(404, b"no such file")
        data = file.read_bytes()
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        return handler.send_file(file.name, data, {"ETag": tag} if self.tags else {})


@contextmanager
def web(folder: Path) -> Iterator[Web]:
    """Serve a folder for the block."""
    site = Web(folder)
    with serving(site):
        yield site
