"""Keeping, filling in and testing prompt templates."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, Invalid, LimitReached, NotFound, NotGoodEnough
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.exchange.text import Prompt
from ipfs_accel_cli.services.infer.files import decoded, read_text
from ipfs_accel_cli.services.infer.prompts.cases import Case, read_cases
from ipfs_accel_cli.services.infer.prompts.results import (
    CaseResult,
    PromptListed,
    PromptRendered,
    PromptShown,
    PromptsRemoved,
    PromptTested,
)
from ipfs_accel_cli.services.infer.prompts.tables import OWNER, Tables, Version
from ipfs_accel_cli.services.infer.writing.templating import LARGEST_TEMPLATE_BYTES, filled, parse
from ipfs_accel_cli.services.infer.writing.wish import Wish
from ipfs_accel_cli.services.infer.writing.writer import Writer
from ipfs_accel_cli.tasks import TASKS

_TRIES = 8
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class _Overtaken(Exception):
    """Another call has changed what was looked at."""


class PutLike(Protocol):
    """A put session of the store."""

    def file(self, chunks: Iterable[bytes | memoryview], /) -> Any: ...
    def commit(self, roots: Iterable[Any], also: Callable[[sqlite3.Connection], None], /) -> None: ...


class Content(Protocol):
    """The store, as far as templates need it."""

    def session(self) -> AbstractContextManager[PutLike]: ...
    def open(self, reference: str, /) -> Iterable[bytes | memoryview]: ...
    def release(self, connection: sqlite3.Connection, owner: str, label: str, /) -> int: ...


class Prompts:
    """The prompt templates of one home. Safe to share between threads."""

    def __init__(self, database: Database, content: Content, writer: Writer) -> None:
        self._database, self._content, self._writer = database, content, writer
        self._tables = Tables(database)

    def add(self, name: str, source: Path) -> PromptShown:
        """Keep a template from a file (`-`: the caller's input) as the next version of a name.

        The same text as the newest version makes none. Raises Invalid for a template that cannot be read.
        """
        if not _NAME.fullmatch(name):
            raise Invalid(f"{name!r} is no name: up to 64 of a-z, 0-9, '.', '_', '-', a letter or digit first")
        text = _read(source)
        template = parse(text, str(source) if str(source) != "-" else "the template")
        for _ in range(_TRIES):
            with suppress(_Overtaken):
                return self.show(self._added(name, text, template.description))
        raise Conflict(f"{name} is being changed by others", suggestion="ipfs-accel infer prompt ls")

    def _added(self, name: str, text: str, description: str) -> str:
        """Keep a text as the next version; raises _Overtaken where another call gave that number to another text."""
        with self._content.session() as session:
            cid = session.file([text.encode()]).cid
            versions = self._tables.of(name)
            label = versions[0].exact if versions and versions[0].cid == str(cid) else self._next(name, versions)

            def named(connection: sqlite3.Connection) -> None:
                # The label keeps the content, so it must be that of the version which names it.
                if self._tables.add(connection, name, str(cid), description) != label:
                    raise _Overtaken

            session.commit([(CID.parse(str(cid)), OWNER, label, "recursive")], named)
        return label

    def ls(self, *, all_versions: bool = False) -> Stream[PromptListed]:
        """List the templates, the newest version of each, or all."""
        seen: set[str] = set()
        found = []
        for one in self._tables.all():
            if all_versions or one.name not in seen:
                found.append(_listed(one))
            seen.add(one.name)
        return Stream(found)

    def show(self, name: str) -> PromptShown:
        """Return a template with its text; raises NotFound."""
        version, text = self._found(name)
        template = parse(text)
        return PromptShown(
            **_listed(version).model_dump(),
            needs=template.needs,
            defaults={key: value for key, value in template.defaults.items() if value is not None},
            system=template.system,
            text=text.removesuffix("\n"),
        )

    def text(self, name: str) -> tuple[str, str]:
        """Return (text, CID) of a template; raises NotFound."""
        version, text = self._found(name)
        return text, version.cid

    def render(self, name: str, given: str | None, wish: Wish) -> PromptRendered:
        """Fill in a template without asking a model; raises NotFound and what filling in raises."""
        version, text = self._found(name)
        made = filled(text, version.cid, given, wish, self._writer.opener, current())
        return PromptRendered(
            name=version.name,
            version=version.version,
            cid=version.cid,
            system=made.system,
            text=made.text if made.placed else made.chosen.before(made.text),
            examples=made.chosen.shown(),
        )

    def remove(self, name: str) -> PromptsRemoved:
        """Stop keeping one version of a template, or all of its name; raises NotFound."""
        bare, _, number = name.partition("@")
        gone = self._tables.of(bare) if not number else [self._version(name)]
        if not gone:
            raise _unknown(name)
        with self._database.write() as connection:
            for version in gone:
                self._tables.remove(connection, version)
                self._content.release(connection, OWNER, version.exact)
        return PromptsRemoved(removed=[_listed(one) for one in gone])

    def test(self, name: str, cases: Path, wish: Wish) -> PromptTested:
        """Fill a template in for each case of a set, let a model go on from it where one is named, and compare.

        Raises NotGoodEnough, naming the cases that are not as expected.
        """
        version, text = self._found(name)
        read = read_cases(cases, current())
        made = [self._prompt(text, version, case, wish) for case in read]
        model = None
        if wish.model is not None:
            made, model = self._answered(made, wish)
        results = [_result(case, answer) for case, answer in zip(read, made, strict=True)]
        failed = [one for one in results if not one.passed]
        if failed:
            raise NotGoodEnough(
                f"{len(failed)} of {len(results)} cases of {version.exact} are not as expected",
                errors=[
                    {"pointer": f"line {one.case}", "detail": f"{'; '.join(one.problems)}: {one.text[:200]!r}"}
                    for one in failed
                ],
                results=[one.model_dump(mode="json") for one in results],
            )
        return PromptTested(
            name=version.name, version=version.version, cid=version.cid, model=model, passed=len(results), cases=results
        )

    def _prompt(self, text: str, version: Version, case: Case, wish: Wish) -> str:
        pairs = tuple(f"{key}={value}" for key, value in case.values.items())
        made = filled(text, version.cid, None, replace(wish, var=(*wish.var, *pairs)), self._writer.opener, current())
        return made.as_prompt()

    def _answered(self, prompts: list[str], wish: Wish) -> tuple[list[str], str]:
        task, options = TASKS.load("generate")(), wish.options(current())
        model = self._writer.find(wish)
        answers: list[str] = []
        with self._writer.open(model, wish) as writing:
            for prompt in prompts:
                request = task.prepare(Prompt(prompt), options)
                answers.append(writing.opened.answer(task, request).text)
                current().progress(len(answers), len(prompts), "cases answered")
        return answers, model.facts.name

    def _found(self, name: str) -> tuple[Version, str]:
        version = self._version(name)
        data = b"".join(bytes(chunk) for chunk in self._content.open(version.cid))
        return version, data.decode()

    def _version(self, name: str) -> Version:
        bare, sign, number = name.partition("@")
        versions = self._tables.of(bare)
        if sign:
            versions = [one for one in versions if str(one.version) == number]
        if not versions:
            raise _unknown(name)
        return versions[0]

    @staticmethod
    def _next(name: str, versions: list[Version]) -> str:
        return f"{name}@{versions[0].version + 1 if versions else 1}"


def _read(source: Path) -> str:
    call = current()
    if str(source) != "-":
        return read_text(source, call, LARGEST_TEMPLATE_BYTES)
    if call.input is None:
        raise Invalid("there is no template on standard input", suggestion="ipfs-accel infer prompt add NAME FILE")
    with call.input() as stream:
        data = stream.read(LARGEST_TEMPLATE_BYTES + 1)
    if len(data) > LARGEST_TEMPLATE_BYTES:
        raise LimitReached(f"a template may have {LARGEST_TEMPLATE_BYTES} bytes at most")
    return decoded(data, "the template")


def _result(case: Case, text: str) -> CaseResult:
    problems = case.problems(text)
    return CaseResult(case=case.line, passed=not problems, text=text, problems=problems)


def _listed(one: Version) -> PromptListed:
    return PromptListed(
        name=one.name, version=one.version, cid=one.cid, description=one.description, created_at=one.created_at
    )


def _unknown(name: str) -> NotFound:
    return NotFound(f"no prompt template named {name!r}", suggestion="ipfs-accel infer prompt ls")
