"""Where a model comes from: its source, the models that it names as its base, what was made of it, what it replaced.

A model card states what it likes. So every step says what it rests on, and a base that is not registered here is only
a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ipfs_accel_cli.core.errors import AccelError, MalformedContent
from ipfs_accel_cli.services.model.derived import DERIVED
from ipfs_accel_cli.services.model.facts import read_json
from ipfs_accel_cli.services.model.lineage_results import Ancestor, Descent, Lineage
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.services.model.subject import of_known

MAX_MODELS = 1000
QUANTIZATION = "quantization"  # The kind of the statements that name the parents of a model and how it compares.
_HEAD_BYTES = 1 << 16
_FRONT = re.compile(r"\s*---\r?\n(.*?)\r?\n---", re.DOTALL)
_BASE = re.compile(r"^base_model:[ \t]*(?P<one>[^\r\n]*)(?P<more>(?:\r?\n[ \t]*-[ \t]+[^\r\n]+)*)", re.MULTILINE)
_HUB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")

Language = Literal["mermaid", "dot"]


@dataclass(slots=True)
class _Line:
    """What was found so far; models are followed once, so that a circle of cards ends."""

    ancestors: dict[str, Ancestor] = field(default_factory=dict)
    descents: list[Descent] = field(default_factory=list)
    waiting: list[Known] = field(default_factory=list)
    followed: set[str] = field(default_factory=set)

    def add(self, ancestor: Ancestor) -> None:
        self.ancestors.setdefault(ancestor.id, ancestor)


def lineage(lookup: Lookup, known: Known, language: Language = "mermaid") -> Lineage:
    """Follow a model to its source and its stated bases, as long as those are registered here, too."""
    line = _Line(waiting=[known])
    while line.waiting and len(line.ancestors) < MAX_MODELS:
        one = line.waiting.pop()
        if one.named.manifest in line.followed:
            continue
        line.followed.add(one.named.manifest)
        line.add(Ancestor(id=one.named.manifest, kind="model", label=f"{one.named.name}@{one.named.version}"))
        if not _quantized(line, lookup, one):
            _source(line, lookup, one)
        _bases(line, lookup, one)
        _made(line, one)
        _replaced(line, lookup, one)
    ancestors, descents = list(line.ancestors.values()), line.descents
    return Lineage(
        name=known.named.name,
        manifest_cid=known.named.manifest,
        ancestors=ancestors,
        descents=descents,
        graph=_mermaid(ancestors, descents) if language == "mermaid" else _dot(ancestors, descents),
    )


def quantized_from(known: Known) -> list[str]:
    """Return the manifests of the models that statements name as those that this one was quantised from."""
    stated = [body.get("parents") for kind, _, body in known.statements if kind == QUANTIZATION]
    return sorted({str(parent) for parents in stated if isinstance(parents, list) for parent in parents})


def stated_bases(known: Known, lookup: Lookup) -> list[tuple[str, str, str]]:
    """Return what a model's files name as its base: (kind, name, file that says so)."""
    files = of_known(lookup.store, known).files
    found = [("base-model", name, "README.md") for name in _card_bases(files.get("README.md"))]
    try:
        adapter = read_json(files, "adapter_config.json")
    except MalformedContent:
        adapter = None
    base = adapter.get("base_model_name_or_path") if isinstance(adapter, dict) else None
    return [*found, *([("adapter-of", base, "adapter_config.json")] if isinstance(base, str) and base else [])]


def bases_here(lookup: Lookup, known: Known) -> list[str]:
    """Return the manifests of the models registered here that a model's files name as its base."""
    found = (_registered(lookup, name) for _, name, _ in stated_bases(known, lookup))
    return [parent.named.manifest for parent in found if parent is not None]


def _source(line: _Line, lookup: Lookup, one: Known) -> None:
    body = next((body for kind, _, body in one.statements if kind == "source"), {})
    reference = str(body.get("reference") or one.named.reference)
    line.add(Ancestor(id=reference, kind="source", label=reference))
    own = reference == one.named.reference or lookup.registry.revision(one.named.manifest, reference) is not None
    stated_in = "the pull that brought it" if own else "a statement that came with it"
    line.descents.append(Descent(child=one.named.manifest, parent=reference, kind="pulled-from", stated_in=stated_in))


