"""OCI registries as places that models are handed to: a layer for each file, under a manifest as ModelPack has it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from ipfs_accel_cli.content import passport
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotAuthorised, NotFound, Unavailable, VerificationFailed
from ipfs_accel_cli.core.http import refuse
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.distribution import MANIFESTS, Registry, layers
from ipfs_accel_cli.sources.oci import OciSource
from ipfs_accel_cli.sources.ollama import unreachable
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.sources.registry_names import Place, place
from ipfs_accel_cli.targets.base import Delivery, Holding, Item, Parcel, Progress, Sent, owner_only
from ipfs_accel_cli.targets.oci_uploads import Ask, Uploads

_MODEL = "application/vnd.cncf.model."
_WEIGHTS = (".safetensors", ".gguf", ".onnx", ".onnx_data", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".npz")
_DOCUMENTS = (".md", ".txt", ".rst", ".pdf", "license", "licence", "notice")


class OciTarget:
    """A repository of a registry and a tag in it, which moves. Blobs that the repository has are not sent again."""

    name = "oci"

    def __init__(self) -> None:
        self._registry = Registry()

    def check(self, place: Reference) -> Reference:
        """Return the place; raises Invalid for a digest, which nothing can be given, and for a folder in it."""
        owner_only(place)
        if place.revision or place.subfolder:
            raise Invalid(f"a model is pushed to a tag: oci://REGISTRY/REPOSITORY[:TAG], and {place} names more")
        return place

    def read(self, place: Reference, path: str) -> bytes | None:
        """Return the bytes of a layer under the tag; None where there is no such tag or file."""
        source = OciSource()
        try:
            found = next((file for file in source.resolve(place).files if file.path == path), None)
        except (NotFound, VerificationFailed, Invalid):
            return None
        except NotAuthorised:
            # Registries say so of what is not there as well; whether it may be made shows when it is.
            return None
        if found is None or (found.size_bytes or 0) > passport.MAX_BYTES:
            return None
        return b"".join(source.open(found))

    def look(self, place: Reference, parcel: Parcel) -> Holding:
        """Ask for each blob by its digest, and what the tag means now."""
        where, what = _where(place), str(place)
        digest = _digest(_manifest(parcel, where))
        with self._registry.session(where, what) as ask:
            present = frozenset(item.path for item in parcel.items if _has(ask, where, what, item))
        revision = self._tagged(where, what)
        settled = revision == digest and len(present) == len(parcel.items)
        return Holding(revision, present, settled)

    def refuse(self, place: Reference, delivery: Delivery) -> None:
        """Raise nothing: what a registry takes shows when it is sent."""

    def send(self, place: Reference, delivery: Delivery) -> Sent:
        """Upload what is missing, then the manifest, which the tag means from then on."""
        where, what, parcel = _where(place), str(place), delivery.parcel
        body, config = _manifest(parcel, where), _config(parcel, where)
        digest = _digest(body)
        if delivery.holding.settled:
            return Sent(place.pinned(digest), digest, 0)
        progress = Progress(sum(item.size_bytes for item in delivery.missing))
        with self._registry.session(where, what) as ask:
            uploads = Uploads(where, what, ask, parcel)
            for item in _once(delivery.missing):
                uploads.send(item, progress)
            uploads.send_bytes(config, _digest(config))
            headers = {"content-type": MANIFESTS[0]}
            url = f"{where.url}/manifests/{where.tag}"
            patiently(lambda: _accepted(ask("PUT", url, content=body, headers=headers), what, where))
        return Sent(place.pinned(digest), digest, uploads.sent_bytes)

    def listed(self, sent: Sent, parcel: Parcel) -> list[RemoteFile]:
        """Read the manifest by its digest, and ask whether each of its blobs is there and as long as it says."""
        where, what = _where(sent.reference), str(sent.reference)
        document = self._registry.manifest(where, sent.revision, what)
        if self._tagged(where, what) != sent.revision:
            raise Conflict(f"{what}: somebody else let the tag {where.tag} mean another manifest meanwhile")
        pairs = list(zip(layers(document, what), parcel.items, strict=False))
        there = [Item(item.path, layer.size_bytes, layer.sha256) for layer, item in pairs]
        with self._registry.session(where, what) as ask:
            found = [item for item in there if _has(ask, where, what, item)]
        return [RemoteFile(item.path, item.size_bytes, item.sha256) for item in found]

    def _tagged(self, where: Place, what: str) -> str | None:
        try:
            return self._registry.manifest(where, where.tag, what).digest
        except (NotFound, NotAuthorised):
            # Some registries hide what is not there yet; whether it may be made shows when it is.
            return None


def _has(ask: Ask, where: Place, what: str, item: Item) -> bool:
    """Say whether the repository has a blob of an item's digest and size."""

    def asked() -> bool:
        response = ask("HEAD", f"{where.url}/blobs/sha256:{item.sha256.hex()}")
        if response.status_code == 404:
            return False
        _accepted(response, what, where)
        length = response.headers.get("content-length", "")
        return not length.isdecimal() or int(length) == item.size_bytes

    try:
        return patiently(asked)
    except Unavailable as error:
        raise unreachable(error, where) from error


