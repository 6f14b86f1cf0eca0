"""Repair as other services use it: find the holes of a file, fill them, make lost inner nodes and directories again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.services.store import repairing
from ipfs_accel_cli.services.store.blocks import Blocks, missing
from ipfs_accel_cli.services.store.index import Index, WholeFile
from ipfs_accel_cli.services.store.repairing import Hole
from ipfs_accel_cli.services.store.session import PutSession

OpenSession = Callable[[str | None], AbstractContextManager[PutSession]]


@dataclass(frozen=True, slots=True)
class Repairs:
    """Mends files of the store by their CIDs."""

    index: Index
    blocks: Blocks
    database: Database
    session: OpenSession

    def holes(self, cid: CID) -> list[Hole]:
        """Hash a whole file again and return its damaged leaves; raises NotFound for what the store never held."""
        return repairing.holes(self.index, self._file(cid))

    def leaves(self, cid: CID) -> dict[bytes, int]:
        """Return the bytes of content in each leaf of a whole file, by the leaf's digest; raises NotFound."""
        return {leaf.digest: leaf.length for leaf in self.index.leaves(self._file(cid))}

    def spare(self, hole: Hole) -> bytes | None:
        """Return what belongs into a hole from elsewhere in this store, proven; None where no other copy is sound."""
        return repairing.spare(self.blocks, hole)

    def fill(self, cid: CID, holes: Sequence[Hole], content: Callable[[Hole], bytes]) -> None:
        """Put a whole copy of a file in the place of the damaged one, or leave all as it was.

        Raises VerificationFailed when what `content` gives is not what belongs there, DiskFull and HomeUnusable.
        """
        file = self._file(cid)
        with self.session(file.profile) as session:
            repairing.mend(session, self.database, file, holes, content)

    def rebuild(self, folder: Mapping[str, CID], profile: str) -> CID:
        """Make the inner nodes of whole files and the directories over them again; return the outermost directory.

        Raises NotFound, and VerificationFailed for files whose nodes cannot be made from their leaves.
        """
        with self.session(profile) as session:
            files = {path: repairing.rebuild(session, self.index, self._file(cid)) for path, cid in folder.items()}
            root = session.directory(files).cid
            session.commit()
        return root

    def _file(self, cid: CID) -> WholeFile:
        file = self.index.find_file(cid)
        if file is None:
            raise missing(cid)
        return file
