"""What can be said of a model and signed: its source, its last verification, a scan, evaluations, or one's own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.content import dsse, strictjson
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.core.distributions import installed
from ipfs_accel_cli.core.errors import Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.services.model import lineage, tables
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.services.model.scanning import scan_all
from ipfs_accel_cli.services.model.signing.intoto import MODEL_SIGNING, TYPE_URI
from ipfs_accel_cli.services.model.subject import of_known

MANIFEST = "urn:ipfs-accel:predicate:manifest:v1"
SIGNING = frozenset({MANIFEST, MODEL_SIGNING})  # They say that these files are one model, and nothing else of it.
SLSA = "https://slsa.dev/provenance/v1"
TYPES = {
    "provenance": SLSA,
    "verification": "urn:ipfs-accel:predicate:verification:v1",
    "scan": "urn:ipfs-accel:predicate:scan:v1",
    "evaluation": "urn:ipfs-accel:predicate:evaluation:v1",
}
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Said:
    """A predicate and its type."""

    type: str
    body: Mapping[str, Any]


def manifest(found: Manifest) -> Said:
    """Return what a plain signature says: these files, under this profile, are one model."""
    return Said(MANIFEST, {"manifest": str(found.cid), "root": str(found.root), "profile": found.profile})


def provenance(lookup: Lookup, known: Known, builder: str) -> Said:
    """Return where this home got a model, in the form of SLSA provenance: its source is what it was built of.

    What came along with it may name another source; nobody here saw that, so it is not signed.
    """
    reference = _shareable(known.named.reference)
    source: dict[str, Any] = {"uri": reference}
    revision = lookup.registry.revision(known.named.manifest, known.named.reference) or ""
    if _COMMIT.fullmatch(revision):
        source["digest"] = {"gitCommit": revision}
    if revision and not reference.startswith("file:"):
        source["annotations"] = {"revision": revision}
    model = lookup.registry.model(known.named.manifest)
    return Said(
        SLSA,
        {
            "buildDefinition": {
                "buildType": "urn:ipfs-accel:build:pull:v1",
                "externalParameters": {"reference": reference},
                "resolvedDependencies": [source, *_parents(lookup, known)],
            },
            "runDetails": {
                "builder": {"id": builder},
                "metadata": {"finishedOn": model["added_at"] if model is not None else known.named.created_at},
            },
        },
    )


def verification(registry: tables.Tables, known: Known) -> Said:
    """Return the outcome of the last `model verify`; raises NotFound without one, VerificationFailed for damage."""
    line = f"ipfs-accel model verify {known.named.name}@{known.named.version}"
    check = registry.checked(known.named.manifest)
    if check is None:
        raise NotFound(f"{known.named.name} was not verified since it was registered", suggestion=line)
    if check.problem:
        raise VerificationFailed(
            f"the bytes here are not those of the model, so nothing is said of it: {check.problem}", suggestion=line
        )
    body = {"outcome": "passed", "level": check.level, "verifiedAt": check.checked_at}
    return Said(TYPES["verification"], body | _size(known))


def scan(store: Store, known: Known, at: str) -> Said:
    """Scan the files now and return what was found; raises UnsafeContent when something was."""
    scanned = scan_all(of_known(store, known))
    body = {
        "outcome": "no code that runs on loading was found",
        "scanner": {"name": "ipfs-accel", "version": installed().get("ipfs-accel", "unknown")},
        "scannedAt": at,
        "files": [{"path": one.path, "form": one.form, "callables": one.callables} for one in scanned.files],
        "notes": scanned.notes,
    }
    return Said(TYPES["scan"], body)


def evaluation(known: Known, measured: Collection[str]) -> Said:
    """Return the evaluations of a model that are among those `measured` here; raises NotFound without any."""
    found = [{"statement": cid, "body": _plain(body)} for _, cid, body in known.statements if cid in measured]
    if not found:
        name = known.named.name
        raise NotFound(f"no evaluation of {name} was made here", suggestion=f"ipfs-accel model eval {name} SET.jsonl")
    return Said(TYPES["evaluation"], {"evaluations": found})


def own(path: Path, uri: str | None) -> Said:
    """Return the predicate in a JSON file; raises NotFound, Invalid, and Malformed for what is no JSON."""
    if uri is None and not path.exists():
        raise NotFound(f"{str(path)!r} is none of {', '.join(TYPES)} and no JSON file")
    if uri is None:
        raise Invalid("a predicate of your own needs a type", suggestion="--type https://example.org/evaluation/v1")
    if not TYPE_URI.fullmatch(uri):
        raise Invalid(f"{uri!r} is no URI, as the type of a predicate must be")
    try:
        with path.open("rb") as file:
            data = file.read(dsse.MAX_BYTES + 1)
    except FileNotFoundError as error:
        kinds = ", ".join(TYPES)
        raise NotFound(f"{str(path)!r} is none of {kinds} and no JSON file") from error
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from error
    body = strictjson.decode(data, dsse.MAX_BYTES)
    if not isinstance(body, dict):
        raise Invalid(f"{path} holds no JSON object, as a predicate must be")
    return Said(uri, body)


def _parents(lookup: Lookup, known: Known) -> list[dict[str, Any]]:
    line = lineage.lineage(lookup, known)
    models = {one.id for one in line.ancestors if one.kind == "model"}
    found: list[dict[str, Any]] = []
    for one in line.descents:
        if one.child != known.named.manifest or one.kind not in ("base-model", "adapter-of"):
            continue
        parent: dict[str, Any] = {"name": one.parent, "annotations": {"relation": one.kind, "statedIn": one.stated_in}}
        if one.parent in models:
            cid = CID.parse(one.parent)
            parent["digest"] = {"sha256": cid.multihash.digest.hex(), "cid": str(cid)}
        found.append(parent)
    return found


def _shareable(reference: str) -> str:
    """Return a reference without the folders of this machine, which nobody else needs to know."""
    scheme, _, place = reference.partition(":")
    return f"{scheme}:{place.rstrip('/').rpartition('/')[2]}" if scheme in ("file", "car") else reference


def _size(known: Known) -> dict[str, int]:
    return {"files": len(known.manifest.files), "sizeBytes": known.manifest.size_bytes}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, CID) else value
