"""How much memory a model takes at most: loaded and asked in a process of its own, where nothing else is counted."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Loadable, ModelFacts, Plan
from ipfs_accel_cli.probes.child import NoAnswer, ask
from ipfs_accel_cli.services.infer.audio.measured import beginning
from ipfs_accel_cli.services.infer.bench.perceiving import PERCEIVED, perceive
from ipfs_accel_cli.services.infer.paired import shapes_of

_SECONDS = 300.0


def peak_bytes(model: Loadable, engine: str, plan: Plan, sound: Path | None = None) -> int | None:
    """Return by how much a process grew at most while it loaded the model and answered once for each shape.

    A model that sees, hears or speaks answers once, to a picture, to `sound` or to a sentence.

    None where the system does not tell, or the process gave no answer.
    """
    asked = {
        "engine": engine,
        "facts": asdict(model.facts),
        "folder": str(model.folder),
        "sound": None if sound is None else str(sound),
        "plan": asdict(plan) | {"derived": str(plan.derived) if plan.derived else None},
    }
    try:
        found = ask(f"{__name__}:measured", json.dumps(asked), seconds=_SECONDS)
    except NoAnswer:
        return None
    return int(found) if found is not None else None


def measured(argument: str) -> int | None:
    """Be that process; the libraries are loaded before it begins to count."""
    asked: dict[str, Any] = json.loads(argument)
    engine = ENGINES.load(asked["engine"])()
    known: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in asked["facts"].items()
    }
    facts = ModelFacts(**known)
    derived = asked["plan"]["derived"]
    plan = Plan(**asked["plan"] | {"derived": Path(derived) if derived else None})
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Forget the peak of the imports.
        base = _status("VmRSS")
    except (OSError, StopIteration):
        return None
    sound = beginning(Path(asked["sound"]) if asked["sound"] else None)
    with closing(engine.load(facts, Path(asked["folder"]), plan)) as session:
        if plan.task in PERCEIVED:
            perceive(session, plan.task, 1, sound, 1, warm_up=False)
        else:
            shapes, run = shapes_of(plan.task)
            for shape in shapes:
                run(session, shape)
    return _status("VmHWM") - base


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
