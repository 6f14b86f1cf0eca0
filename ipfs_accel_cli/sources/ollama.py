"""Models from Ollama's registry, or any other that speaks as it does."""

from __future__ import annotations

from collections.abc import Iterator

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core.errors import MalformedContent, NotFound, Unavailable, UnsafeContent
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot
from ipfs_accel_cli.sources.distribution import Document, Layer, Registry, layers
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.sources.registry_names import Place, place

_KIND = "application/vnd.ollama.image."
# What a layer is called as a file: an engine that reads GGUF finds its weights, and a reader the rest.
_FILES = {
    "model": "model.gguf",
    "projector": "mmproj.gguf",
    "adapter": "adapter.gguf",
    "template": "template",
    "params": "params.json",
    "license": "license",
    "system": "system",
    "messages": "messages.json",
    "prompt": "prompt",
}


class OllamaSource:
    """A registry of models, each a few layers: weights as GGUF, the template, parameters and licences."""

    name = "ollama"

    def __init__(self) -> None:
        self._registry = Registry()

    def resolve(self, reference: Reference) -> Snapshot:
        """Pin a tag to the digest of its manifest and list the layers as files.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, Offline, MalformedContent, and UnsafeContent for a name
        that leaves the folder.
        """
        where = place(reference.scheme, reference.locator)
        document = self._manifest(reference, where)
        files = named_files(document, str(reference), where.url)
        facts = {"repository": where.repository, "tag": where.tag, "digest": document.digest}
        return Snapshot(reference.pinned(document.digest), document.digest, files, facts=facts)

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the layer's bytes from `offset` on."""
        return self._registry.blob(file, offset)

    def _manifest(self, reference: Reference, where: Place) -> Document:
        what, wanted = str(reference.pinned(None)), reference.revision
        try:
            return self._registry.manifest(where, wanted or where.tag, what)
        except NotFound as error:
            if wanted is None:
                raise missing(self._registry, reference, where) from error
        except Unavailable as error:
            raise unreachable(error, where) from error
        # Ollama's own registry finds manifests by their tag only.
        document = self._registry.manifest(where, where.tag, what)
        if document.digest != wanted:
            raise NotFound(
                f"{what} is another model now than the one pinned: {document.digest}",
                suggestion=f"ipfs-accel model pull {what}",
            )
        return document


def named_files(document: Document, what: str, url: str) -> tuple[RemoteFile, ...]:
    """Return the layers of a manifest of Ollama's as files; `url` is the repository's, or empty without one.

    The manifest's configuration only repeats what the weights say, and is no file of the model.
    """
    if document.is_index:
        raise MalformedContent(f"{what}: Ollama's models have one manifest, and this is a list of several")
    files: dict[str, RemoteFile] = {}
    for layer in layers(document, what):
        path = _free(_path(layer, what), files)
        files[path] = RemoteFile(path, layer.size_bytes, layer.sha256, address=f"{url}/blobs/{layer.digest}")
    return tuple(files.values())


def missing(registry: Registry, reference: Reference, where: Place) -> NotFound:
    """Return the error for a name that a registry does not know, with the tags that it has."""
    tags = registry.tags(where)
    if not tags:
        return NotFound(f"{where.registry} has no model {where.repository}:{where.tag}, or hides it")
    other = f"{reference.scheme}://{where.registry}/{where.repository}:{tags[-1]}"
    return NotFound(
        f"{where.registry} has no tag {where.tag!r} of {where.repository}; there are: {', '.join(tags[-10:])}",
        suggestion=f"ipfs-accel model pull {other}",
    )


def unreachable(error: Unavailable, where: Place) -> Unavailable:
    """Return a registry's error with the command that shows whether it is up."""
    return Unavailable(error.detail, suggestion=f"curl -I {where.url.partition('/v2/')[0]}/v2/")


def _path(layer: Layer, what: str) -> str:
    """Name a layer's file: as the layer itself says, else by its kind, else by its digest."""
    kind = layer.media_type.removeprefix(_KIND)
    path = layer.name or _FILES.get(kind) or f"layer-{layer.digest[7:19]}"
    try:
        return normalise_path(path)
    except ValueError as error:
        raise UnsafeContent(f"{what} holds a file that would leave its folder: {error}") from error


def _free(path: str, taken: dict[str, RemoteFile]) -> str:
    """Return a path that is not taken: of several licences, say, the later ones get a number."""
    stem, dot, ending = path.rpartition(".")
    numbered = (f"{stem}-{number}{dot}{ending}" if dot else f"{path}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (path, *numbered) if name not in taken)
