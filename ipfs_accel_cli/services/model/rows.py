"""The lines of `model ls`: one query for all that were listed before, the store for the others."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter

from ipfs_accel_cli.core.errors import HomeUnusable
from ipfs_accel_cli.services.model import results, tables
from ipfs_accel_cli.services.model.lookup import Lookup
from ipfs_accel_cli.services.model.views import row

# What a list shows of the model itself, whatever it is called.
_OF_THE_MODEL = {"tasks", "architectures", "parameters", "dtype", "size_bytes", "licence", "root_cid"}

NONE: Mapping[str, dict[str, str]] = MappingProxyType({})


def rows(registry: tables.Tables, lookup: Lookup, notes: Mapping[str, dict[str, str]] = NONE) -> list[results.ModelRow]:
    """Return one line for every version of every name, with the notes on each manifest.

    Raises NotFound when a model is gone from the store.
    """
    aliases: dict[str, list[str]] = defaultdict(list)
    for alias, manifest in registry.aliases().items():
        aliases[manifest].append(alias)
    listed = registry.listed()
    fresh = {named.manifest: json.dumps(_described(lookup, named)) for named, kept in listed if kept is None}
    bodies = json.loads(f"[{','.join(kept or fresh[named.manifest] for named, kept in listed)}]")
    lines = [
        {
            "name": named.name,
            "version": named.version,
            "aliases": aliases.get(named.manifest, []),
            "manifest_cid": named.manifest,
            "reference": named.reference,
            "created_at": named.created_at,
            "meta": notes.get(named.manifest, {}),
            **body,
        }
        for (named, _), body in zip(listed, bodies, strict=True)
    ]
    if fresh:
        # A home that is only read is listed the slower way each time.
        with suppress(HomeUnusable), registry.write() as connection:
            tables.keep_listed(connection, fresh)
    # Thousands of lines at once cost a third of what they cost one by one.
    return TypeAdapter(list[results.ModelRow]).validate_python(lines)


def _described(lookup: Lookup, named: tables.Named) -> dict[str, Any]:
    return row(lookup.describe(named), {}).model_dump(mode="json", include=_OF_THE_MODEL)
