"""What pipelines answer with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class StepChecked(Result):
    """One step of a pipeline that can run."""

    columns = ("step", "run", "model", "needs", "gives")
    essence = "step"

    step: str
    run: str = Field(description="The command of inference that it runs.")
    model: str | None = Field(default=None, description="The model that it names; else the default for the task.")
    needs: list[str] = Field(description="What it is given from elsewhere.")
    gives: str = Field(description="What comes of it.")


class PipelineChecked(Result):
    """A pipeline that can run."""

    columns = ("name", "about", "cid", "inputs", "steps", "outputs")
    essence = "name"

    name: str
    about: str = ""
    cid: str = Field(description="The content address of the file.")
    inputs: dict[str, str] = Field(description="Names and types.")
    steps: list[StepChecked]
    outputs: list[str]


class StepRan(Result):
    """One step of a run."""

    columns = ("step", "run", "state", "seconds", "value_cid", "files")
    essence = "value_cid"

    step: str
    run: str
    state: Literal["ran", "cached"] = Field(description="cached: what an earlier run of the same step gave was taken.")
    seconds: float
    key: str = Field(description="CID of what decides its answer: command, arguments, the models and files by address.")
    value_cid: str = Field(description="CID of its answer, as JSON.")
    files: dict[str, str] = Field(default_factory=dict, description="CIDs of the files that it wrote.")


class PipelineRun(Result):
    """A run that is finished."""

    columns = ("name", "cid", "steps", "outputs", "saved")
    essence = "outputs"

    name: str
    cid: str = Field(description="The content address of the file.")
    steps: list[StepRan]
    outputs: dict[str, Any] = Field(description="What the pipeline gives; a file as its CID.")
    saved: list[str] = Field(default_factory=list, description="Files that were written to the folder of --save.")


class PipelineGraph(Result):
    """A pipeline as a drawing in text."""

    essence = "text"

    name: str
    language: Literal["mermaid", "dot"]
    text: str