def _quantized(line: _Line, lookup: Lookup, one: Known) -> bool:
    """Add the models that this one was quantised from; say whether there are any."""
    parents = quantized_from(one)
    for parent in parents:
        names = lookup.registry.names_of(parent)
        label = f"{names[0].name}@{names[0].version}" if names else parent
        line.add(Ancestor(id=parent, kind="model" if names else "named", label=label))
        if names:
            line.waiting.append(lookup.describe(names[0]))
        line.descents.append(
            Descent(child=one.named.manifest, parent=parent, kind="quantized-from", stated_in="its statement of how")
        )
    return bool(parents)


def _bases(line: _Line, lookup: Lookup, one: Known) -> None:
    for kind, name, file in stated_bases(one, lookup):
        parent = _registered(lookup, name)
        if parent is None:
            line.add(Ancestor(id=name, kind="named", label=name))
        else:
            line.add(
                Ancestor(id=parent.named.manifest, kind="model", label=f"{parent.named.name}@{parent.named.version}")
            )
            line.waiting.append(parent)
        line.descents.append(
            Descent.model_validate(
                {
                    "child": one.named.manifest,
                    "parent": parent.named.manifest if parent else name,
                    "kind": kind,
                    "stated_in": file,
                }
            )
        )


def _made(line: _Line, one: Known) -> None:
    for kind, _, body in one.statements:
        if kind == DERIVED:
            cid = str(body.get("cid"))
            line.add(Ancestor(id=cid, kind="derived", label=str(body.get("kind", ""))))
            line.descents.append(
                Descent(child=cid, parent=one.named.manifest, kind="derived-from", stated_in="the engine that made it")
            )


def _replaced(line: _Line, lookup: Lookup, one: Known) -> None:
    earlier = [
        named
        for named in lookup.registry.names()
        if named.name == one.named.name and named.version < one.named.version and named.manifest != one.named.manifest
    ]
    # After a rollback a name means again what it meant before; that one cannot come after itself.
    if earlier and earlier[0].manifest not in line.followed:
        before = earlier[0]
        line.add(Ancestor(id=before.manifest, kind="model", label=f"{before.name}@{before.version}"))
        line.descents.append(
            Descent(child=one.named.manifest, parent=before.manifest, kind="replaces", stated_in="this registry")
        )
        line.waiting.append(lookup.describe(before))


def _registered(lookup: Lookup, name: str) -> Known | None:
    """Return the model that a card names, if it was pulled from the hub under that name; names here prove nothing."""
    if not _HUB_NAME.fullmatch(name):
        return None
    for reference in lookup.registry.references():
        if reference.removeprefix("hf://").partition("@")[0] == name and reference.startswith("hf://"):
            try:
                return lookup.describe(lookup.find(reference))
            except AccelError:
                continue
    return None


def _card_bases(card: Path | None) -> Iterator[str]:
    if card is None:
        return
    with card.open("rb") as file:
        front = _FRONT.match(file.read(_HEAD_BYTES).decode("utf-8", "replace"))
    found = _BASE.search(front[1]) if front else None
    if found is None:
        return
    one = found["one"].strip()
    inline = one[1:-1].split(",") if one.startswith("[") else [one]
    for text in [*inline, *re.split(r"\r?\n[ \t]*-[ \t]+", found["more"])[1:]]:
        name = text.strip().strip("\"'")
        if name:
            yield name


def _mermaid(ancestors: list[Ancestor], descents: list[Descent]) -> str:
    numbers = {one.id: f"n{index}" for index, one in enumerate(ancestors)}
    lines = ["graph BT"]
    lines += [f'    {numbers[one.id]}["{_plain(one.label)}"]' for one in ancestors]
    lines += [f"    {numbers[one.child]} -->|{one.kind}| {numbers[one.parent]}" for one in descents]
    return "\n".join(lines)


def _dot(ancestors: list[Ancestor], descents: list[Descent]) -> str:
    lines = ["digraph lineage {"]
    lines += [f"    {json.dumps(one.id)} [label={json.dumps(one.label)}];" for one in ancestors]
    lines += [
        f"    {json.dumps(one.child)} -> {json.dumps(one.parent)} [label={json.dumps(one.kind)}];" for one in descents
    ]
    return "\n".join([*lines, "}"])


def _plain(text: str) -> str:
    """Write a label so that no card can end the quotes or begin markup of its own."""
    return re.sub(r"[^\w@./: =+-]", lambda found: f"#{ord(found[0])};", text)
