"""Models that ship inside a Python wheel: found and fetched as the user's pip would, nothing in them run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from email.parser import HeaderParser
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from ipfs_accel_cli.core import fetch
from ipfs_accel_cli.core.errors import NotAuthorised, NotFound, Unavailable
from ipfs_accel_cli.sources import archive, pip, zips
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot, Writer, plainly
from ipfs_accel_cli.sources.reference import Reference

CHUNK_BYTES = 1 << 20


class PypiSource:
    """The package index that pip is set up for."""

    name = "pypi"

    def resolve(self, reference: Reference) -> Snapshot:
        """Pin the version and state the wheel's address and sha-256 as the index gives them.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, VerificationFailed and Offline.
        """
        version = f"=={reference.revision}" if reference.revision else ""
        found = pip.find(f"{reference.locator}{version}")
        address = urlsplit(found.url)
        name = unquote(address.path.rpartition("/")[2])
        local = Path(url2pathname(address.path)) if address.scheme == "file" else None
        size_bytes = local.stat().st_size if local else self._size(found.url)
        wheel = RemoteFile(name, size_bytes, found.sha256, address=found.url, local=local)
        facts = {"package": found.name, "version": found.version, "wheel": name}
        if found.sha256:
            facts["wheel_sha256"] = found.sha256.hex()
        return Snapshot(reference.pinned(found.version), found.version, (wheel,), facts=facts)

    def newest(self, reference: Reference) -> str | None:
        """Return the newest version at the index; no wheel is touched."""
        return pip.newest(reference.locator)

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the wheel's bytes from `offset` on, by ranges; what only pip may fetch comes through pip, whole."""
        if file.local is not None:
            yield from _read(file.local, offset)
            return
        began = False
        try:
            for chunk in fetch.ranged(file.address, offset, file.path, certificates=self._certificates):
                began = True
                yield chunk
        except (NotAuthorised, NotFound, Unavailable):
            # The report hides passwords, and only pip knows keyrings, proxies and trusted hosts.
            if began:
                raise
            yield from _through_pip(file, offset)

    def unpack(
        self, snapshot: Snapshot, fetched: Mapping[str, Path], folder: Path, write: Writer = plainly
    ) -> Snapshot:
        """Write the model's files of the wheel under `folder`, without the package around them.

        Raises UnsafeContent, MalformedContent, NotFound and Invalid as `Packed.unpack` says.
        """
        wheel = next(iter(fetched.values()))
        reference = f"pypi://{snapshot.reference.locator}"
        files = zips.unpack(wheel, snapshot.reference.subfolder, reference, folder, write)
        return replace(snapshot, files=files, licence=_licence(wheel))

    @cached_property
    def _certificates(self) -> str | None:
        return pip.certificates()

    def _size(self, url: str) -> int | None:
        return fetch.size(url, certificates=self._certificates) if url.startswith("http") else None


def _read(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(offset)
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _through_pip(file: RemoteFile, offset: int) -> Iterator[bytes]:
    name, version = file.path.split("-")[:2]
    with tempfile.TemporaryDirectory() as folder:
        wheel = pip.download(f"{name}=={version}", Path(folder))
        if wheel.name != file.path:
            raise Unavailable(f"pip fetched {wheel.name} instead of {file.path}")
        yield from _read(wheel, offset)


def _licence(wheel: Path) -> str | None:
    """Return what METADATA says about the licence: the SPDX expression, the short text, or the classifier."""
    with archive.opened(wheel) as members:
        names = [name for name in members if name.count("/") == 1 and name.endswith(".dist-info/METADATA")]
        text = archive.read(wheel, members[names[0]]).decode("utf-8", "replace") if names else ""
    fields = HeaderParser().parsestr(text)
    short = str(fields.get("License") or "").strip()
    classified = [str(value) for value in fields.get_all("Classifier", []) if value.startswith("License ::")]
    stated = fields.get("License-Expression") or (short if "\n" not in short and len(short) < 80 else "")
    return str(stated).strip() or (classified[0].rpartition("::")[2].strip() if classified else None)
