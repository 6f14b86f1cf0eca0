"""The store as the rest of the program sees it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.content.profiles import profile as named_profile
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store import checking, describing, extracting, roots
from ipfs_accel_cli.services.store.blocks import Blocks, missing
from ipfs_accel_cli.services.store.collecting import collect
from ipfs_accel_cli.services.store.dag_results import Where
from ipfs_accel_cli.services.store.dags import Dags
from ipfs_accel_cli.services.store.exporting import export_car
from ipfs_accel_cli.services.store.following import Following
from ipfs_accel_cli.services.store.importing import import_car
from ipfs_accel_cli.services.store.index import Index, WholeFile
from ipfs_accel_cli.services.store.keepers import where
from ipfs_accel_cli.services.store.lease import lease
from ipfs_accel_cli.services.store.names.service import Names
from ipfs_accel_cli.services.store.opened import OpenContent
from ipfs_accel_cli.services.store.outside import outside
from ipfs_accel_cli.services.store.pinning import Pinning
from ipfs_accel_cli.services.store.places import Places
from ipfs_accel_cli.services.store.putting import compute, put
from ipfs_accel_cli.services.store.putting_blocks import BlockPutter
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.references import root_only
from ipfs_accel_cli.services.store.removing import remove
from ipfs_accel_cli.services.store.repairs import Repairs
from ipfs_accel_cli.services.store.rereading import Look
from ipfs_accel_cli.services.store.results import (
    Collected,
    Computed,
    Exported,
    Finding,
    Got,
    Imported,
    Inspection,
    Listing,
    Removed,
    Stat,
    Stored,
    Verification,
)
from ipfs_accel_cli.services.store.roots import Root
from ipfs_accel_cli.services.store.sealed.service import SealedContent
from ipfs_accel_cli.services.store.session import PutSession
from ipfs_accel_cli.services.store.single import SingleBlocks
from ipfs_accel_cli.services.store.sources import open_regular
from ipfs_accel_cli.services.store.telling import told
from ipfs_accel_cli.services.store.verifying import Verifier


class Store:
    """Content by its address, in one home folder; shared by threads and by processes.

    `dags`, `single` and `pins` are what can be done with DAGs, with single blocks, and to keep either; `repairs` mends
    what is damaged; `backends` are other places by name, `exchange` goes on between them and the store, `elsewhere` is
    for models; `integrity` keeps all of it sound, `placement` says where it goes; `trees` are paths that change,
    `names` are IPNS names, `sealed` is encrypted, `metadata` is said beside content, `syncing` brings places to agree,
    `nodes` are asked as IPFS nodes.
    """

    def __init__(
        self,
        home: Home,
        database: Database,
        profile: str,
        hash_threads: Callable[[], int] | None = None,
        min_copies: int = 0,
    ) -> None:
        self._min_copies = min_copies
        self._hash_threads = hash_threads
        self._database = database
        self._profile = profile
        self._index = Index(Places(home), database)
        self._blocks = Blocks(self._index)
        self.names = Names(home, database, lambda name: self.backends.names_at(name))
        named = self.names.reference
        self._reader = Reader(self._index, self._blocks, lambda text: self.exchange.meant(text) or named(text))
        putter = BlockPutter(self._index, self._blocks, self.session)
        self.dags = Dags(self._index, self._reader, putter)
        self.sealed = SealedContent(home, self._reader, self.session, putter)
        self.single = SingleBlocks(self._index, self._blocks, database, putter)
        self.pins = Pinning(self._reader, database)
        self.repairs = Repairs(self._index, self._blocks, database, self.session)
        out = outside(home, database, self._reader, self.repairs, self.remove)
        self.backends, self.exchange, self.integrity = out.backends, out.exchange, out.integrity
        self.elsewhere, self.nodes = out.elsewhere, out.nodes
        self.trees, self.metadata, self.syncing, self.placement = out.trees, out.metadata, out.syncing, out.placement

    @contextmanager
    def session(self, profile: str | None = None) -> Iterator[PutSession]:
        """Open a put session; leaving it without `commit` leaves nothing. Raises HomeUnusable and DiskFull."""
        chosen = profile_named(profile or self._profile)
        self._index.places.home.ensure()
        self._index.connection()
        with told(), lease(self._index.places, self._database) as held:
            session = PutSession(self._index, self._database, held, chosen)
            try:
                yield session
            finally:
                session.staging.close()

    def follow(self, path: Path, profile: str | None = None) -> Following:
        """Hash a file of the home folder while the caller appends to it, for a session to `take` in the end."""
        return Following(path, profile_named(profile or self._profile), current().check)

    def open(self, reference: str | CID, offset: int = 0, length: int | None = None) -> Blob:
        """Return bytes of a file by `CID[/path]`; raises NotFound, and Invalid for what is not a file."""
        return self._reader.content(self._reader.find(reference), offset, length)

    def content(self, reference: str | CID) -> OpenContent:
        """Open a file for reads at any offset, by `CID[/path]`; raises as `open`. Close what this returns."""
        return OpenContent(self._reader, self._reader.find(reference))

    def block(self, cid: CID) -> bytes:
        """Return a block, checked against its CID; raises NotFound and VerificationFailed."""
        return self._blocks.read(cid)

    def has(self, cid: CID) -> bool:
        """Say whether the root block of a DAG is in the store."""
        return self._index.find_file(cid) is not None or self._blocks.has(cid)

    def object_path(self, cid: CID) -> Path:
        """Return the file that holds exactly the content of a file DAG, ready to be mapped; not to be written.

        Raises NotFound for what is not here as a whole file, VerificationFailed for a file that is visibly damaged.
        """
        return self._whole(cid).object.checked_path()

    def sha256(self, cid: CID) -> bytes:
        """Return the sha-256 of the content of a whole file; raises NotFound."""
        return self._whole(cid).object.sha256

    def holding(self, sha256: bytes) -> Path | None:
        """Return the file with the content of this sha-256, where there is one and nothing is visibly wrong with it."""
        found = self._index.find_object(sha256)
        return None if found is None or found.damaged or found.trouble() else found.path

    def fetched(self, reference: str | CID, on: str | None) -> Store:
        """Fetch a reference's DAG from the backend that it or `on` names, and return this store; raises as that."""
        self.exchange.brought(reference, on)
        return self

    def put(
        self,
        paths: Iterable[str | Path],
        profile: str | None = None,
        *,
        link: bool = False,
        to: Sequence[str] = (),
    ) -> Iterator[Stored]:
        """Store files and folders, each kept under its name as soon as it is whole, and send them to backends.

        Raises NotFound, Invalid for what is no file, folder or symbolic link, Conflict for a file that changes.
        """
        for path in paths:
            allowed = current().path(path)
            with self.session(profile) as session:
                stored = put(session, allowed, str(path), link=link)
            yield from self.sent([stored], to)

    def sent(self, stored: Iterable[Stored], to: Sequence[str]) -> Iterator[Stored]:
        """Send what was stored to backends, too; raises as `Exchange.copy`."""
        for one in stored:
            yield one.model_copy(update={"copies": self.exchange.sent_to(one.cid, to)})

    def cid_of(self, paths: Iterable[str | Path], profile: str | None = None) -> Iterator[Computed]:
        """Compute the CIDs that files and folders would have; touches no home folder. Raises as `put`."""
        chosen = profile_named(profile or self._profile)
        for path in paths:
            yield compute(current().path(path), str(path), chosen, self._hash_threads)

    def get(self, reference: str | CID, destination: str | Path | None = None) -> Got:
        """Write a file or folder to disk, by default under its own name in the working folder.

        Raises Conflict for what is there and differs, UnsafeContent for content that would leave the folder.
        """
        parsed = self._reader.reference(reference)
        name = parsed.path[-1] if parsed.path else str(parsed.cid)
        target = current().path(destination if destination is not None else name)
        cid = self._reader.resolve(parsed)
        if destination is not None and target.is_dir() and self._reader.look(cid).kind != "directory":
            target = current().path(target / name)
        return extracting.get(self._reader, cid, target)

    def stat(self, reference: str | CID) -> Stat:
        """Describe what a reference names; raises NotFound."""
        return describing.stat(self._reader, self._reader.find(reference))

    def where(self, reference: str | CID) -> Where:
        """Say where the bytes of a block are and what keeps them; raises NotFound."""
        cid = self._reader.find(reference)
        return where(self._reader, cid, self.exchange.known(cid))

    def ls(self, reference: str | CID | None = None) -> Listing:
        """List the roots that are kept, or the entries of a directory; raises NotFound."""
        if reference is None:
            return describing.list_roots(self._reader)
        asked = self._reader.reference(reference)
        return describing.list_entries(self._reader, self._reader.resolve(asked), asked.path[-1] if asked.path else "")

    def verify(
        self, references: Iterable[str | CID] | None = None, *, whole: bool = False, look: Look | None = None
    ) -> Verification:
        """Hash what the references reach, or everything in the store, again from disk.

        `whole` also computes the sha-256 of every file, of the same bytes; `look(cid, offset, bytes)` then sees them,
        in any order and thread. Raises VerificationFailed whose `errors` name each damaged block with its object,
        offset, length and CID.
        """
        verifier = Verifier(self._index, self._blocks, self._database, whole=whole, look=look)
        if references is None:
            return verifier.everything()
        return verifier.dags([self._reader.find(reference) for reference in references])

    def remove(self, references: Sequence[str | CID], on: str | None = None) -> Removed:
        """Stop keeping what was put or imported by hand, or delete it at a backend.

        Raises NotFound, and Conflict for what a model needs or what would be at too few places.
        """
        references, on = self.exchange.on_one(references, on)
        for reference in references:
            self.integrity.refuse_fewer(reference, on, self._min_copies)
        if on is not None:
            gone = [locator for reference in references for locator in self.exchange.remove(reference, on)]
            return Removed(cids=[str(reference) for reference in references], roots=0, locators=gone)
        return remove(self._index, self._database, [root_only(reference) for reference in references])

    def gc(self, *, dry_run: bool = False) -> Collected:
        """Remove what nothing keeps; safe beside writers and readers in any process."""
        return collect(self._index, self._blocks, self._database, dry_run=dry_run)

    def import_car(self, car: str | Path) -> Imported:
        """Take in a CAR file and keep its roots; what is wrong with any block keeps all of it out.

        Raises MalformedContent, VerificationFailed, UnsafeContent and UnsupportedContent (unknown hashes).
        """
        path = current().path(car)
        with open_regular(path) as stream, self.session() as session:
            return import_car(session, self._index, self._blocks, path, stream)

    def export_car(self, references: str | CID | Sequence[str | CID], output: str | Path) -> Exported:
        """Write the DAGs of one or more references as a CAR file; raises NotFound when they are not complete.

        An equal file that is there already is no error, any other is a Conflict.
        """
        several = [references] if isinstance(references, str | CID) else references
        cids = [self._reader.find(reference) for reference in several]
        total_bytes = sum(self._reader.look(cid).total_bytes for cid in cids)
        return export_car(self._index, self._blocks, cids, current().path(output), total_bytes)

    def inspect(self, cid: str) -> Inspection:
        """Take a CID apart, whether its content is here or not; raises Invalid."""
        return describing.inspect(cid)

    def check(self) -> list[Finding]:
        """Compare tables, files and roots without hashing; what is not as it should be."""
        return checking.check(self._index, self._blocks, self._database)

    def mend(self) -> list[Finding]:
        """Remove what dead writers left behind; what was removed."""
        return checking.mend(self._index, self._database)

    def keep(self, connection: sqlite3.Connection, root: Root) -> None:
        """Keep a DAG that is in the store, inside the caller's write transaction; raises NotFound."""
        roots.keep(connection, Root(*root))

    def release(self, connection: sqlite3.Connection, owner: str, label: str) -> int:
        """Stop keeping what an owner kept under a label, inside the caller's write transaction."""
        return roots.release(connection, owner, label)

    def _whole(self, cid: CID) -> WholeFile:
        file = self._index.find_file(cid)
        if file is not None:
            return file
        if self._blocks.has(cid):
            raise NotFound(f"{cid} is not kept as a whole file", suggestion=f"ipfs-accel store stat {cid}")
        raise missing(cid)


def profile_named(name: str) -> Profile:
    """Find a CID profile; raises Invalid with the names that exist."""
    try:
        return named_profile(name)
    except Malformed as error:
        raise Invalid(str(error)) from error
