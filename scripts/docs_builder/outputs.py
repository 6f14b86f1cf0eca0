"""The files of the reference: what each form writes, and which of them are stale."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from .contract import reference
from .markdown import pages
from .model import SCHEMA_FILE, Reference
from .page import page
from .roff import man


def _markdown(found: Reference) -> dict[str, str]:
    return {f"reference/{name}": text for name, text in pages(found).items()}


def _html(found: Reference) -> dict[str, str]:
    return {"reference/html/index.html": page(found)}


def _json(found: Reference) -> dict[str, str]:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Reference.model_json_schema(by_alias=True)
    return {
        "reference/reference.json": _dumped(found.model_dump(mode="json")),
        f"reference/{SCHEMA_FILE}": _dumped(schema),
    }


def _man(found: Reference) -> dict[str, str]:
    return {f"man/{found.program}.1": man(found)}


# Each form with the files that are its own, as patterns: what lies there and is not made any more is stale.
FORMS: dict[str, tuple[Callable[[Reference], dict[str, str]], tuple[str, ...]]] = {
    "md": (_markdown, ("reference/*.md",)),
    "html": (_html, ("reference/html/*",)),
    "json": (_json, ("reference/*.json",)),
    "man": (_man, ("man/*",)),
}


def write(docs: Path, forms: list[str]) -> None:
    """Write the files of some forms below the folder `docs`, and remove those that are not made any more."""
    for name in stale(docs, forms):
        (docs / name).unlink(missing_ok=True)
    for name, text in _made(forms).items():
        (docs / name).parent.mkdir(parents=True, exist_ok=True)
        (docs / name).write_text(text, encoding="utf-8")


def stale(docs: Path, forms: list[str]) -> list[str]:
    """Return the files that differ from what would be written, that lack, or that are not made any more."""
    made = _made(forms)
    have = {
        path.relative_to(docs).as_posix(): path.read_text(encoding="utf-8")
        for form in forms
        for pattern in FORMS[form][1]
        for path in docs.glob(pattern)
    }
    return sorted(name for name in {*made, *have} if made.get(name) != have.get(name))


def _made(forms: list[str]) -> dict[str, str]:
    found = reference()
    return {name: text for form in forms for name, text in FORMS[form][0](found).items()}


def _dumped(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