def _where(reference: Reference) -> Place:
    return place(reference.scheme, reference.locator)


def _once(items: tuple[Item, ...]) -> Iterator[Item]:
    """Yield the items without those whose bytes come under another path, too."""
    yield from {item.sha256: item for item in reversed(items)}.values()


def _accepted(response: Any, what: str, where: Place) -> None:
    if response.status_code in (401, 403):
        raise NotAuthorised(
            f"{where.registry} does not let this login push to {where.repository}",
            suggestion=f"docker login {where.registry}",
        )
    refuse(response, what)


def _config(parcel: Parcel, where: Place) -> bytes:
    """Return the model's configuration as ModelPack has it; the same whoever sends the same to the same place."""
    described: dict[str, Any] = {"name": where.repository.rpartition("/")[2]} | (
        {"licenses": [parcel.licence]} if parcel.licence else {}
    )
    digests = [f"sha256:{item.sha256.hex()}" for item in parcel.items]
    return _json({"descriptor": described, "config": {}, "modelfs": {"type": "layers", "diffIds": digests}})


def _manifest(parcel: Parcel, where: Place) -> bytes:
    config = _config(parcel, where)
    noted = {"ipfs-accel.manifest": parcel.manifest}
    noted |= {"org.opencontainers.image.licenses": parcel.licence} if parcel.licence else {}
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFESTS[0],
            "artifactType": f"{_MODEL}manifest.v1+json",
            "config": _descriptor(f"{_MODEL}config.v1+json", hashlib.sha256(config).digest(), len(config)),
            "layers": [_layer(item) for item in parcel.items],
            "annotations": noted,
        }
    )


def _layer(item: Item) -> dict[str, Any]:
    # ModelPack's tools read the first note, ORAS the second.
    noted = {"org.cncf.model.filepath": item.path, "org.opencontainers.image.title": item.path}
    return _descriptor(_kind(item.path), item.sha256, item.size_bytes) | {"annotations": noted}


def _kind(path: str) -> str:
    """Return the media type of a file by its name; only what cannot be told counts as settings."""
    name = path.rpartition("/")[2].lower()
    if path == passport.CAR:
        return "application/vnd.ipld.car"
    if name.endswith(_WEIGHTS):
        return f"{_MODEL}weight.v1.raw"
    if name.endswith(_DOCUMENTS):
        return f"{_MODEL}doc.v1.raw"
    return f"{_MODEL}code.v1.raw" if name.endswith(".py") else f"{_MODEL}weight.config.v1.raw"


def _descriptor(media_type: str, sha256: bytes, size_bytes: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{sha256.hex()}", "size": size_bytes}


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
