"""From what a user names after `--from` to a donor of bytes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model import donors, download
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.donors import Donor, Maker
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.subject import of_known, written_path
from ipfs_accel_cli.sources.base import Packed, Ranged
from ipfs_accel_cli.sources.reference import NAMED, Reference, parse
from ipfs_accel_cli.sources.registry import source_for

_ARCHIVES = (".zip", ".whl", ".car")


@dataclass(frozen=True, slots=True)
class DonorChoice:
    """Makes donors of references, paths and addresses; `folder` is where whole archives are fetched to."""

    home: Home
    store: Store
    lookup: Lookup

    def maker(self, text: str, folder: Path) -> Maker:
        """Return what makes the donor that a text names; raises Invalid and NotAuthorised for what cannot be one."""
        if text.startswith(("http://", "https://")) and text.endswith("/"):
            return lambda: donors.of_web_folder(text, text)
        path = written_path(self.lookup, text)
        if path is not None:
            return lambda: self._local(text, path)
        reference = parse(text)
        if reference.scheme == NAMED:
            return lambda: self._registered(text)
        if reference.scheme == "car":
            archive = current().path(reference.locator)
            return lambda: self._local(text, archive)
        return lambda: self._remote(text, reference, folder)

    def _registered(self, text: str) -> Donor:
        known = self.lookup.describe(self.lookup.find(text))
        return donors.of_files(text, of_known(self.store, known).files)

    def _local(self, text: str, path: Path) -> Donor:
        if path.is_dir():
            files = {one.relative_to(path).as_posix(): one for one in sorted(path.rglob("*")) if one.is_file()}
            return donors.of_files(text, files)
        if not path.is_file():
            raise NotFound(f"there is no file or folder {str(path)!r}", suggestion=f"ls {path.parent}")
        if path.suffix == ".car":
            return donors.CarDonor(text, path)
        return donors.of_files(text, {path.name: path})

    def _remote(self, text: str, reference: Reference, folder: Path) -> Donor:
        source = source_for(reference.scheme, self.store)
        snapshot = source.resolve(reference)
        plain = reference.scheme in ("http", "https") and not reference.locator.lower().endswith(_ARCHIVES)
        plain = plain or (isinstance(source, Ranged) and all(file.as_is for file in snapshot.files))
        if not isinstance(source, Packed) or plain:
            # A query is no part of what is shown, but the file's own address has it.
            return donors.of_source(text, source, snapshot.files, _hub_headers if reference.scheme == "hf" else None)
        fetched = download.fetch(source, snapshot, folder / "fetched")
        if len(fetched.paths) == 1 and next(iter(fetched.paths)).lower().endswith(".car"):
            return donors.CarDonor(text, next(iter(fetched.paths.values())), fetched.transferred_bytes, counts=False)
        unpacked = folder / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpacked.mkdir(parents=True)
        files = source.unpack(snapshot, fetched.paths, unpacked).files
        local = {normalise_path(file.path): file.local for file in files if file.local is not None}
        return replace(donors.of_files(text, local), fetched_bytes=fetched.transferred_bytes, counts=False)


def _hub_headers() -> Mapping[str, str]:
    from huggingface_hub.utils import build_hf_headers

    headers: dict[str, str] = build_hf_headers()
    return headers
