"""Mending a model: only its damaged blocks are fetched, from whoever has them, and each is proven before it is kept."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import FileEntry
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    MalformedContent,
    NotAuthorised,
    NotFound,
    Offline,
    TryAgain,
    Unavailable,
    VerificationFailed,
)
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model.content import Hole, Store
from ipfs_accel_cli.services.model.donors import CarDonor, Donor, Maker
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.services.model.pull import held
from ipfs_accel_cli.services.model.repair_results import Repaired, RepairedFile


@dataclass(slots=True)
class _Wound:
    """A damaged file, and which of its holes can be filled by now."""

    entry: FileEntry
    holes: Sequence[Hole]
    kept: set[int] = field(default_factory=set)
    donors: list[str] = field(default_factory=list)
    from_store_bytes: int = 0

    def open_holes(self) -> list[Hole]:
        return [hole for hole in self.holes if hole.offset not in self.kept]


@dataclass(frozen=True, slots=True)
class Repairer:
    """Repairs models of one home."""

    home: Home
    store: Store

    def repair(self, known: Known, makers: Callable[[Path], Sequence[Maker]]) -> Repaired:
        """Find the damage of a model, fill it, and prove the whole again.

        `makers` gets a folder to fetch archives into, and gives what makes the donors, in the order to ask them. What
        is proven waits in `partial/` until all of a file is there, so an interrupted repair goes on from there. Raises
        VerificationFailed when blocks stay missing, whose `errors` name them and what each donor said; or what the only
        donor raised.
        """
        with held(self.home, key_of_repair(known.named.manifest)) as folder:
            asked = _Asked(makers(folder))
            wounds = list(self._wounds(known))
            for wound in wounds:
                self._gather(wound, asked, folder)
            self._refuse(known, wounds, asked)
            for wound in wounds:
                self.store.repairs.fill(wound.entry.cid, wound.holes, _Stash(folder, wound.entry).content)
            blocks, rebuilt = self._prove(known)
            shutil.rmtree(folder, ignore_errors=True)
        return Repaired(
            name=known.named.name,
            manifest_cid=known.named.manifest,
            files=[_told(wound) for wound in wounds],
            damaged_bytes=sum(hole.length for wound in wounds for hole in wound.holes),
            fetched_bytes=asked.fetched_bytes,
            rebuilt=rebuilt,
            blocks_verified=blocks,
        )

    def _wounds(self, known: Known) -> Iterator[_Wound]:
        entries = {entry.cid: entry for entry in reversed(known.manifest.files)}
        done_bytes, total_bytes = 0, sum(entry.size_bytes for entry in entries.values())
        for entry in sorted(entries.values(), key=lambda one: one.path):
            holes = self.store.repairs.holes(entry.cid)
            done_bytes += entry.size_bytes
            current().progress(done_bytes, total_bytes, "Looking for damage", unit="bytes")
            if holes or self._is_misshapen(entry):
                yield _Wound(entry, holes)

    def _is_misshapen(self, entry: FileEntry) -> bool:
        """Say whether a file is too long, or linked and touched, though all its blocks are there."""
        try:
            self.store.object_path(entry.cid)
        except VerificationFailed:
            return True
        return False

    def _gather(self, wound: _Wound, asked: _Asked, folder: Path) -> None:
        stash = _Stash(folder, wound.entry)
        wound.kept |= {hole.offset for hole in wound.holes if stash.has(hole)}
        for hole in wound.open_holes():
            spare = self.store.repairs.spare(hole)
            if spare is not None:
                stash.keep(hole, spare)
                wound.kept.add(hole.offset)
                wound.from_store_bytes += hole.length
        asked.fill(wound, stash)

    def _refuse(self, known: Known, wounds: Sequence[_Wound], asked: _Asked) -> None:
        lacking = [(wound, hole) for wound in wounds for hole in wound.open_holes()]
        if not lacking:
            return
        if len(asked.failures) == 1 and not asked.reasons:
            raise asked.failures[0]
        wound, hole = lacking[0]
        told = [{"pointer": name, "detail": reason} for name, reason in asked.reasons.items()]
        told += [{"pointer": "source", "detail": failure.detail} for failure in asked.failures]
        raise VerificationFailed(
            f"nobody has {len(lacking)} blocks of {known.named.exact}; the first: {wound.entry.path},"
            f" {_span(hole)}; nothing was changed",
            suggestion=f"ipfs-accel model repair {known.named.exact} --from ANOTHER-COPY",
            errors=[
                *told,
                *(
                    {"pointer": wound.entry.path, "cid": str(hole.cid), "detail": hole.detail}
                    for wound, hole in lacking[:100]
                ),
            ],
        )

    def _prove(self, known: Known) -> tuple[int, bool]:
        """Verify all of the model; inner nodes and directories that are wrong are made again, once."""
        try:
            return self.store.verify([known.named.manifest]).blocks, False
        except VerificationFailed:
            folder = {entry.path: entry.cid for entry in known.manifest.files}
            root = self.store.repairs.rebuild(folder, known.manifest.profile)
            if root != known.manifest.root:
                raise
            return self.store.verify([known.named.manifest]).blocks, True


def key_of_repair(manifest: str) -> str:
    """Return the name of the folder in `partial/` that a repair works in."""
    return f"repair-{manifest[-24:]}"


def offering(makers: Sequence[Maker]) -> Callable[[CID], Iterator[bytes]]:
    """Return what gives a block out of each CAR file among the donors; one that cannot be had is passed over."""
    waiting, made = list(makers), list[CarDonor]()

    def offer(cid: CID) -> Iterator[bytes]:
        position = 0
        while position < len(made) or waiting:
            with suppress(TryAgain, Unavailable, NotFound, NotAuthorised, Offline, MalformedContent):
                if position == len(made):
                    donor = waiting.pop(0)()
                    if not isinstance(donor, CarDonor):
                        continue
                    made.append(donor)
                data = made[position].block(cid)
                if data is not None:
                    yield data
            position = min(position + 1, len(made))

    return offer


@dataclass(frozen=True, slots=True)
class _Stash:
    """Proven contents of one file's holes, in files of their own until the whole can be put together."""

    folder: Path
    entry: FileEntry

    def keep(self, hole: Hole, data: bytes) -> None:
        self._path(hole).write_bytes(data)

    def has(self, hole: Hole) -> bool:
        path = self._path(hole)
        return path.exists() and hole.proves(path.read_bytes())

    def content(self, hole: Hole) -> bytes:
        return self._path(hole).read_bytes()

    def _path(self, hole: Hole) -> Path:
        return self.folder / f"{self.entry.sha256.hex()[:32]}.{hole.offset}"


