"""Models from registries of the Open Container Initiative: ModelPack, ORAS and alike, a file or an archive a layer."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, NotFound, Unavailable, UnsafeContent
from ipfs_accel_cli.sources import tars
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot, Writer, plainly
from ipfs_accel_cli.sources.distribution import Document, Layer, Registry, is_digest, layers
from ipfs_accel_cli.sources.ollama import missing, unreachable
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.sources.registry_names import Place, place

# The path of a layer's file, as the ModelPack specification and ORAS note it; the first that is there counts.
_PATHS = ("org.cncf.model.filepath", "org.opencontainers.image.title")
_LICENCE = "org.opencontainers.image.licenses"
_UNPACK = "io.deis.oras.content.unpack"  # ORAS notes it on a folder that it packed.
_ARCHIVES = (".tar", ".tar+gzip", ".tar.gzip", ".tar+gz", ".tar+zstd", ".tar.zstd", ".diff.tar.gzip")
_EMPTY = "application/vnd.oci.empty.v1+json"
# Packers that name no file, such as Docker's, say what it is.
_KINDS = {"gguf": "model.gguf", "mmproj": "mmproj.gguf", "license": "license"}
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class OciSource:
    """A registry of artefacts by tag and digest. Layers that are tar archives are unpacked, the others are files."""

    name = "oci"

    def __init__(self) -> None:
        self._registry = Registry()

    def resolve(self, reference: Reference) -> Snapshot:
        """Pin a tag, by way of an index where there is one, to the digest of a manifest, and list its layers.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, Offline, MalformedContent, Invalid where an index lists
        several models, and UnsafeContent for a path that leaves the folder.
        """
        where, what = place(reference.scheme, reference.locator), str(reference.pinned(None))
        try:
            document = self._registry.manifest(where, reference.revision or where.tag, what)
            if document.is_index:
                document = self._registry.manifest(where, _chosen(document, reference), what)
        except NotFound as error:
            raise missing(self._registry, reference, where) from error
        except Unavailable as error:
            raise unreachable(error, where) from error
        files = tuple(_files(document, what, where))
        noted = document.body.get("annotations")
        licence = noted.get(_LICENCE) if isinstance(noted, dict) else None
        facts = {"repository": where.repository, "tag": where.tag, "digest": document.digest}
        pinned = reference.pinned(document.digest)
        return Snapshot(pinned, document.digest, files, str(licence) if licence else None, facts=facts)

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the layer's bytes from `offset` on."""
        return self._registry.blob(file, offset)

    def unpack(
        self, snapshot: Snapshot, fetched: Mapping[str, Path], folder: Path, write: Writer = plainly
    ) -> Snapshot:
        """Write what archives hold under `folder`; a layer that is none is a file of the model as it lies.

        With a folder in the reference only what is in it is the model's.
        """
        plain = [file for file in snapshot.files if file.as_is]
        taken = {file.path for file in plain}
        found = [RemoteFile(file.path, file.size_bytes, file.sha256, local=fetched[file.path]) for file in plain]
        for file in snapshot.files:
            if not file.as_is:
                names = tars.unpack(fetched[file.path], f"the layer {file.path}", folder, taken, write)
                found += [RemoteFile(name, (folder / name).stat().st_size, local=folder / name) for name in names]
        inside = tuple(_within(found, snapshot.reference.subfolder))
        if not inside:
            raise NotFound(f"{snapshot.reference} holds no files" + _at(snapshot.reference.subfolder))
        return snapshot.with_files(inside)


def _chosen(index: Document, reference: Reference) -> str:
    """Return the digest of the one manifest of an index that is meant; raises Invalid where that cannot be told."""
    entries = [entry for entry in index.body.get("manifests") or () if isinstance(entry, dict) and _is_content(entry)]
    models = [entry for entry in entries if "model" in str(entry.get("artifactType"))]
    machine = _MACHINES.get(platform.machine(), platform.machine())
    here = [entry for entry in entries if _platform(entry).get("architecture") == machine]
    digests = [str(entry.get("digest")) for entry in entries]
    if not digests or not all(is_digest(digest) for digest in digests):
        raise MalformedContent(f"{reference} is an index that lists no manifest, or one without a sha-256")
    for candidates in (models, entries, here):
        if len(candidates) == 1:
            return str(candidates[0]["digest"])
    unpinned = reference.pinned(None)
    raise Invalid(
        f"{reference} lists {len(digests)} manifests; name one: {', '.join(digests)}",
        suggestion=f"ipfs-accel model pull {unpinned.pinned(digests[0])}",
        choices=digests,
    )


def _is_content(entry: Mapping[str, object]) -> bool:
    # BuildKit lists what attests a build beside the build, for no machine.
    return _platform(entry).get("os") != "unknown"


def _platform(entry: Mapping[str, object]) -> Mapping[str, object]:
    stated = entry.get("platform")
    return stated if isinstance(stated, dict) else {}


def _files(document: Document, what: str, where: Place) -> Iterator[RemoteFile]:
    taken: set[str] = set()
    for layer in layers(document, what):
        if layer.media_type == _EMPTY:
            continue
        archive = layer.media_type.endswith(_ARCHIVES) or layer.annotations.get(_UNPACK) == "true"
        path = f"{layer.digest[7:19]}.tar" if archive else _path(layer, what)
        if path in taken:
            raise UnsafeContent(f"{what} holds {path!r} twice")
        taken.add(path)
        address = f"{where.url}/blobs/{layer.digest}"
        yield RemoteFile(path, layer.size_bytes, layer.sha256, address=address, as_is=not archive)


def _path(layer: Layer, what: str) -> str:
    """Name a layer's file as it is noted, else by what it is, else by its digest."""
    noted = next((layer.annotations[key] for key in _PATHS if layer.annotations.get(key)), None)
    kind = next((name for word, name in _KINDS.items() if word in layer.media_type), f"layer-{layer.digest[7:19]}")
    try:
        return normalise_path((noted or kind).removeprefix("./"))
    except ValueError as error:
        raise UnsafeContent(f"{what} holds a file that would leave its folder: {error}") from error


def _within(files: list[RemoteFile], subfolder: str | None) -> Iterator[RemoteFile]:
    prefix = f"{subfolder}/" if subfolder and subfolder != "." else ""
    for file in files:
        if file.path.startswith(prefix):
            yield RemoteFile(file.path.removeprefix(prefix), file.size_bytes, file.sha256, local=file.local)


def _at(subfolder: str | None) -> str:
    return f" in a folder {subfolder!r}" if subfolder else ""
