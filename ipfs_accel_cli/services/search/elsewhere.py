"""What a hub has, among what is here: two rankings joined by place, and one row for what is in both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ipfs_accel_cli.core import filters
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Invalid
from ipfs_accel_cli.core.fields import Field, Kind
from ipfs_accel_cli.services.search import asking, showing
from ipfs_accel_cli.services.search.filtering import equal
from ipfs_accel_cli.services.search.fusing import DEPTH, Fused, K
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.matching import Scored
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.results import Explained, Found, Hit, Unanswered
from ipfs_accel_cli.services.search.schema import of_chunk
from ipfs_accel_cli.sources.base import Offer, Searchable
from ipfs_accel_cli.sources.registry import SOURCES

_TEXTS = {
    **{"title": "reference", "name": "reference", "kind": "kind", "type": "kind"},
    **{"task": "task", "tasks": "task", "licence": "licence", "license": "licence"},
}
_OFFERED = {
    **{name: Field(attribute, Kind.TEXT) for name, attribute in _TEXTS.items()},
    **{name: Field("tags", Kind.TEXT, many=True) for name in ("tag", "tags")},
    **{name: Field("added_at", Kind.TIME) for name in ("added", "added_at")},
}


@dataclass(slots=True)
class _Place:
    """Where one hit stands in either ranking, from 1 on."""

    hit: Hit
    here: int | None = None
    there: int | None = None
    score: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.score = sum(1 / (K + rank) for rank in (self.here, self.there) if rank is not None)


def source(name: str, asked: Asked) -> Searchable:
    """Return the hub of a name; raises Invalid for what cannot be asked there, and MissingExtra."""
    if name not in SOURCES.names() or not isinstance(hub := SOURCES.load(name)(), Searchable):
        raise Invalid(f"{name!r} is no hub that can be searched; --remote hf is", near=["hf"])
    given = {"--sort": asked.sort, "--cursor": asked.cursor, "--facet": asked.facets}
    unfit = [option for option, value in given.items() if value]
    if unfit:
        raise Invalid(f"{unfit[0]} does not go with --remote: the hub has an order of its own and one page of it")
    if not asked.text.strip():
        raise Invalid("--remote needs words to look for")
    return hub


def joined(index: Index, found: Found, name: str, hub: Searchable, asked: Asked) -> Found:
    """Return what was found here with what a hub offers; what is wrong with the hub is told in the answer."""
    try:
        offers = _fitting(hub.search(asking.read(asked.text).plain(), DEPTH), asked)
    except (Invalid, Cancelled):
        raise
    except AccelError as error:
        told = Unanswered(source=name, code=error.code, detail=error.detail, suggestion=error.suggestion or "")
        return found.model_copy(update={"unanswered": [told]})
    places = _places(index, found.hits, offers[: asked.limit], name)
    ordered = sorted(places, key=lambda one: (-one.score, one.hit.source != "here", one.hit.cid or one.hit.title))
    hits = [_ranked(one, rank, explain=asked.explain) for rank, one in enumerate(ordered[: asked.limit], 1)]
    # A page that is cut from two rankings has no next one.
    return found.model_copy(update={"hits": hits, "total": None, "cursor": None})


def checked(asked: Asked) -> list[filters.Node]:
    """Return what an offer must fit; raises Invalid for a field that a hub says nothing of."""
    wanted = [equal(_OFFERED["tag"], "tag", tag) for tag in asked.tags]
    kinds = tuple(equal(_OFFERED["kind"], "kind", kind) for kind in asked.kinds)
    nodes: list[filters.Node] = [*wanted, *kinds]
    return [*nodes, filters.parse(asked.where, _OFFERED)] if asked.where else nodes


def _fitting(offers: Sequence[Offer], asked: Asked) -> list[Offer]:
    nodes = checked(asked)
    return [offer for offer in offers if all(node.matches(offer) for node in nodes)]


def _places(index: Index, hits: Sequence[Hit], offers: Sequence[Offer], name: str) -> list[_Place]:
    found = {hit.cid or "": _Place(hit, here=rank) for rank, hit in enumerate(hits, 1)}
    for rank, offer in enumerate(offers, 1):
        kept = _kept(index, offer)
        if kept is None:
            found[offer.reference] = _Place(_offered(offer, name), there=rank)
            continue
        document, cid, reference = kept
        place = found.get(cid)
        if place is not None and place.there is not None:
            continue
        hit = place.hit if place is not None else _shown(index, document, cid)
        newer = not offer.revision or f"@{offer.revision}" not in reference
        told = {"reference": offer.reference, "command": _pull(offer) if newer else None}
        found[cid] = _Place(hit.model_copy(update=told), here=place.here if place else None, there=rank)
    return list(found.values())


def _kept(index: Index, offer: Offer) -> tuple[int, str, str] | None:
    """Return number, CID and reference of the model that came from there, that of the same commit before others."""
    key = offer.reference.lower()
    query = (
        "SELECT id, cid, value FROM facts JOIN documents ON id = document WHERE kind = 'model' AND name = 'reference'"
        " AND (key = ? OR (key >= ? || '@' AND key < ? || 'A')) ORDER BY instr(key, ?) > 0 DESC, id DESC LIMIT 1"
    )
    rows = index.rows(query, (key, key, key, f"@{offer.revision}"))
    return (int(rows[0]["id"]), str(rows[0]["cid"]), str(rows[0]["value"])) if rows else None


def _shown(index: Index, document: int, cid: str) -> Hit:
    one = Fused(Scored(document, of_chunk(document, 0), 0.0, cid), 0.0)
    return showing.hits(index, [one], 1, asking.read(""), "", explain=False)[0]


def _offered(offer: Offer, name: str) -> Hit:
    counted = f"{offer.downloads:,} downloads" if offer.downloads is not None else ""
    told = ["not here", offer.task, offer.licence, counted, "wants a login" if offer.gated else ""]
    return Hit(
        rank=1,
        cid=None,
        kind=offer.kind,
        title=offer.reference,
        paths=[],
        size_bytes=None,
        added_at=offer.added_at,
        tags=list(offer.tags),
        snippet=", ".join(filter(None, told)),
        source=name,
        reference=offer.reference,
        command=_pull(offer),
    )


def _pull(offer: Offer) -> str:
    return f"ipfs-accel model pull {offer.reference}"


def _ranked(place: _Place, rank: int, *, explain: bool) -> Hit:
    explained = place.hit.explain
    if explain:
        explained = (explained or Explained()).model_copy(update={"remote_rank": place.there})
    return place.hit.model_copy(update={"rank": rank, "score": place.score, "explain": explained})
