"""Checking, drawing and running pipelines."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.services.infer.files import decoded, read_bytes
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.pipeline.checking import problems
from ipfs_accel_cli.services.infer.pipeline.drawing import Language, drawn
from ipfs_accel_cli.services.infer.pipeline.inputs import read_inputs
from ipfs_accel_cli.services.infer.pipeline.kept import Kept
from ipfs_accel_cli.services.infer.pipeline.kinds import Kind
from ipfs_accel_cli.services.infer.pipeline.results import (
    PipelineChecked,
    PipelineGraph,
    PipelineRun,
    StepChecked,
    StepRan,
)
from ipfs_accel_cli.services.infer.pipeline.spec import Spec, Step, parse
from ipfs_accel_cli.services.infer.pipeline.steps import Deciding, Steps
from ipfs_accel_cli.services.infer.pipeline.values import File, Values, canonical
from ipfs_accel_cli.services.infer.prompts.service import Content
from ipfs_accel_cli.services.infer.writing.writer import Templates

LARGEST_FILE_BYTES = 1 << 20

Kinds = Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class _Read:
    spec: Spec
    cid: str


class Pipelines:
    """Checks, draws and runs pipelines in one home. Safe to share between threads.

    `mark` says in a text which models are registered under which names, for steps that leave the model to us;
    `templates` gives the text and the CID of a kept prompt template by its name.
    """

    def __init__(
        self, database: Database, content: Content, opener: Opener, mark: Callable[[], str], templates: Templates
    ) -> None:
        self._content, self._opener, self._kept = content, opener, Kept(database)
        self._deciding = Deciding(opener, mark, templates)

    def check(self, file: Path, kinds: Kinds) -> PipelineChecked:
        """Say whether a pipeline can run; raises Invalid with all that is wrong, a pointer into the file for each."""
        read = self._read(file)
        spec = read.spec
        wrong = problems(spec, kinds) or list(self._models_lost(spec))
        if wrong:
            count = "one thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
            raise Invalid(f"{count} wrong with {file}", errors=wrong)
        steps = [
            StepChecked(
                step=step.name,
                run=step.run,
                model=_model(step),
                needs=list(dict.fromkeys(str(one) for _, one in step.references())),
                gives=("a list of " if kinds[step.run].many else "") + kinds[step.run].result.__name__,
            )
            for step in spec.steps
        ]
        return PipelineChecked(
            name=spec.name,
            about=spec.about,
            cid=read.cid,
            inputs=dict(spec.inputs),
            steps=steps,
            outputs=list(spec.outputs),
        )

    def graph(self, file: Path, language: Language) -> PipelineGraph:
        """Return a pipeline as a graph in text; raises Invalid for a file that is none."""
        spec = self._read(file).spec
        return PipelineGraph(name=spec.name, language=language, text=drawn(spec, language))

    def run(
        self, file: Path, kinds: Kinds, given: Sequence[str], *, save: Path | None = None, fresh: bool = False
    ) -> PipelineRun:
        """Run each step whose answer is not kept, in an order in which each has what it needs.

        Every answer is in the content store before the next step begins. Raises as `check`, Invalid for inputs that
        are missing or of another type, Conflict where `save` would overwrite a file, and what the steps raise.
        """
        self.check(file, kinds)
        read = self._read(file)
        folder = current().path(save) if save is not None else None
        _refuse_overwriting(folder, read.spec)
        ran: list[StepRan] = []
        self._kept.ready()
        with tempfile.TemporaryDirectory(prefix="ipfs-accel-pipeline-") as scratch:
            steps = Steps(self._content, self._kept, Path(scratch))
            values = Values(read_inputs(read.spec, given, current(), steps.stored), {}, {})
            for step in read.spec.steps:
                current().progress(len(ran), len(read.spec.steps), f"{step.name}: {step.run}")
                ran.append(steps.run(step, kinds[step.run], values, self._deciding, fresh=fresh))
            outputs = {name: values.resolved(value) for name, value in read.spec.outputs.items()}
            saved = list(_saved(folder, outputs, steps)) if folder is not None else []
        shown = {name: canonical(value) for name, value in outputs.items()}
        return PipelineRun(name=read.spec.name, cid=read.cid, steps=ran, outputs=shown, saved=saved)

    def _models_lost(self, spec: Spec) -> Iterator[dict[str, str]]:
        for step in spec.steps:
            model = _model(step)
            if model is None:
                continue
            try:
                self._opener.named(model)
            except AccelError as error:
                hint = f"; {error.suggestion}" if error.suggestion else ""
                yield {"pointer": f"/steps/{step.name}/model", "detail": error.detail + hint}

    def _read(self, file: Path) -> _Read:
        data = read_bytes(file, current(), LARGEST_FILE_BYTES)
        return _Read(parse(decoded(data, str(file))), str(CID.of(data)))


def _model(step: Step) -> str | None:
    model = step.arguments.get("model")
    return model if isinstance(model, str) and not model.startswith("$") else None


def _saved(folder: Path, outputs: Mapping[str, Any], steps: Steps) -> Iterator[str]:
    with writing_into(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, value in outputs.items():
        path = folder / _file_name(name, value)
        with writing_into(folder), replacing(path) as target:
            if isinstance(value, File):
                for chunk in steps.open(value):
                    target.write(chunk)
            elif isinstance(value, str):
                target.write(value.encode())
            else:
                target.write(json.dumps(canonical(value), ensure_ascii=False, indent=2).encode())
        yield str(path)


def _file_name(name: str, value: Any) -> str:
    return name + (value.suffix if isinstance(value, File) else ".txt" if isinstance(value, str) else ".json")


def _refuse_overwriting(folder: Path | None, spec: Spec) -> None:
    if folder is None:
        return
    there = [str(path) for name in spec.outputs for path in folder.glob(f"{name}.*")]
    if there:
        raise Conflict(f"{there[0]} is there already; save into another folder")
