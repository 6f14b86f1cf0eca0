"""What others say of a model that arrives: how much of it is kept, and what never is."""

from __future__ import annotations

from collections.abc import Iterable

from ipfs_accel_cli.content.dag import value_links
from ipfs_accel_cli.content.manifest import Manifest, Statement

# Claims to be read, each with its own test of whom to believe. What runs a model here (`derived`) and what its files
# say (`facts`) are found out here; a kind that is not known could steer what a later version does.
KINDS = frozenset({"attestation", "evaluation", "licence", "quantization", "signature", "source"})


def taken(manifest: Manifest, said: Iterable[Statement]) -> tuple[Statement, ...]:
    """Return the statements that may be kept: of known kinds, about the model or one of each other, linking to these.

    A link leads into what `gc` keeps and an export carries along. One to content that did not come would be missing
    there, and one to content of this home would be handed on with it.
    """
    kept = {one.cid: one for one in said if one.kind in KINDS}
    links = {cid: {one.subject, *value_links(one.body)} for cid, one in kept.items()}
    came = {manifest.cid, manifest.root, *(entry.cid for entry in manifest.files)}
    while True:
        loose = [cid for cid in kept if not links[cid] <= came | kept.keys()]
        if not loose:
            return tuple(kept.values())
        for cid in loose:
            del kept[cid]
