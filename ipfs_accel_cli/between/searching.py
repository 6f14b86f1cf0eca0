"""What the search is told of models, and how it embeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.services.search.supply import Encoder, ModelAbout, Sharing, StoredContent

if TYPE_CHECKING:
    import numpy

    from ipfs_accel_cli.engines.exchange.text import Role
    from ipfs_accel_cli.extractors.base import Document, Fact
    from ipfs_accel_cli.services.infer.asking import Asking
    from ipfs_accel_cli.services.infer.inference import Inference
    from ipfs_accel_cli.services.model.results import ModelRow
    from ipfs_accel_cli.services.model.service import Models
    from ipfs_accel_cli.services.store.store import Store


_CARDS = ("README.md", "README.txt", "README")


def described(models: Models, store: Store, manifest: str) -> ModelAbout | None:
    """Return a model as a document: what its registration says, and its card; None where it is not registered."""
    from ipfs_accel_cli.extractors.base import Document

    rows = [row for row in models.ls().models if manifest in (row.manifest_cid, row.name)]
    if not rows:
        return None
    newest = rows[0]
    card = _card(store, newest)
    facts = {**(card.facts if card else {}), **_facts(rows)}
    names = tuple(dict.fromkeys(row.name for row in rows))
    document = Document("model", newest.name, card.text if card else "", facts)
    return ModelAbout(document, newest.size_bytes, newest.created_at, names, newest.root_cid)


def sharing(models: Models) -> Iterator[Sharing]:
    """Yield which registered models have tensors in common, after reading all of them."""
    for pair in models.contents.dedup(read=True).overlaps:
        if pair.tensors_bytes:
            one, other = (models.contents.lookup.find(label).manifest for label in (pair.one, pair.other))
            yield Sharing(one, other, pair.tensors_bytes)


def _facts(rows: Sequence[ModelRow]) -> dict[str, Fact]:
    newest = rows[0]
    aliases = tuple(alias for row in rows for alias in row.aliases)
    found: dict[str, Fact] = {
        "name": tuple(dict.fromkeys((*(row.name for row in rows), *aliases))),
        "task": tuple(newest.tasks),
        "architecture": tuple(newest.architectures),
        "dtype": newest.dtype,
        "licence": newest.licence or "",
        "reference": tuple(dict.fromkeys(row.reference for row in rows)),
        "root": newest.root_cid,
        **{f"meta.{key}": value for key, value in newest.meta.items()},
    }
    if newest.parameters is not None:
        found["parameters"] = newest.parameters
    return {name: value for name, value in found.items() if value not in ("", ())}


def _card(store: Store, row: ModelRow) -> Document | None:
    from ipfs_accel_cli.extractors.base import Limits
    from ipfs_accel_cli.extractors.registry import extract

    for name in _CARDS:
        try:
            with closing(store.content(f"{row.root_cid}/{name}")) as opened:
                return extract(StoredContent(opened, name), Limits())
        except AccelError:
            continue
    return None


@dataclass(frozen=True, slots=True)
class _Encoding:
    """A loaded model that the search asks."""

    model: str
    model_cid: str
    asking: Asking

    def embed(self, texts: Sequence[str], role: Role) -> numpy.ndarray[Any, Any]:
        """Return a vector for each text."""
        return self.asking.rows(texts, role)


@contextmanager
def encoding(inference: Inference, model: str | None) -> Iterator[Encoder]:
    """Load the model of a name or CID, or the default one, to make vectors with; raises what loading raises."""
    loadable = inference.opener.find(model, "embed")
    with inference.asking(loadable.facts.manifest or loadable.facts.name, "embed") as asking:
        yield _Encoding(loadable.facts.name, loadable.facts.manifest or loadable.facts.name, asking)
