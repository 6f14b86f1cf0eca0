"""The health of models: reading them again, mending what is damaged, remembering the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.errors import HomeUnusable, VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model import tables, verify
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.donor_choice import DonorChoice
from ipfs_accel_cli.services.model.donors import Maker
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.pull import held
from ipfs_accel_cli.services.model.records import Records
from ipfs_accel_cli.services.model.repair import Repairer, key_of_repair, offering
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
        named = self.lookup.find(name)
        level = verify.FULL if full else verify.BLOCKS
        lost = self._records.problem(named)
        if lost is not None:
            self._note(named, level, lost.detail)
            raise lost
        known = self.lookup.describe(named)
        try:
            verified = verify.verify(self.store, known, full=full)
        except VerificationFailed as error:
            # The next pull must fetch it again instead of finding it here.
            self._note(named, level, error.detail)
            raise
        self._note(named, level, None)
        return verified

    def repair(self, name: str, sources: Sequence[str] = ()) -> Repaired:
        """Replace the damaged blocks of a model by those of the first source that has them; where it came from if none.

        Another file of this store that holds a block comes before any source. A lost manifest or statement is made
        again from what is here, or comes from a source that is a CAR file. Raises NotFound, VerificationFailed when
        blocks stay missing, DiskFull, and what the only source raises.
        """
        named = self.lookup.find(name)
        choice = DonorChoice(self.home, self.store, self.lookup)
        wanted = list(dict.fromkeys(sources)) or [named.reference]

        def makers(folder: Path) -> list[Maker]:
            return [choice.maker(text, folder) for text in wanted]

        with held(self.home, key_of_repair(named.manifest)) as folder:
            given_bytes = self._records.mend(named, offering(makers(folder)))
        known = self.lookup.describe(named)
        repaired = Repairer(self.home, self.store).repair(known, makers)
        self._note(named, verify.BLOCKS, None)
        if given_bytes is None:
            return repaired
        return repaired.model_copy(update={"rebuilt": True, "fetched_bytes": repaired.fetched_bytes + given_bytes})

    @property
    def _records(self) -> Records:
        return Records(self.store, self.registry)

    def _note(self, named: tables.Named, level: str, problem: str | None) -> None:
        # A home that cannot be written can be verified all the same.
        with suppress(HomeUnusable), self.registry.write() as connection:
            tables.add_check(connection, named.manifest, level, problem)
