"""What the commands of the group `model` return."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

_MANIFEST = "The model's identity: the CID of its manifest."
_ROOT = "The CID of the folder with the model's files, as IPFS knows it."


class Pulled(Result):
    """A model that was fetched, was here already, or would be fetched (`dry_run`), and then may have no CID yet."""

    columns = (
        *("name", "version", "dry_run", "manifest_cid", "root_cid", "files", "size_bytes"),
        *("fetched_bytes", "missing_bytes", "tasks"),
    )
    essence = "manifest_cid"

    name: str
    version: int | None
    manifest_cid: str | None = Field(description=_MANIFEST)
    root_cid: str | None = Field(description=_ROOT)
    reference: str = Field(description="Where it came from, pinned.")
    revision: str
    tasks: list[str]
    licence: str | None
    files: int | None = Field(description="Null where it is in an archive that is still to be fetched.")
    size_bytes: int | None = Field(description="Of all files; null as above.")
    fetched_bytes: int = Field(description="What this command transferred; 0 when all was here.")
    new: bool = Field(description="False when this very model was registered before.")
    dry_run: bool = False
    missing_bytes: int | None = Field(default=0, description="What a pull had still to fetch; null where nobody tells.")


class ModelRow(Result):
    """One version of a name."""

    columns = ("name", "version", "tasks", "parameters", "size_bytes", "licence", "aliases", "manifest_cid")
    essence = "name"

    name: str
    version: int
    aliases: list[str]
    tasks: list[str]
    architectures: list[str]
    parameters: int | None = Field(description="Counted from the weights' headers; unknown for other forms.")
    dtype: str
    size_bytes: int
    licence: str | None
    manifest_cid: str = Field(description=_MANIFEST)
    root_cid: str = Field(description=_ROOT)
    reference: str
    created_at: str = Field(description="ISO 8601, UTC.")
    meta: dict[str, str] = Field(default_factory=dict, description="Notes of the owner, kept in this home alone.")


class Models(Result):
    """The registered models."""

    models: list[ModelRow]


class ModelFile(Result):
    """A file of a model."""

    columns = ("path", "size_bytes", "sha256", "cid")
    essence = "path"

    path: str
    size_bytes: int
    sha256: str
    cid: str


class SaidOf(Result):
    """A statement about a model: an object of its own, which names the manifest."""

    columns = ("kind", "signer", "predicate_type", "cid")
    essence = "cid"

    kind: str
    cid: str
    signer: str | None = Field(None, description="The key that it names; `model verify-attest` tells whether it holds.")
    predicate_type: str | None = Field(None, description="What a signed statement says, as a URI.")
    body: dict[str, Any]


class Shown(Result):
    """All that is known of a model."""

    columns = (
        *("name", "version", "aliases", "manifest_cid", "root_cid", "profile", "tasks", "architectures", "model_type"),
        *("parameters", "dtype", "context_tokens", "weight_bytes", "size_bytes", "licence", "reference", "created_at"),
        *("meta", "quantized_from", "files", "statements"),
    )
    essence = "manifest_cid"

    name: str
    version: int
    aliases: list[str]
    manifest_cid: str = Field(description=_MANIFEST)
    root_cid: str = Field(description=_ROOT)
    profile: str = Field(description="The CID profile of the root and the files.")
    tasks: list[str]
    architectures: list[str]
    model_type: str
    parameters: int | None
    dtype: str
    context_tokens: int | None
    weight_bytes: int
    size_bytes: int
    licence: str | None
    reference: str
    created_at: str = Field(description="ISO 8601, UTC.")
    meta: dict[str, str] = Field(default_factory=dict, description="Notes of the owner, kept in this home alone.")
    quantized_from: list[str] = Field(description="Manifests of the models that it was quantised from.")
    files: list[ModelFile]
    statements: list[SaidOf]


class Meta(Result):
    """The notes on a model."""

    columns = ("name", "version", "manifest_cid", "meta")
    essence = "meta"

    name: str
    version: int
    manifest_cid: str = Field(description=_MANIFEST)
    meta: dict[str, str] = Field(description="Kept in this home alone: neither signed nor exported.")


class Removed(Result):
    """Names that were taken off; the content stays in the store until `model gc`."""

    essence = "names"

    names: list[str]
    released_manifests: list[str] = Field(description="Models that no name means any more, which gc may delete.")


class SuspectTensor(Result):
    """A tensor with numbers that no sound weights have."""

    columns = ("file", "name", "dtype", "nans", "infinities")
    essence = "name"

    file: str
    name: str
    dtype: str
    nans: int
    infinities: int


class Verified(Result):
    """The outcome of reading a model's every byte again."""

    columns = (
        *("name", "manifest_cid", "level", "files", "size_bytes", "blocks", "tensors"),
        *("numbers_read", "numbers_unread", "suspect_tensors"),
    )
    essence = "manifest_cid"

    name: str
    manifest_cid: str = Field(description=_MANIFEST)
    files: int = Field(description="Files whose bytes were found to be those of their CID.")
    size_bytes: int
    blocks: int = Field(description="Blocks of the model's DAG that were hashed.")
    tensors: int = Field(description="Tensors whose place in the safetensors files was checked.")
    level: Literal["blocks", "full"] = Field(description="full: sha-256 and the numbers of tensors were checked, too.")
    numbers_read: int | None
    numbers_unread: int | None = Field(description="Numbers that cannot be looked at, such as quantised ones.")
    suspect_tensors: list[SuspectTensor] = Field(description="Tensors with NaN or infinity.")


class Tagged(Result):
    """An alias and the model it means now."""

    essence = "alias"

    alias: str
    name: str
    version: int
    manifest_cid: str = Field(description=_MANIFEST)


class Cleaned(Result):
    """What gc deleted, or would delete."""

    essence = "freed_bytes"

    dry_run: bool
    freed_bytes: int
    objects: int = Field(description="Files of the store that no model and no pin needs.")
    blocks: int
    partial_downloads: int = Field(description="Interrupted downloads that were thrown away.")


class Exported(Result):
    """A model that was written for others to read."""

    essence = "path"

    path: str
    layout: str = Field(description="car, plain, hf or ollama.")
    roots: list[str] = Field(description="The manifest and, in a CAR, the statements about it.")
    blocks: int
    files: int
    size_bytes: int
    unchanged: bool = Field(description="The same was there already.")