class _Asked:
    """Asks donors in their order, each made when it is first needed, and remembers what they gave and why not."""

    def __init__(self, makers: Sequence[Maker]) -> None:
        self._waiting = list(makers)
        self._made: list[Donor] = []
        self.failures: list[AccelError] = []
        self.reasons: dict[str, str] = {}

    @property
    def fetched_bytes(self) -> int:
        return sum(donor.fetched_bytes for donor in self._made)

    def fill(self, wound: _Wound, stash: _Stash) -> None:
        """Ask one donor after another until nothing of a file is missing; one that fails is passed over."""
        position = 0
        while wound.open_holes() and (position < len(self._made) or self._waiting):
            try:
                if position == len(self._made):
                    self._made.append(self._waiting.pop(0)())
                self._take(self._made[position], wound, stash)
            except Cancelled:
                raise
            except AccelError as error:
                self.failures.append(error)
            position = min(position + 1, len(self._made))

    def _take(self, donor: Donor, wound: _Wound, stash: _Stash) -> None:
        for hole, data in donor.offer(wound.entry, wound.open_holes()):
            if not hole.proves(data):
                self.reasons.setdefault(donor.name, f"{wound.entry.path}: {_span(hole)} are others there")
                continue
            stash.keep(hole, data)
            wound.kept.add(hole.offset)
            if donor.name not in wound.donors:
                wound.donors.append(donor.name)
            current().progress(len(wound.kept), len(wound.holes), f"Fetching blocks of {wound.entry.path}")
        if wound.open_holes():
            self.reasons.setdefault(donor.name, f"it does not have all of {wound.entry.path}")


def _told(wound: _Wound) -> RepairedFile:
    return RepairedFile(
        path=wound.entry.path,
        blocks=len(wound.holes),
        damaged_bytes=sum(hole.length for hole in wound.holes),
        from_store_bytes=wound.from_store_bytes,
        donors=wound.donors,
    )


def _span(hole: Hole) -> str:
    return f"bytes {hole.offset} to {hole.offset + hole.length - 1}"
