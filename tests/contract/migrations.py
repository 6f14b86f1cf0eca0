"""What parity is looked at with in migrations: a run, a policy, and two places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.migrate.model import Options

RUN = "00000000-0000-7000-8000-0000000b0000"
_POLICY = {"policy": "weekly"}
_TO = {"source": "warm:", "destination": "spare:"}

CASES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "migrate plan": (["warm:", "spare:"], _TO),
    "migrate copy": (["warm:", "spare:", "--dry-run"], _TO | {"dry_run": True}),
    "migrate move": (["warm:", "spare:", "--dry-run"], _TO | {"dry_run": True}),
    "migrate sync": (["warm:", "spare:", "--dry-run", "--delete"], _TO | {"dry_run": True, "delete": True}),
    "migrate check": (["warm:a.bin", "spare:"], {"source": "warm:a.bin", "destination": "spare:"}),
    "migrate status": ([], {}),
    "migrate history": (["--filter", "state=done"], {"where": "state=done"}),
    "migrate report": ([RUN], {"run": RUN}),
    "migrate write-report": (["b0000", "-o", "{files}/run.html"], {"run": "b0000", "output": "{files}/run.html"}),
    "migrate rescue": (["warm", "--to", "spare:", "--dry-run"], {"dying": "warm", "to": ["spare:"], "dry_run": True}),
    "migrate run": (["weekly"], _POLICY),
    "migrate policy add": (["{files}/other.toml"], {"file": "{files}/other.toml"}),
    "migrate policy ls": ([], {}),
    "migrate policy show": (["weekly"], _POLICY),
    "migrate policy test": (["weekly"], _POLICY),
    "migrate policy enable": (["daily"], {"policy": "daily"}),
    "migrate policy disable": (["weekly"], _POLICY),
    "migrate policy run": (["weekly"], _POLICY),
    "migrate policy rm": (["weekly"], _POLICY),
    "migrate schedule ls": ([], {}),
}


def prepare(node: Node, base: Path, files: Path) -> None:
    """Let the home have done a migration, and know policies."""
    for name in ("warm", "spare"):
        (base / name).mkdir()
        node.store.backends.add(name, "local", {"path": str(base / name)})
    (base / "warm" / "a.bin").write_bytes(b"one")
    node.migrations.ledger._ids = iter([RUN]).__next__
    list(node.migrations.migrate("warm:", "spare:", Options()))
    (base / "warm" / "b.bin").write_bytes(b"two")
    for name in ("weekly", "daily", "other"):
        (files / f"{name}.toml").write_text('source = "warm:"\ndestination = "spare:"\nmatch = "size>1MiB"\n')
    for name in ("weekly", "daily"):
        node.migrations.policies.add(str(files / f"{name}.toml"))
    node.migrations.policies.enable("daily", enabled=False)
