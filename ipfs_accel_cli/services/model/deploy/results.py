"""What `model deploy` returns."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.model.compare_results import FileChange
from ipfs_accel_cli.services.model.deploy.config import Deployment, Server

Target = Literal["accel", "llama-server", "ollama", "systemd", "compose"]


class Estimate(Result):
    """Whether the model fits this machine at the deployment's context; null where that is not known."""

    fits: bool | None = None
    total_bytes: int | None = None
    budget_bytes: int | None = None
    verdict: str = Field(description="In words, or why it is not known.")


class Deployed(Result):
    """A version of a deployment."""

    columns = ("name", "version", "unchanged", "config_cid", "model", "manifest_cid", "server", "address", "fit")
    essence = "version"

    name: str
    version: int
    unchanged: bool = Field(default=False, description="The configuration was this already; no version was made.")
    config_cid: str
    model: str
    manifest_cid: str
    server: Server
    address: str
    created_at: str = Field(description="ISO 8601, UTC.")
    fit: Estimate | None = None


class DeploymentRow(Result):
    """A deployment as a list shows it."""

    columns = ("name", "version", "model", "server", "address", "config_cid", "created_at")
    essence = "name"

    name: str
    version: int = Field(description="The newest.")
    versions: int
    model: str
    server: Server
    address: str
    config_cid: str
    manifest_cid: str
    created_at: str = Field(description="ISO 8601, UTC.")


class Deployments(Result):
    """All deployments."""

    essence = "deployments"

    deployments: list[DeploymentRow]


class DeploymentVersion(Result):
    """One version in short."""

    columns = ("version", "model", "config_cid", "created_at")
    essence = "version"

    version: int
    model: str
    config_cid: str
    created_at: str = Field(description="ISO 8601, UTC.")


class ShownDeployment(Result):
    """All that is known of one version of a deployment."""

    columns = ("name", "version", "config_cid", "model_named", "config", "versions")
    essence = "toml"

    name: str
    version: int
    config_cid: str
    created_at: str = Field(description="ISO 8601, UTC.")
    model_named: bool = Field(description="The model still has a name of its own; without one it is kept all the same.")
    config: Deployment
    toml: str = Field(description="The configuration as `new --from` reads it.")
    versions: list[DeploymentVersion]


class RemovedDeployments(Result):
    """Deployments that were taken off."""

    essence = "removed"

    removed: list[str] = Field(description="Each as name@version.")
    released_manifests: list[str] = Field(description="Models that no deployment keeps any more.")


class Step(Result):
    """A command to type next."""

    essence = "command"

    command: str


class Rendered(Result):
    """A file for what serves the model."""

    columns = ("name", "version", "target", "path", "unchanged", "notes", "commands")
    essence = "text"

    name: str
    version: int
    target: Target
    file: str = Field(description="What to call the file.")
    executable: bool
    path: str | None = Field(default=None, description="Where it was written.")
    unchanged: bool = Field(default=False, description="It lay there already.")
    text: str = Field(description="Its lines, without the last line end.")
    commands: list[Step] = Field(description="What to type next.")
    notes: list[str] = Field(description="What the file does not express, and what it relies on.")


class SettingChange(Result):
    """A setting that is not the same in both versions."""

    columns = ("setting", "change", "before", "after")
    essence = "setting"

    setting: str
    change: Literal["added", "removed", "changed"]
    before: Any
    after: Any


class DeploymentDifference(Result):
    """How the second deployment differs from the first."""

    columns = ("before", "after", "verdict", "settings", "files")
    essence = "settings"

    before: str = Field(description="As name@version.")
    after: str
    identical: bool
    verdict: str = Field(description="In words.")
    settings: list[SettingChange]
    same_files: int | None = Field(description="Files that are equal in both models; null when it is one model.")
    files: list[FileChange] = Field(description="Files of the models that are not equal.")
