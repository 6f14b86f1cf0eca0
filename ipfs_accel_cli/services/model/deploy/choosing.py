"""What a new version says: a file's settings, else the present version's, with what was asked for on top."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotAuthorised, NotFound
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.deploy import config
from ipfs_accel_cli.services.model.deploy.config import Deployment
from ipfs_accel_cli.services.model.lookup import Lookup, load_manifest

_OWNERS = ("image", "extra_args", "host", "api_key_env")
_LARGEST_BYTES = 1 << 20
_DEVICES = ("auto", "cpu", "cuda", "rocm", "xpu", "mps", "vulkan")


@dataclass(frozen=True, slots=True)
class Choosing:
    """Makes configurations; changes nothing."""

    store: Store
    lookup: Lookup

    def chosen(
        self,
        name: str,
        before: Deployment | None,
        model: str | None,
        file: str | Path | None,
        assignments: Sequence[str],
    ) -> Deployment:
        """Return the configuration; raises Invalid for a setting that is wrong, NotFound for a model that is not here.

        A model that is named pins the manifest that it means now; without one the manifest stays. Raises NotAuthorised
        when another than the owner changes a setting that decides what runs on the owner's machine, and who reaches it.
        """
        values: dict[str, Any] = {}
        if file is not None:
            values = _from_file(file)
            self._agree(values, model)
        elif before is not None:
            values = before.body()
        wanted = model or (values.get("model") if "manifest" not in values else None)
        if wanted is not None:
            named = self.lookup.find(str(wanted))
            values |= {"model": f"{named.name}@{named.version}", "manifest": named.manifest}
        elif "manifest" not in values:
            raise Invalid(
                "a deployment serves a model", suggestion=f"ipfs-accel model deploy new {name} --model NAME@VERSION"
            )
        assigned = config.assigned(values, assignments)
        checked = config.checked({"server": "accel", **assigned})
        paths = self._paths(checked)
        if checked.file is not None and checked.file not in paths:
            raise Invalid(f"{checked.model} has no file {checked.file!r}", suggestion="--set file=")
        server = "llama-server" if any(path.endswith(".gguf") for path in paths) else "accel"
        made = checked if "server" in assigned else config.checked({**assigned, "server": server})
        if made.server == "llama-server" and server == "accel":
            raise Invalid(f"{made.model} holds no GGUF file, which llama-server reads", suggestion="--set server=accel")
        _check_known(made, before)
        _check_owner(made, before)
        return made

    def _agree(self, values: dict[str, Any], model: str | None) -> None:
        """Refuse a file whose name means another model here than its manifest, as after one of both was edited."""
        name, manifest = values.get("model"), values.get("manifest")
        if model is not None or not isinstance(name, str) or manifest is None:
            return
        with suppress(NotFound):
            means = self.lookup.find(name).manifest
            if means != manifest:
                raise Invalid(
                    f"model is {name}, which means {means} here, and manifest is {manifest}; leave one of both out"
                )

    def _paths(self, config: Deployment) -> list[str]:
        try:
            return [entry.path for entry in load_manifest(self.store, config.manifest).files]
        except NotFound as error:
            raise NotFound(
                f"the model {config.model} ({config.manifest}) is not here", suggestion="ipfs-accel model ls"
            ) from error


def _check_known(made: Deployment, before: Deployment | None) -> None:
    """Refuse an engine or a kind of device that nobody knows; what an earlier version says stays."""
    engines = ["auto", *ENGINES.names()]
    if made.engine not in engines and (before is None or made.engine != before.engine):
        raise Invalid(f"there is no engine {made.engine!r}; there are: {', '.join(engines)}")
    if made.device.partition(":")[0] not in _DEVICES and (before is None or made.device != before.device):
        raise Invalid(f"there is no device {made.device!r}; there are: {', '.join(_DEVICES)}, with :NUMBER if need be")


def _check_owner(made: Deployment, before: Deployment | None) -> None:
    if current().folders is None:
        return
    # Whoever installs what is rendered next would start another's program, or let strangers in, without a word.
    for name in _OWNERS:
        default = Deployment.model_fields[name].get_default(call_default_factory=True)
        if getattr(made, name) != getattr(before, name, default):
            raise NotAuthorised(
                f"only the owner's own shell changes {name} of a deployment",
                suggestion=f"ipfs-accel model deploy new NAME --set {name}=VALUE",
            )


def _from_file(file: str | Path) -> dict[str, Any]:
    path = current().path(file)
    try:
        with path.open("rb") as opened:
            data = opened.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > _LARGEST_BYTES:
        raise Invalid(f"{path} is larger than any configuration")
    return config.read_toml(data, str(path))
