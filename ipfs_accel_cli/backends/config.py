"""How a backend is configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.core.errors import NotAuthorised
from ipfs_accel_cli.core.parts import Pace


@dataclass(frozen=True, slots=True)
class Config:
    """How a backend is to be reached: `options` as they were given, and `secret()` for its token, asked when needed.

    `folder` is a folder of this backend's own, for notes that let it go on after a crash. `pace()` is what was measured
    of it by now.
    """

    name: str
    options: Mapping[str, str]
    folder: Path
    secret: Callable[[], str] = field(default=lambda: "", repr=False)
    pace: Callable[[], Pace] = field(default=Pace, repr=False)

    def get(self, option: str, default: str = "") -> str:
        """Return an option, or the default where it was not given."""
        return self.options.get(option) or default

    def needed_secret(self) -> str:
        """Return the token; raises NotAuthorised where there is none."""
        if secret := self.secret():
            return secret
        raise NotAuthorised(
            f"backend {self.name} needs a token", suggestion=f"ipfs-accel store backend add {self.name} --help"
        )
