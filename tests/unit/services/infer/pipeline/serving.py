"""A home with commands of inference on the engine that needs no library, for tests of pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ipfs_accel_cli import Node
from ipfs_accel_cli.commands.infer.pipeline import kinds
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.node import using_node
from ipfs_accel_cli.services.infer.inference import Inference
from ipfs_accel_cli.services.infer.pipeline.results import PipelineRun
from tests.conformance.plain_engine import engines, plain_model
from tests.unit.services.infer.serving import SETTINGS


class Bench:
    """Models by name, which a test may exchange, and the home that pipelines are run in."""

    def __init__(self, node: Node, folder: Path, *, step_ms: float = 0) -> None:
        self.models = {"letters": plain_model(folder / "letters", step_ms=step_ms)}
        self.node = node

    def find(self, name: str | None, _task: str) -> Loadable:
        if (name or "letters") not in self.models:
            raise NotFound(f"no model named {name!r} is here", suggestion="ipfs-accel model ls")
        return self.models[name or "letters"]

    def mark(self) -> str:
        return " ".join(sorted(model.facts.manifest for model in self.models.values()))

    def run(self, file: Path, *given: str, **how: Any) -> PipelineRun:
        return self.node.inference.pipelines.run(file, kinds(), given, **how)

    def states(self, file: Path, *given: str, **how: Any) -> dict[str, str]:
        return {step.step: step.state for step in self.run(file, *given, **how).steps}


@contextmanager
def bench(node: Node, folder: Path, *, step_ms: float = 0) -> Iterator[Bench]:
    """Serve the home of a node with the plain engine for the block."""
    made = Bench(node, folder, step_ms=step_ms)
    home = (node.database, node.store, node.home.path)
    node.__dict__["inference"] = Inference(SETTINGS, made.find, engines(), home=home, mark=made.mark)
    with using_node(node):
        yield made
