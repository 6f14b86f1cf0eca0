"""What is inside the files of models, registered or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ipfs_accel_cli.services.model import comparing, dedup, inspecting, scanning
from ipfs_accel_cli.services.model.compare_results import Deduplication, Difference
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.inspect_results import Inspected
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.scan_results import Scanned
from ipfs_accel_cli.services.model.subject import of_known, subject
from ipfs_accel_cli.services.model.tables import Named


@dataclass(frozen=True, slots=True)
class Contents:
    """Reads the files of models; changes nothing."""

    store: Store
    lookup: Lookup

    def inspect(self, name: str, *, tensors: bool = False, digest: bool = False) -> Inspected:
        """Read the headers of a model's files, or of a path's; `digest` reads and hashes every tensor, too.

        Raises NotFound, Invalid, and NotAuthorised for a path that the caller may not read.
        """
        return inspecting.inspect(subject(self.store, self.lookup, name), tensors=tensors, digest=digest)

    def scan(self, name: str) -> Scanned:
        """Look for code in a model's files, or in a path's; raises UnsafeContent, whose `errors` are the evidence."""
        return scanning.scan_all(subject(self.store, self.lookup, name))

    def diff(self, before: str, after: str, *, read: bool = False) -> Difference:
        """Compare two registered models; `read` also compares the bytes of their tensors. Raises NotFound."""
        one, other = (self.lookup.describe(self.lookup.find(name)) for name in (before, after))
        return comparing.difference(of_known(self.store, one), of_known(self.store, other), one, other, read=read)

    def tensor_files(self, name: str) -> Iterator[tuple[str, Callable[[], list[tuple[bytes, int]]]]]:
        """Yield what names each file of a model, and how to hash its tensors: sha-256 and size of each.

        The same bytes under another ending are another file, since the ending says how they are read.
        """
        known = self.lookup.describe(self.lookup.find(name))
        paths = of_known(self.store, known).files
        for entry in known.manifest.files:
            if entry.path in paths:
                yield f"{entry.cid}{Path(entry.path).suffix}", partial(_digests, entry.path, paths[entry.path])

    def dedup(self, names: Sequence[str] = (), *, read: bool = False) -> Deduplication:
        """Tell what models share, all versions of all names if none is given; `read` hashes their tensors, too."""
        chosen = [self.lookup.find(name) for name in names] or self.lookup.registry.names()
        once: dict[str, Named] = {}
        for named in chosen:
            once.setdefault(named.manifest, named)
        return dedup.deduplication(self.store, [self.lookup.describe(named) for named in once.values()], read=read)


def _digests(name: str, path: Path) -> list[tuple[bytes, int]]:
    return dedup.digests(name, path)[0]
