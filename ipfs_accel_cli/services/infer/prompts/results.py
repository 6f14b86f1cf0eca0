"""What prompt templates answer with."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.infer.results import Shot


class PromptListed(Result):
    """A version of a prompt template."""

    columns = ("name", "version", "description", "cid", "created_at")
    essence = "name"

    name: str
    version: int
    cid: str = Field(description="Of the template's text, in the store.")
    description: str
    created_at: str = Field(description="In UTC.")


class PromptShown(Result):
    """A prompt template and its text."""

    columns = ("name", "version", "description", "cid", "created_at", "needs", "defaults", "system", "text")
    essence = "text"

    name: str
    version: int
    cid: str
    description: str
    created_at: str
    needs: list[str] = Field(description="Variables that must be given.")
    defaults: dict[str, str] = Field(description="Variables that need not be given, with what they are then.")
    system: str
    text: str = Field(description="The whole template, front matter included.")


class PromptRendered(Result):
    """A prompt template, filled in."""

    columns = ("system", "text", "examples")
    essence = "text"

    name: str
    version: int
    cid: str
    system: str
    text: str
    examples: list[Shot] | None = None


class PromptsRemoved(Result):
    """Versions of a prompt template that are kept no longer; their bytes stay until gc."""

    removed: list[PromptListed]


class CaseResult(Result):
    """What a template, or a model by it, made of one case."""

    columns = ("case", "passed", "text", "problems")
    essence = "case"

    case: int = Field(description="Which line of the set, counted from 1.")
    passed: bool
    text: str
    problems: list[str]


class PromptTested(Result):
    """A set of cases that all passed."""

    columns = ("name", "version", "cid", "model", "passed", "cases")
    essence = "passed"

    name: str
    version: int
    cid: str
    model: str | None = Field(default=None, description="None when the template was only filled in.")
    passed: int
    cases: list[CaseResult]
