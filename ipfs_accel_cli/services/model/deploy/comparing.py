"""How two versions of deployments differ: setting by setting, and in the files of their models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.services.model.compare_results import FileChange
from ipfs_accel_cli.services.model.comparing import changed_files
from ipfs_accel_cli.services.model.deploy.config import Deployment
from ipfs_accel_cli.services.model.deploy.results import DeploymentDifference, SettingChange
from ipfs_accel_cli.services.model.deploy.tables import Kept


def difference(
    before: Kept, after: Kept, old: Deployment, new: Deployment, had: Manifest, has: Manifest
) -> DeploymentDifference:
    """Compare two versions; the files are those of the models that they serve."""
    settings = _settings(_flat(old), _flat(new))
    files: list[FileChange] = []
    same: int | None = None
    if had.cid != has.cid:
        files, same = changed_files(had, has)
    return DeploymentDifference(
        before=f"{before.name}@{before.version}",
        after=f"{after.name}@{after.version}",
        identical=not settings,
        verdict=_verdict(settings, files),
        settings=settings,
        same_files=same,
        files=files,
    )


def _flat(config: Deployment) -> dict[str, Any]:
    """Return all settings, each label by itself; what is null is not set."""
    values = config.model_dump(mode="json", exclude_none=True)
    labels = values.pop("labels")
    return {**values, **{f"labels.{name}": value for name, value in labels.items()}}


def _settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[SettingChange]:
    names = [*old, *(name for name in new if name not in old)]
    return [
        SettingChange(
            setting=name,
            change="added" if name not in old else "removed" if name not in new else "changed",
            before=old.get(name),
            after=new.get(name),
        )
        for name in names
        if name not in old or name not in new or old[name] != new[name]
    ]


def _verdict(settings: list[SettingChange], files: list[FileChange]) -> str:
    if not settings:
        return "no difference"
    told = [_counted(len(settings), "setting")]
    if files:
        told.append(f"{_counted(len(files), 'file')} of the model")
    return f"{' and '.join(told)} differ{'s' if len(settings) == 1 and not files else ''}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
