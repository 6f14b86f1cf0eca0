"""The remote engine: the model is elsewhere; nothing of it is here, and nothing of it can be verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.http import trusted
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.openai.server import Server
from ipfs_accel_cli.engines.openai.session import ServerSession
from ipfs_accel_cli.engines.remote import record

DEVICE = "remote"


class RemoteEngine:
    """Asks endpoints that `infer endpoint add` made known."""

    name = "remote"

    def devices(self) -> tuple[Device, ...]:
        """Return the one place that there is: not here."""
        return (Device(DEVICE),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say yes to what is behind an endpoint, which takes no memory here, and no to anything else."""
        if model.model_type != record.TYPE:
            return Fit(0, 0, "it runs elsewhere only what an endpoint has: -m endpoint:NAME/MODEL", supported=False)
        return Fit(0.5, 0, "it runs elsewhere", device=DEVICE, dtype="unknown")

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Open a session with the server; raises NotAuthorised where its key is not to be had."""
        choose_device(plan.device, self.devices())
        return ServerSession(server(files, model.architectures[0]), plan.task, trusted(), current().read_seconds)


def server(folder: Path, model: str = "") -> Server:
    """Return the server of an endpoint, with its key."""
    kept = record.read(folder)
    found = Server(f"endpoint {folder.name}", kept.url, model or kept.model)
    return replace(found, key=record.key_of(folder, kept))
