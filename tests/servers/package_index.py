"""A package index on loopback for the real pip: a folder of wheels behind PEP 503 pages with stated hashes."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.serving import Handler, Site, serving


class PackageIndex(Site):
    """Serves every wheel in a folder.

    `wrong_hash` names wheels whose stated sha-256 is another one; `metadata` offers each METADATA beside its wheel
    (PEP 658), without which pip has to fetch a wheel to know it; `login` is the `user:password` that is asked for.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.wrong_hash: set[str] = set()
        self.metadata = True
        self.login: str | None = None

    def wheels_sent(self) -> list[str]:
        """Return the requests that fetched (a part of) a wheel."""
        return [line for line in self.log if line.startswith("GET") and ".whl" in line and ".metadata" not in line]

    def environment(self) -> dict[str, str]:
        """Return the variables that make pip use this index and nothing else."""
        address = self.url.replace("://", f"://{self.login}@") if self.login else self.url
        return {
            "PIP_INDEX_URL": f"{address}/simple/",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "PIP_RETRIES": "0",
        }

    def answer(self, handler: Handler) -> None:
        path = handler.path.partition("?")[0]
        if self.login and handler.headers.get("authorization") != f"Basic {_base64(self.login)}":
            return handler.reply(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="index"'})
        if match := re.fullmatch(r"/simple/([^/]+)/?", path):
            return self._page(handler, match[1])
        name = path.rpartition("/")[2]
        wheel = self.folder / name.removesuffix(".metadata")
        if not wheel.is_file():
            return handler.reply(404, b"no such file")
        if name.endswith(".metadata"):
            return handler.reply(200, _metadata(wheel))
        return handler.send_file(name, wheel.read_bytes())

    def _page(self, handler: Handler, project: str) -> None:
        wheels = [wheel for wheel in sorted(self.folder.glob("*.whl")) if _project(wheel) == project]
        if not wheels:
            return handler.reply(404, b"no such project")
        links = "".join(self._link(wheel) for wheel in wheels)
        page = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        return handler.reply(200, page, {"Content-Type": "text/html"})

    def _link(self, wheel: Path) -> str:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if wheel.name in self.wrong_hash:
            digest = digest[::-1]
        offered = ' data-core-metadata="true" data-dist-info-metadata="true"' if self.metadata else ""
        return f'<a href="/files/{wheel.name}#sha256={digest}"{offered}>{wheel.name}</a>\n'


@contextmanager
def package_index(folder: Path) -> Iterator[PackageIndex]:
    """Serve a folder of wheels for the block."""
    index = PackageIndex(folder)
    with serving(index):
        yield index


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, bytes], metadata: str = "") -> Path:
    """Write a wheel with these files, a METADATA (with more header lines) and a RECORD; return its path."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    whole = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{metadata}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_record(data)},{len(data)}\n" for path, data in whole.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**whole, f"{info}/RECORD": f"{record}{info}/RECORD,,\n".encode()}.items():
            archive.writestr(zipfile.ZipInfo(member), data, zipfile.ZIP_DEFLATED)
    return path


def _metadata(wheel: Path) -> bytes:
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        return archive.read(next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")))


def _project(wheel: Path) -> str:
    return re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _record(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
