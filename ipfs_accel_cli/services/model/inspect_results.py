"""What `model inspect` returns."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class InspectedFile(Result):
    """A file of a model, and what its header says."""

    columns = ("path", "format", "tensors", "size_bytes", "problem")
    essence = "path"

    path: str
    format: str = Field(description="safetensors, gguf, onnx, pickle, json, text or other.")
    size_bytes: int
    tensors: int | None = Field(description="Tensors that the header lists; null for a form without such a header.")
    problem: str | None = Field(description="Why the header could not be read.")


class InspectedTensor(Result):
    """One tensor, as the header of its file describes it."""

    columns = ("name", "dtype", "shape", "size_bytes", "file", "sha256")
    essence = "name"

    name: str
    file: str
    dtype: str = Field(description="torch's name, or ggml's for quantised blocks.")
    shape: list[int]
    parameters: int
    size_bytes: int
    offset: int | None = Field(
        description="Where it begins in the file; null where its numbers are not one stretch of it."
    )
    sha256: str | None = Field(
        description="The digest of its bytes as they are in the file; null unless asked for, and without an offset."
    )


class OfDtype(Result):
    """All tensors of one dtype."""

    essence = "dtype"

    dtype: str
    tensors: int
    parameters: int
    size_bytes: int


class Inspected(Result):
    """What the headers of a model's files say."""

    columns = ("name", "manifest_cid", "parameters", "tensor_count", "size_bytes", "dtypes", "files", "tensors")
    essence = "name"

    name: str
    manifest_cid: str | None = Field(description="The model's identity; null for a path that is no registered model.")
    size_bytes: int
    parameters: int | None = Field(description="Numbers in all tensors; null when no header could be read.")
    tensor_count: int
    dtypes: list[OfDtype]
    files: list[InspectedFile]
    tensors: list[InspectedTensor] = Field(description="Empty unless asked for.")
