"""What `model diff` and `model dedup` return."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

Change = Literal["added", "removed", "changed"]


class FileChange(Result):
    """A file that is not the same in both models."""

    columns = ("path", "change", "before_bytes", "after_bytes", "moved_from")
    essence = "path"

    path: str
    change: Literal["added", "removed", "changed", "moved"]
    before_bytes: int | None
    after_bytes: int | None
    moved_from: str | None = Field(description="The path of the same bytes in the first model.")


class TensorChange(Result):
    """A tensor that is not the same in both models."""

    columns = ("name", "change", "before", "after")
    essence = "name"

    name: str
    change: Change
    before: str | None = Field(description="Its dtype and shape in the first model.")
    after: str | None


class KeyChange(Result):
    """A setting in a JSON file that is not the same in both models."""

    columns = ("file", "key", "change", "before", "after")
    essence = "key"

    file: str
    key: str = Field(description="The way to the value: names joined by dots.")
    change: Change
    before: Any
    after: Any


class Difference(Result):
    """How the second model differs from the first."""

    columns = (
        *("before", "after", "identical", "same_files", "same_bytes", "same_tensors"),
        *("files", "keys", "tensors"),
    )
    essence = "files"

    before: str = Field(description="The first model's manifest.")
    after: str
    identical: bool
    same_files: int
    same_bytes: int = Field(description="Bytes of the files that are the same in both.")
    files: list[FileChange]
    keys: list[KeyChange] = Field(description="Changes inside JSON files that are in both, tokenizers left out.")
    tensors: list[TensorChange]
    same_tensors: int | None = Field(
        description="Tensors with equal bytes; null when contents were not read, and dtype and shape alone compared."
    )


class SharedFile(Result):
    """The bytes of a file that several models hold."""

    columns = ("path", "size_bytes", "models")
    essence = "path"

    path: str
    sha256: str
    size_bytes: int
    models: list[str]


class Overlap(Result):
    """How much two models share."""

    columns = ("one", "other", "files_bytes", "blocks_bytes", "tensors_bytes")
    essence = "one"

    one: str
    other: str
    files_bytes: int = Field(description="Bytes of equal files.")
    blocks_bytes: int = Field(description="Bytes of equal blocks, of files cut alike.")
    tensors_bytes: int | None = Field(description="Bytes of equal tensors; null when contents were not read.")


class Deduplication(Result):
    """What several models hold in common, and what that saves."""

    columns = (
        *("models", "total_bytes", "stored_bytes", "block_unique_bytes", "tensor_unique_bytes"),
        *("shared", "overlaps"),
    )
    essence = "stored_bytes"

    models: int
    total_bytes: int = Field(description="Bytes of all files of all models.")
    stored_bytes: int = Field(description="Bytes that the store keeps of them: each file once.")
    block_unique_bytes: int = Field(description="What it would be if each block were kept once.")
    tensor_unique_bytes: int | None = Field(
        description="What it would be if each tensor were kept once, and all else as files; null when not read."
    )
    shared: list[SharedFile]
    overlaps: list[Overlap]
