"""What failed of many: told when it happens, and all together when the others are done."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from ipfs_accel_cli.core.errors import AccelError, SomeFailed

log = logging.getLogger("ipfs_accel_cli")


@dataclass(slots=True)
class Failures:
    """Counts items, which it calls by what they are, such as pictures, and remembers those that failed."""

    kind: str = "pictures"
    count: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)

    def usable(self, name: str, error: AccelError | None) -> bool:
        """Count an item, say what is wrong with it, and return whether nothing is."""
        self.count += 1
        if error is not None:
            log.warning("%s", error.detail)
            # The name stands before it already.
            self.failed.append({"pointer": name, "detail": error.detail.removeprefix(name).lstrip(": ")})
        return error is None

    def end(self) -> None:
        """Raise SomeFailed when some failed."""
        if self.failed:
            raise SomeFailed(f"{len(self.failed)} of {self.count} {self.kind} failed", errors=self.failed)
