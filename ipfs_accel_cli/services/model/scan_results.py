"""What `model scan` returns when nothing speaks against the files."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class ScannedFile(Result):
    """A file that was looked at."""

    columns = ("path", "form", "size_bytes", "callables")
    essence = "path"

    path: str
    form: str = Field(description="How it was read: pickle, zip, tar, hdf5, or data, which no loader runs.")
    size_bytes: int
    callables: list[str] = Field(description="What a loader would call to rebuild the weights; all of it is harmless.")


class Scanned(Result):
    """Files that hold no code which runs when they are loaded, as far as the forms that are known go."""

    columns = ("name", "manifest_cid", "size_bytes", "notes", "files")
    essence = "name"

    name: str
    manifest_cid: str | None = Field(description="The model's identity; null for a path that is no registered model.")
    size_bytes: int
    files: list[ScannedFile]
    notes: list[str] = Field(description="Code that lies beside the weights and runs only for who asks for it.")
