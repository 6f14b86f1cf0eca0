"""What is inside the files of models, registered or not."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.services.model import inspecting, scanning
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.inspect_results import Inspected
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.scan_results import Scanned
from ipfs_accel_cli.services.model.subject import subject


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
