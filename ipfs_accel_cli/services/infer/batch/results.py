"""What a batch answers with."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Batched(Result):
    """A batch that is answered whole."""

    essence = "output"

    output: str = Field(description="The file with the answers, one a line, in the order of the input.")
    lines: int = Field(description="Requests, all of them answered.")
    resumed: int = Field(description="Of these, how many an earlier run had answered.")
    seconds: float = Field(description="This run, loading included.")
    lines_s: float = Field(description="Lines a second of this run.")
    models: list[str] = Field(description="The models that answered in this run.")
