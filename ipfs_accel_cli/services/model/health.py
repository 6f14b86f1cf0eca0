"""The health of models: reading them again, mending what is damaged, remembering the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import HomeUnusable, VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model import tables, verify
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.donor_choice import DonorChoice
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.services.model.repair import Repairer
from ipfs_accel_cli.services.model.repair_results import Repaired
from ipfs_accel_cli.services.model.results import Verified


@dataclass(frozen=True, slots=True)
class Health:
    """Checks and mends the models of one home."""

    home: Home
    store: Store
    registry: tables.Tables
    lookup: Lookup

    def verify(self, name: str, *, full: bool = False) -> Verified:
        """Hash every block of a model again and check the structure of its weights; `full` also reads the numbers.

        Raises VerificationFailed, whose `errors` name each damaged part, and MalformedContent.
        """
        known = self._known(name)
        level = verify.FULL if full else verify.BLOCKS
        try:
            verified = verify.verify(self.store, known, full=full)
        except VerificationFailed as error:
            # The next pull must fetch it again instead of finding it here.
            self._note(known, level, error.detail)
            raise
        self._note(known, level, None)
        return verified

    def repair(self, name: str, sources: Sequence[str] = ()) -> Repaired:
        """Replace the damaged blocks of a model by those of the first source that has them; where it came from if none.

        Another file of this store that holds a block comes before any source. Raises NotFound, VerificationFailed when
        blocks stay missing, DiskFull, and what the only source raises.
        """
        known = self._known(name)
        choice = DonorChoice(self.home, self.store, self.lookup)
        wanted = list(dict.fromkeys(sources)) or [known.named.reference]
        repaired = Repairer(self.home, self.store).repair(
            known, lambda folder: [choice.maker(text, folder) for text in wanted]
        )
        self._note(known, verify.BLOCKS, None)
        return repaired

    def _known(self, name: str) -> Known:
        return self.lookup.describe(self.lookup.find(name))

    def _note(self, known: Known, level: str, problem: str | None) -> None:
        # A home that cannot be written can be verified all the same.
        with suppress(HomeUnusable), self.registry.write() as connection:
            tables.add_check(connection, known.named.manifest, level, problem)
