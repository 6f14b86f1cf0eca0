"""Running pipelines: what a step gave is kept by what decides it, so nothing is done twice and a killed run goes on."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.core.call import Reporter, current, using
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotFound
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.services.infer.files import decoded
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.pipeline.checking import problems
from ipfs_accel_cli.services.infer.pipeline.drawing import Language, drawn
from ipfs_accel_cli.services.infer.pipeline.inputs import read_inputs
from ipfs_accel_cli.services.infer.pipeline.kept import Given, Kept
from ipfs_accel_cli.services.infer.pipeline.kinds import FILE, OUTPUT, Kind
from ipfs_accel_cli.services.infer.pipeline.results import (
    PipelineChecked,
    PipelineGraph,
    PipelineRun,
    StepChecked,
    StepRan,
)
from ipfs_accel_cli.services.infer.pipeline.spec import Spec, Step, parse
from ipfs_accel_cli.services.infer.pipeline.values import File, Values, canonical, mapped
from ipfs_accel_cli.services.infer.prompts.service import Content

LARGEST_FILE_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 20

Kinds = Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class _Read:
    spec: Spec
    cid: str


class Pipelines:
    """Checks, draws and runs pipelines in one home. Safe to share between threads.

    `mark` says in a text which models are registered under which names, for steps that leave the model to us.
    """

    def __init__(self, database: Database, content: Content, opener: Opener, mark: Callable[[], str]) -> None:
        self._database, self._content, self._opener, self._mark = database, content, opener, mark
        self._kept = Kept(database)

    def check(self, file: Path, kinds: Kinds) -> PipelineChecked:
        """Say whether a pipeline can run; raises Invalid with all that is wrong, a pointer into the file for each."""
        read = self._read(file)
        spec = read.spec
        wrong = problems(spec, kinds) or list(self._models_lost(spec))
        if wrong:
            count = "one thing is" if len(wrong) == 1 else f"{len(wrong)} things are"
            raise Invalid(f"{count} wrong with {file}: {wrong[0]['pointer']}: {wrong[0]['detail']}", errors=wrong)
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
        values = Values(read_inputs(read.spec, given, current(), self._stored), {}, {})
        ran: list[StepRan] = []
        self._kept.ready()
        with tempfile.TemporaryDirectory(prefix="ipfs-accel-pipeline-") as scratch:
            for step in read.spec.steps:
                current().progress(len(ran), len(read.spec.steps), f"{step.name}: {step.run}")
                ran.append(self._step(step, kinds[step.run], values, Path(scratch), fresh=fresh))
        outputs = {name: values.resolved(value) for name, value in read.spec.outputs.items()}
        saved = list(self._saved(folder, outputs)) if folder is not None else []
        shown = {name: canonical(value) for name, value in outputs.items()}
        return PipelineRun(name=read.spec.name, cid=read.cid, steps=ran, outputs=shown, saved=saved)

    def _step(self, step: Step, kind: Kind, values: Values, scratch: Path, *, fresh: bool) -> StepRan:
        begun = time.perf_counter()
        arguments = {name: values.resolved(value) for name, value in step.arguments.items()}
        key = self._key(step, arguments)
        known = None if fresh else self._known(key)
        given = known or self._called(step, kind, arguments, key, scratch)
        values.answers[step.name] = json.loads(b"".join(map(bytes, self._content.open(given.value))))
        suffix = Path(str(step.arguments.get(OUTPUT, ""))).suffix
        values.files[step.name] = {name: File(cid, suffix) for name, cid in given.files.items()}
        return StepRan(
            step=step.name,
            run=step.run,
            state="cached" if known else "ran",
            seconds=round(time.perf_counter() - begun, 3),
            key=key,
            value_cid=given.value,
            files=dict(given.files),
        )

    def _called(self, step: Step, kind: Kind, arguments: dict[str, Any], key: str, scratch: Path) -> Given:
        """Run a step, and keep what it gave together with the files that it wrote."""
        folder = scratch / step.name
        folder.mkdir()
        called = {name: self._laid_out(value, folder, name) for name, value in arguments.items()}
        produced = folder / Path(str(arguments[OUTPUT])).name if _writes(kind) and OUTPUT in arguments else None
        if produced is not None:
            called[OUTPUT] = produced
        for name, parameter in kind.parameters.items():
            if parameter.type.word == FILE and isinstance(called.get(name), str):
                called[name] = Path(called[name])
        call = current()
        # What a step writes is a value here, and nothing to show.
        with using(replace(call, reporter=_Unheard(call.reporter), input=None, converse=None)):
            answer = _dumped(kind.call(**called))
        with self._content.session() as session:
            value = session.file([json.dumps(answer, ensure_ascii=False, sort_keys=True).encode()]).cid
            files = {}
            if produced is not None and produced.is_file():
                files[OUTPUT] = str(session.file(_chunks(produced)).cid)
            given = Given(str(value), files)

            def keep(connection: sqlite3.Connection) -> None:
                self._kept.keep(connection, key, given)

            session.commit([], keep)
        shutil.rmtree(folder)
        return given

    def _key(self, step: Step, arguments: Mapping[str, Any]) -> str:
        """Return the CID of what decides the answer of a step."""
        model = arguments.get("model")
        said = {
            "recipe": 1,
            "version": version("ipfs-accel"),
            "run": step.run,
            "model": self._opener.named(model).facts.manifest if isinstance(model, str) else self._mark(),
            "arguments": json.dumps(canonical(dict(arguments)), ensure_ascii=False, sort_keys=True),
        }
        return str(CID.of(dagcbor.encode(said), DAG_CBOR))

    def _known(self, key: str) -> Given | None:
        """Return what a step gave before, if all of it is in the store still."""
        given = self._kept.find(key)
        if given is None:
            return None
        try:
            for cid in (given.value, *given.files.values()):
                next(iter(self._content.open(cid)), None)
        except AccelError:
            return None
        return given

    def _laid_out(self, value: Any, folder: Path, name: str) -> Any:
        """Return a value with paths in the place of files, which are written for the command to read."""

        def written(file: File) -> str:
            path = folder / f"{name}-{file.cid[-8:]}{file.suffix}"
            with path.open("wb") as target:
                for chunk in self._content.open(file.cid):
                    target.write(chunk)
            return str(path)

        return mapped(value, written)

    def _stored(self, path: Path) -> File:
        with self._content.session() as session:
            cid = str(session.file(_chunks(path)).cid)
            session.commit([], lambda _connection: None)
        return File(cid, path.suffix)

    def _saved(self, folder: Path, outputs: Mapping[str, Any]) -> Iterator[str]:
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in outputs.items():
            path = folder / _file_name(name, value)
            with replacing(path) as target:
                if isinstance(value, File):
                    for chunk in self._content.open(value.cid):
                        target.write(chunk)
                elif isinstance(value, str):
                    target.write(value.encode())
                else:
                    target.write(json.dumps(canonical(value), ensure_ascii=False, indent=2).encode())
            yield str(path)

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
        path = current().path(file)
        try:
            with path.open("rb") as stream:
                data = stream.read(LARGEST_FILE_BYTES + 1)
        except FileNotFoundError as error:
            raise NotFound(f"no file {str(file)!r}") from error
        except OSError as error:
            raise Invalid(f"cannot read {str(file)!r}: {error.strerror}") from error
        if len(data) > LARGEST_FILE_BYTES:
            raise Invalid(f"{file} has more than {LARGEST_FILE_BYTES} bytes")
        return _Read(parse(decoded(data, str(file))), str(CID.of(data)))


@dataclass(frozen=True, slots=True)
class _Unheard:
    """Passes progress on to another reporter, and no text."""

    reporter: Reporter

    def progress(self, done: float, total: float | None, message: str, unit: str) -> None:
        self.reporter.progress(done, total, message, unit)

    def emit(self, text: str) -> None:
        """Let it go."""

    def check(self) -> None:
        self.reporter.check()


def _writes(kind: Kind) -> bool:
    return OUTPUT in kind.parameters and kind.parameters[OUTPUT].type.word == FILE


def _model(step: Step) -> str | None:
    model = step.arguments.get("model")
    return model if isinstance(model, str) and not model.startswith("$") else None


def _dumped(answer: Any) -> Any:
    if isinstance(answer, Stream):
        try:
            return [one.model_dump(mode="json") for one in answer]
        finally:
            answer.close()
    return answer.model_dump(mode="json")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def _file_name(name: str, value: Any) -> str:
    return name + (value.suffix if isinstance(value, File) else ".txt" if isinstance(value, str) else ".json")


def _refuse_overwriting(folder: Path | None, spec: Spec) -> None:
    if folder is None:
        return
    there = [str(path) for name in spec.outputs for path in folder.glob(f"{name}.*")]
    if there:
        raise Conflict(f"{there[0]} is there already; save into another folder")
