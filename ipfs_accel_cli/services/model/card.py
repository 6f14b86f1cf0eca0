"""A model card of what is known: each line is read, computed or quoted with its source; what is not known is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.model.inspect_results import Inspected
from ipfs_accel_cli.services.model.lineage_results import Lineage
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.services.model.tables import Check

_EVALUATED = ("evaluation", "measurement")
_OF_AN_EVALUATION = ("items", "set", "engine", "dtype", "machine", "at")


def card(known: Known, inspected: Inspected, lineage: Lineage, check: Check | None) -> str:
    """Return the card as Markdown."""
    sections = [
        f"# {_text(known.named.name)}",
        "Written by `ipfs-accel model card` from its files, the registry and what its source stated; no guesses.",
        *_section("Identity", _identity(known, check)),
        *_section("What it is", _facts(known, inspected)),
        *_section("Numbers by dtype", _dtypes(inspected)),
        *_section("How good it is", _quality(known)),
        *_section("Where it comes from", _descent(lineage)),
        *_section("Files", _files(known)),
        *_section("The same model elsewhere", _commands(known)),
        *_section("What is not known", _unknown(known, inspected)),
    ]
    return "\n\n".join(sections) + "\n"


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f"## {title}"
        yield "\n".join(found)


def _identity(known: Known, check: Check | None) -> Iterator[str]:
    read = "not since it was registered"
    if check is not None:
        read = f"{check.checked_at}: **{_text(check.problem)}**" if check.problem else f"{check.checked_at}, all right"
    yield from _table(
        ("", ""),
        [
            ("manifest", f"`{known.named.manifest}`"),
            ("root", f"`{known.manifest.root}`"),
            ("CID profile", known.manifest.profile),
            ("files", str(len(known.manifest.files))),
            ("size", f"{human_bytes(known.manifest.size_bytes)} ({known.manifest.size_bytes} bytes)"),
            ("registered", f"{known.named.created_at}, as version {known.named.version}"),
            ("bytes read again", read),
        ],
    )


def _facts(known: Known, inspected: Inspected) -> Iterator[str]:
    facts = known.facts
    stated = next((str(body.get("stated_in", "")) for kind, _, body in known.statements if kind == "licence"), "")
    rows = [
        ("tasks", _text(", ".join(facts.tasks))),
        ("architectures", _text(", ".join(facts.architectures))),
        ("model type", _text(facts.model_type)),
        ("parameters", f"{inspected.parameters:,}" if inspected.parameters is not None else ""),
        ("context", f"{facts.context_tokens} tokens" if facts.context_tokens else ""),
        ("tokenizer", _text(facts.tokenizer)),
        ("licence", f"{_text(known.licence)} (as its {_text(stated)} states)" if known.licence else ""),
    ]
    yield from _table(("", ""), [row for row in rows if row[1]])


def _dtypes(inspected: Inspected) -> Iterator[str]:
    rows = [
        (one.dtype, str(one.tensors), f"{one.parameters:,}", human_bytes(one.size_bytes)) for one in inspected.dtypes
    ]
    yield from _table(("dtype", "tensors", "parameters", "size"), rows)


def _quality(known: Known) -> Iterator[str]:
    """Yield what evaluations found, the newest first; what somebody stated in another form is passed over."""
    said = [
        body for kind, _, body in known.statements if kind == _EVALUATED[0] and isinstance(body.get("metrics"), dict)
    ]
    rows = [
        (_text(str(metric)), f"{value:.4g}", *(_text(str(body.get(key, ""))) for key in _OF_AN_EVALUATION))
        for body in sorted(said, key=lambda body: str(body.get("at", "")), reverse=True)
        for metric, value in body["metrics"].items()
        if isinstance(value, int | float)
    ]
    yield from _table(("metric", "value", *_OF_AN_EVALUATION), rows)


def _descent(lineage: Lineage) -> Iterator[str]:
    labels = {one.id: one.label for one in lineage.ancestors}
    for one in lineage.descents:
        child, parent = _text(labels[one.child]), _text(labels[one.parent])
        yield f"- {child}: {one.kind} {parent} (stated in {_text(one.stated_in)})"


def _files(known: Known) -> Iterator[str]:
    rows = [(_text(one.path), human_bytes(one.size_bytes), f"`{one.sha256.hex()}`") for one in known.manifest.files]
    yield from _table(("path", "size", "sha-256"), rows)


def _commands(known: Known) -> Iterator[str]:
    reference = known.named.reference
    if not reference.startswith("file:"):
        yield f"    ipfs-accel model pull {re.sub(r'[^!-~]', '?', reference)}"
    yield f"    ipfs-accel model verify {known.named.manifest}"


def _unknown(known: Known, inspected: Inspected) -> Iterator[str]:
    kinds = {kind for kind, _, _ in known.statements}
    if not known.licence:
        yield "- Licence: neither the model card nor the source states one."
    if not known.facts.tasks:
        yield "- Task: the files do not say what it is for."
    if inspected.parameters is None:
        yield "- Parameters: no weight file has a header that could be read."
    elif any(file.problem or (file.format == "pickle" and file.tensors is None) for file in inspected.files):
        yield "- Parameters in files without a readable header are not counted."
    if known.named.reference.startswith("file:"):
        yield "- Publisher: it was added from a folder of this machine."
    if kinds.isdisjoint(_EVALUATED):
        yield "- Quality: no evaluation of it is recorded here."
    yield "- Training data, intended use and biases: only the publisher could say, in a README.md of its own."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield f"| {' | '.join(head)} |"
        yield f"|{'---|' * len(head)}"
        for row in rows:
            yield f"| {' | '.join(row)} |"


def _text(value: str | None) -> str:
    """Write a text of somebody else's so that it stays one: no markup, no further cell or line."""
    plain = re.sub(r"\s+", " ", value or "")
    return re.sub(r"([\\`*_\[\]<>|#!])", r"\\\1", plain)
