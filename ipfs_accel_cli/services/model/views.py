"""From what the registry knows to what commands show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.services.model import results
from ipfs_accel_cli.services.model.lineage import quantized_from
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.services.model.reuse import Outlook
from ipfs_accel_cli.services.model.signing.judging import claims


def row(known: Known, aliases: Mapping[str, str], meta: Mapping[str, str] = MappingProxyType({})) -> results.ModelRow:
    """Return a model as a line of `model ls`; `aliases` maps each alias to a manifest."""
    return results.ModelRow(
        name=known.named.name,
        version=known.named.version,
        aliases=_aliases_of(known, aliases),
        tasks=list(known.facts.tasks),
        architectures=list(known.facts.architectures),
        parameters=known.facts.parameters,
        dtype=known.facts.dtype,
        size_bytes=known.manifest.size_bytes,
        licence=known.licence,
        manifest_cid=known.named.manifest,
        root_cid=str(known.manifest.root),
        reference=known.named.reference,
        created_at=known.named.created_at,
        meta=dict(meta),
    )


def shown(known: Known, aliases: Mapping[str, str], meta: Mapping[str, str]) -> results.Shown:
    """Return all that is known of a model, with the notes on it here."""
    return results.Shown(
        **row(known, aliases, meta).model_dump(),
        profile=known.manifest.profile,
        model_type=known.facts.model_type,
        context_tokens=known.facts.context_tokens,
        weight_bytes=known.facts.weight_bytes,
        quantized_from=quantized_from(known),
        files=[
            results.ModelFile(
                path=entry.path, size_bytes=entry.size_bytes, sha256=entry.sha256.hex(), cid=str(entry.cid)
            )
            for entry in known.manifest.files
        ],
        statements=[_said(kind, cid, body) for kind, cid, body in known.statements],
    )


def expected(outlook: Outlook, name: str) -> results.Pulled:
    """Return what a pull of a model that is not here would give, as far as its source tells."""
    snapshot = outlook.snapshot
    manifest = snapshot.manifest
    return results.Pulled(
        name=name,
        version=None,
        manifest_cid=str(manifest.cid) if manifest else None,
        root_cid=str(manifest.root) if manifest else None,
        reference=str(snapshot.reference),
        revision=snapshot.revision,
        tasks=[],
        licence=snapshot.licence,
        files=outlook.files,
        size_bytes=outlook.size_bytes,
        fetched_bytes=0,
        new=True,
        dry_run=True,
        missing_bytes=outlook.missing_bytes,
    )


def _said(kind: str, cid: str, body: Mapping[str, Any]) -> results.SaidOf:
    signer, predicate_type = claims(kind, body)
    return results.SaidOf(kind=kind, cid=cid, signer=signer, predicate_type=predicate_type, body=_json(body))


def _json(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a statement's body as JSON has it: what it links to by its CID as text, bytes in hex."""
    return {name: _plain(value) for name, value in body.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return _json(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, CID):
        return str(value)
    return value.hex() if isinstance(value, bytes) else value


def _aliases_of(known: Known, aliases: Mapping[str, str]) -> list[str]:
    return [alias for alias, manifest in aliases.items() if manifest == known.named.manifest]
