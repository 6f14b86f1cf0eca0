"""Labels of single tokens into named things."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.engines.exchange.text import Tag
from ipfs_accel_cli.services.infer.text.results import Entity

_OUTSIDE = "O"


def entities_of(text: str, tags: Sequence[Tag]) -> list[Entity]:
    """Return the entities of a text: neighbouring tokens with one label.

    `B-` begins one and `I-` goes on with it (Ramshaw and Marcus 1995); an `I-` after another label begins one too.
    """
    groups: list[tuple[str, list[Tag]]] = []
    before = _OUTSIDE
    for tag in tags:
        begins, name = _split(tag.label)
        if name != _OUTSIDE:
            if groups and not begins and name == before:
                groups[-1][1].append(tag)
            else:
                groups.append((name, [tag]))
        before = name
    return [_entity(text, name, held) for name, held in groups]


def _split(label: str) -> tuple[bool, str]:
    """Return whether a label begins an entity, and its name without the mark of that."""
    if label[:2] in ("B-", "I-", "E-", "L-", "S-", "U-"):
        return label[0] in "BSU", label[2:]
    return False, label


def _entity(text: str, name: str, tags: Sequence[Tag]) -> Entity:
    start, end = tags[0].start, tags[-1].end
    body = text[start:end]
    start += len(body) - len(body.lstrip())
    score = sum(tag.score for tag in tags) / len(tags)
    return Entity(label=name, text=body.strip(), start=start, end=start + len(body.strip()), score=score)
