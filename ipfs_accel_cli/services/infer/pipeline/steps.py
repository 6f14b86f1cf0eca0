"""Running steps: what a step gave is kept by what decides it, so nothing is done twice and a killed run goes on."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content import dagcbor
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.core.call import Reporter, current, using
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.pipeline.kept import Given, Kept
from ipfs_accel_cli.services.infer.pipeline.kinds import FILE, Kind, is_name
from ipfs_accel_cli.services.infer.pipeline.results import StepRan
from ipfs_accel_cli.services.infer.pipeline.spec import Step
from ipfs_accel_cli.services.infer.pipeline.values import File, Values, deciding, mapped
from ipfs_accel_cli.services.infer.prompts.service import Content
from ipfs_accel_cli.services.infer.writing.writer import Templates

_CHUNK_BYTES = 1 << 20
# Parameters of commands whose answers hang on more than what they are given.
_MODEL, _TEMPLATE = "model", "prompt_name"
# These name, or make use of, other models than the one that writes.
_OTHERS = frozenset({"examples", "adapter"})


@dataclass(frozen=True, slots=True)
class Deciding:
    """What decides the answer of a step beside its arguments: the models and the prompt template that they name."""

    opener: Opener
    mark: Callable[[], str]
    templates: Templates

    def key(self, step: Step, arguments: Mapping[str, Any]) -> str:
        """Return the CID of all that decides the answer; raises NotFound for a model or a template that is not here."""
        model, template = arguments.get(_MODEL), arguments.get(_TEMPLATE)
        named = isinstance(model, str) and not _OTHERS & arguments.keys()
        said = {
            "recipe": 2,
            "version": version("ipfs-accel"),
            "run": step.run,
            "model": self.opener.named(model).facts.manifest if isinstance(model, str) else "",
            "models": "" if named else self.mark(),
            "template": self.templates(template)[1] if isinstance(template, str) else "",
            "arguments": json.dumps(deciding(dict(arguments)), ensure_ascii=False, sort_keys=True),
        }
        return str(CID.of(dagcbor.encode(said), DAG_CBOR))


@dataclass(frozen=True, slots=True)
class Steps:
    """Runs the steps of one run in a folder of its own, where files have copies that no gc takes meanwhile."""

    content: Content
    kept: Kept
    scratch: Path

    def run(self, step: Step, kind: Kind, values: Values, decides: Deciding, *, fresh: bool) -> StepRan:
        """Run a step, or take what it gave before, and add that to the values; raises what its command raises."""
        begun = time.perf_counter()
        arguments = {name: values.resolved(value) for name, value in step.arguments.items()}
        arguments = {name: self._addressed(name, value, step, kind) for name, value in arguments.items()}
        key = decides.key(step, arguments)
        known = None if fresh else self._known(key)
        given, answer = known or self._called(step, kind, arguments, key)
        values.answers[step.name] = json.loads(answer)
        values.files[step.name] = {name: File(cid, Path(arguments[name]).suffix) for name, cid in given.files.items()}
        return StepRan(
            step=step.name,
            run=step.run,
            state="cached" if known else "ran",
            seconds=round(time.perf_counter() - begun, 3),
            key=key,
            value_cid=given.value,
            files=dict(given.files),
        )

    def stored(self, path: Path) -> File:
        """Return a file by its address, the bytes that it has now."""
        copy = self.scratch / "storing"
        _write(copy, _chunks(path))
        with self.content.session() as session:
            cid = str(session.file(_chunks(copy)).cid)
            session.commit([], lambda _connection: None)
        copy.rename(self._copy(cid))
        return File(cid, path.suffix)

    def open(self, file: File) -> Iterator[bytes]:
        """Yield the bytes of a file that this run has stored or found."""
        return _chunks(self._copy(file.cid))

    def _copy(self, cid: str) -> Path:
        folder = self.scratch / "files"
        folder.mkdir(exist_ok=True)
        return folder / cid

    def _addressed(self, name: str, value: Any, step: Step, kind: Kind) -> Any:
        """Return a value with files in the place of the paths of files: what is in them decides, not their names."""
        parameter = kind.parameters[name]
        if name in kind.written:
            if not is_name(value):
                raise Invalid(f"{step.name}: {name} is the name of a file, without a folder, and not {value!r}")
            return value
        if not parameter.names_file:
            return value
        if isinstance(value, list):
            return [self._addressed(name, part, step, kind) for part in value]
        # A text that begins with a brace is what could stand in the file.
        if not isinstance(value, str) or (parameter.type.word != FILE and value.lstrip().startswith("{")):
            return value
        path = current().path(value)
        if not path.is_file():
            raise NotFound(f"{step.name}: {name}: no file {value!r}")
        return self.stored(path)

    def _called(self, step: Step, kind: Kind, arguments: dict[str, Any], key: str) -> tuple[Given, bytes]:
        """Run a step, and keep what it gave together with the files that it wrote."""
        folder = self.scratch / "steps" / step.name
        folder.mkdir(parents=True)
        called = {name: self._laid_out(value, folder, name) for name, value in arguments.items()}
        produced = {name: folder / name / str(arguments[name]) for name in kind.written & arguments.keys()}
        for name, path in produced.items():
            path.parent.mkdir()
            called[name] = str(path)
        for name, value in called.items():
            try:
                called[name] = kind.parameters[name].read(value)
            except Invalid as error:
                raise Invalid(f"{step.name}: {name}: {error.detail}") from error
        call = current()
        # What a step writes is a value here, and nothing to show; its files lie in the folder of the run.
        folders = None if call.folders is None else (*call.folders, self.scratch)
        inner = replace(call, reporter=_Unheard(call.reporter), input=None, converse=None, folders=folders)
        with using(inner):
            answer = json.dumps(_dumped(kind.call(**called)), ensure_ascii=False, sort_keys=True).encode()
        given = self._keep(key, answer, produced)
        shutil.rmtree(folder)
        return given, answer

    def _keep(self, key: str, answer: bytes, produced: Mapping[str, Path]) -> Given:
        with self.content.session() as session:
            value, files = str(session.file([answer]).cid), {}
            for name, path in sorted(produced.items()):
                if path.is_file():
                    files[name] = str(session.file(_chunks(path)).cid)
                    path.rename(self._copy(files[name]))
            given = Given(value, files)

            def keep(connection: sqlite3.Connection) -> None:
                self.kept.keep(connection, key, given)

            session.commit([], keep)
        return given

    def _known(self, key: str) -> tuple[Given, bytes] | None:
        """Return what a step gave before, with its answer, if all of it is in the store still and sound."""
        given = self.kept.find(key)
        if given is None:
            return None
        try:
            for cid in given.files.values():
                _write(self._copy(cid), self.content.open(cid))
            return given, b"".join(map(bytes, self.content.open(given.value)))
        except AccelError:
            return None

    def _laid_out(self, value: Any, folder: Path, name: str) -> Any:
        """Return a value with paths in the place of files, which are written for the command to read."""

        def written(file: File) -> str:
            path = folder / f"{name}-{file.cid[-16:]}{file.suffix}"
            _write(path, self.open(file))
            return str(path)

        return mapped(value, written)


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


def _dumped(answer: Any) -> Any:
    if isinstance(answer, Stream):
        try:
            return [one.model_dump(mode="json") for one in answer]
        finally:
            answer.close()
    return answer.model_dump(mode="json")


def _write(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    with path.open("wb") as target:
        for chunk in chunks:
            target.write(chunk)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
