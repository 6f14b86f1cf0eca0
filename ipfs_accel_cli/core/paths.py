"""The home folder and the rooms in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.errors import HomeUnusable

HOME_VARIABLE = "IPFS_ACCEL_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """Where one node keeps its state; nothing is made until `ensure`."""

    path: Path

    @classmethod
    def locate(cls, path: str | Path | None = None) -> Home:
        """Choose the folder: the argument, then IPFS_ACCEL_HOME, then the platform's data folder."""
        chosen = path or os.environ.get(HOME_VARIABLE)
        if chosen:
            return cls(Path(chosen).expanduser().absolute())
        import platformdirs

        return cls(Path(platformdirs.user_data_dir("ipfs-accel", appauthor=False)))

    def ensure(self, *names: str) -> Path:
        """Make a folder of the home (the home itself without names), private to the user; return it.

        The home is durable before anything is written to it. Raises HomeUnusable when it cannot be made or written.
        """
        folder = self.path.joinpath(*names)
        try:
            if not self.state_file.exists():
                self._make()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self.unusable(error) from error
        if not os.access(folder, os.W_OK):
            raise self.unusable(PermissionError(f"{folder} is not writable"))
        return folder

    def _make(self) -> None:
        """Make the home and sync every name that leads to it; again is no error.

        A process that made the folder may have died before it was synced, so that it is there proves nothing. The state
        file does: it is written afterwards.
        """
        from ipfs_accel_cli.core.files import sync_folder

        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in {self.path, *made}:
            sync_folder(folder.parent)

    def unusable(self, error: OSError) -> HomeUnusable:
        """Return the error that explains why this home cannot be used."""
        return HomeUnusable(
            f"cannot write the home folder {self.path}: {error.strerror or error}",
            suggestion=f"set {HOME_VARIABLE} or --home to a folder you may write",
            home=str(self.path),
        )

    @property
    def config_file(self) -> Path:
        return self.path / "config.toml"

    @property
    def state_file(self) -> Path:
        return self.path / "state.db"

    @property
    def index_file(self) -> Path:
        return self.path / "index.db"

    @property
    def objects(self) -> Path:
        return self.path / "objects"

    @property
    def blocks(self) -> Path:
        return self.path / "blocks"

    @property
    def staging(self) -> Path:
        return self.path / "staging"

    @property
    def partial(self) -> Path:
        return self.path / "partial"

    @property
    def derived(self) -> Path:
        return self.path / "derived"

    @property
    def keys(self) -> Path:
        return self.path / "keys"
