"""What `model lineage` returns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Ancestor(Result):
    """Something in the line of a model: a model here, a place, or a model that is only named."""

    columns = ("id", "kind", "label")
    essence = "id"

    id: str = Field(description="A manifest's CID, a reference, or the CID of what was made of the model.")
    kind: Literal["model", "source", "named", "derived"] = Field(
        description="model: registered here; source: where one came from; named: stated, but not here; derived: made"
        " here of a model."
    )
    label: str


class Descent(Result):
    """How one of them comes from another."""

    columns = ("child", "kind", "parent", "stated_in")
    essence = "parent"

    child: str
    parent: str
    kind: Literal["pulled-from", "base-model", "adapter-of", "quantized-from", "derived-from", "replaces"]
    stated_in: str = Field(
        description="What says so: the pull, the model card, a configuration, a statement, this registry."
    )


class Lineage(Result):
    """Where a model comes from, as far as anything says so."""

    columns = ("name", "manifest_cid", "ancestors", "descents")
    essence = "graph"

    name: str
    manifest_cid: str
    ancestors: list[Ancestor]
    descents: list[Descent]
    graph: str = Field(description="The same as a drawing, in the language that was asked for.")
