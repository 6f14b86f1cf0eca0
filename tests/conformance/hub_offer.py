"""A repository on the hub for tests, as a place for files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.hf.backend import HubBackend
from ipfs_accel_cli.backends.registry import backend_for
from tests.conformance.backend_suite import ServedOffer
from tests.servers.hub import Hub
from tests.servers.serving import Faults


class HubOffer(ServedOffer):
    """A branch; `options` are those of the backend."""

    def __init__(self, site: Hub, folder: Path, **options: str) -> None:
        self.site, self.folder, self.token = site, folder, "hf_mine"
        self.options = {"repo": "acme/files", "endpoint": site.url, **options}
        kind = options.get("type", "model")
        self.repository = ("" if kind == "model" else f"{kind}s/") + "acme/files"
        (site.root / self.repository).mkdir(parents=True)
        if options.get("prefix"):
            (site.root / self.repository / ".gitattributes").write_text("not below the prefix")
        if branch := options.get("revision"):
            site.add_branch(self.repository, branch)

    def backend(self) -> HubBackend:
        made = backend_for("hf", Config("hub", dict(self.options), self.folder, lambda: self.token))
        assert isinstance(made, HubBackend)
        return made

    @property
    def commits(self) -> list[list[str]]:
        return self.site.uploads.commits

    def refuse_logins(self) -> None:
        self.site.token, self.token = "hf_right", "hf_wrong"

    @contextmanager
    def down(self) -> Iterator[None]:
        self.options["endpoint"] = "http://127.0.0.1:9"
        yield
        self.options["endpoint"] = self.site.url

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        self.site.faults.status = status
        yield
        self.site.faults = Faults()

    @contextmanager
    def cutting(self) -> Iterator[None]:
        self.site.faults.cuts = 1 << 30
        yield
        self.site.faults = Faults()
