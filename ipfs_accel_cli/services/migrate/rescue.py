"""Rescue: what only a dying place holds is found, fetched, proven, and brought elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Dags, Files, Pins
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Invalid, Offline, SomeFailed, Unavailable, classified
from ipfs_accel_cli.services.migrate.places import destination_of
from ipfs_accel_cli.services.migrate.policy_results import Rescued
from ipfs_accel_cli.services.migrate.world import World

_LABEL = "migrate rescue"


@dataclass(frozen=True, slots=True)
class Rescue:
    """Rescues what lies at one place, `dying`, to another."""

    world: World
    dying: str
    to: Sequence[str]
    recheck: bool = False
    dry_run: bool = False

    def run(self) -> Iterator[Rescued]:
        """Yield every DAG of the dying place and what became of it; raises SomeFailed in the end."""
        places = [destination_of(self.world, text) for text in self.to]
        if not places or any(place.backend in (self.dying, self.world.here) for place in places):
            raise Invalid("a rescue needs another backend to bring things to: --to NAME:")
        failed: list[dict[str, str]] = []
        found = self._inventory()
        for done, root in enumerate(found):
            current().check()
            current().progress(done, len(found), f"Rescuing from {self.dying}")
            row = self._one(root, [(place.backend, place.path) for place in places])
            if row.outcome == "failed":
                failed.append({"pointer": row.cid, "detail": row.detail})
            yield row
        self.world.let_go(_LABEL)
        if failed:
            raise SomeFailed(f"{len(failed)} of {len(found)} DAGs could not be rescued", errors=failed)

    def _inventory(self) -> list[CID]:
        """Return what the place lists, pins included; where it does not answer, what was ever proven there."""
        known = {one.cid.to_v1() for one in self.world.known_at(self.dying) if one.whole_dag}
        backend = self.world.open(self.dying)
        try:
            if isinstance(backend, Pins):
                known |= {pin.cid.to_v1() for pin in backend.pins()}
            else:
                known |= {cid.to_v1() for cid in self.world.roots(self.dying)}
        except Unavailable:
            if not known:
                raise
        return sorted(known, key=str)

    def _one(self, root: CID, places: Sequence[tuple[str, str]]) -> Rescued:
        elsewhere = self._elsewhere(root)
        size_bytes = self.world.size_of(root)
        if elsewhere:
            return Rescued(outcome="safe", cid=str(root), size_bytes=size_bytes, elsewhere=elsewhere)
        if self.dry_run:
            detail = f"only {self.dying} is known to have it"
            return Rescued(outcome="planned", cid=str(root), size_bytes=size_bytes, elsewhere=[], detail=detail)
        try:
            via = self._fetched(root, [name for name, _ in places])
            for name, path in places:
                self.world.send(root, name, f"{path}/{root}" if path else "")
                self.world.reread(root, name)
        except Exception as error:
            known = classified(error)
            if known is None or isinstance(known, Cancelled | Offline):
                raise
            return Rescued(outcome="failed", cid=str(root), size_bytes=size_bytes, elsewhere=[], detail=known.detail)
        names = [name for name, _ in places]
        return Rescued(
            outcome="rescued", cid=str(root), size_bytes=self.world.size_of(root), elsewhere=names, detail=f"from {via}"
        )

    def _elsewhere(self, root: CID) -> list[str]:
        names = [one.backend for one in self.world.copies_of(root) if one.whole_dag and one.backend != self.dying]
        found = []
        for name in dict.fromkeys(names):
            try:
                if self.recheck:
                    self.world.reread(root, name)
                found.append(name)
            except (Cancelled, Offline):
                raise
            except AccelError:
                continue
        return found

    def _fetched(self, root: CID, places: Sequence[str]) -> str:
        """Bring a DAG here from the dying place, else from any other that gives DAGs; raises the first error."""
        if self.world.is_whole(root):
            return self.world.here
        names = [self.dying, *(name for name in self.world.names() if name != self.dying and name not in places)]
        first: AccelError | None = None
        for name in names:
            backend = self.world.open(name)
            if not isinstance(backend, Dags | Files):
                continue
            try:
                self.world.fetch(root, name, _LABEL)
            except (Cancelled, Offline):
                raise
            except AccelError as error:
                first = first or error
                continue
            return name
        raise first or Unavailable(f"no place gives {root}: add a gateway", suggestion="ipfs-accel store backend add")
