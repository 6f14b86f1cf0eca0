"""Models from the Hugging Face Hub, or any server that HF_ENDPOINT names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core import fetch, hub
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Unavailable, UnsafeContent
from ipfs_accel_cli.core.hub import Listed, Repository
from ipfs_accel_cli.sources.base import Offer, RemoteFile, Snapshot
from ipfs_accel_cli.sources.reference import Reference

# The same weights once more, for other frameworks.
_DUPLICATES = (".bin", ".h5", ".msgpack", ".ot", ".pt", ".pth", ".ckpt", ".onnx", ".onnx_data", ".tflite", ".mlmodel")
_SEARCH_SECONDS = 10.0
_TOLD = ["sha", "pipeline_tag", "tags", "downloads", "likes", "gated", "createdAt"]
_DUPLICATE_FOLDERS = ("onnx", "openvino", "coreml")


class HubSource:
    """A hub as huggingface_hub sees it: its endpoint, its token (HF_TOKEN or the hub's own login), its naming."""

    name = "hf"

    def resolve(self, reference: Reference) -> Snapshot:
        """Pin a branch or tag to its commit and list that commit's files with their digests.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, Offline, and UnsafeContent for a path that leaves the
        folder.
        """
        current().needs_network(f"asking the hub for {reference.locator}")
        repository = Repository(reference.locator, revision=reference.revision)
        info, listing = hub.asked(repository, lambda: _listing(repository))
        if not info.sha:
            raise Unavailable(f"the hub names no commit of {reference.locator}")
        files = tuple(_files(repository, reference, info.sha, listing))
        facts = {"repository": reference.locator, "commit": info.sha}
        return Snapshot(reference.pinned(info.sha), info.sha, files, _licence(info), optional(files), facts)

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on; the token goes to the hub alone, not where it redirects to."""
        from huggingface_hub.utils import build_hf_headers

        yield from fetch.ranged(file.address, offset, file.path, headers=build_hf_headers())

    def search(self, text: str, limit: int) -> list[Offer]:
        """Return the models that the hub finds for some words, in its order; raises as `resolve` does."""
        current().needs_network("asking the hub for models")
        everything = Repository("a search of its models")
        try:
            return [_offer(info) for info in _searched(everything, text, limit)]
        except Exception as error:
            raise hub.meaning(everything, error) from error


def _searched(everything: Repository, text: str, limit: int) -> list[Any]:
    # list_models would ask again for a minute and a half, and somebody waits for what is here.
    from huggingface_hub import ModelInfo
    from huggingface_hub.utils import get_session, hf_raise_for_status

    asked = {"search": text, "limit": limit, "expand": _TOLD}
    address = f"{everything.api().endpoint}/api/models"
    answer = get_session().get(address, params=asked, headers=everything.headers(), timeout=_SEARCH_SECONDS)
    hf_raise_for_status(answer)
    return [ModelInfo(**{"siblings": None, **item}) for item in answer.json()]


def _offer(info: Any) -> Offer:
    tags = [str(tag) for tag in info.tags or ()]
    return Offer(
        reference=f"hf://{info.id}",
        revision=info.sha or "",
        task=info.pipeline_tag or "",
        licence=next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), ""),
        tags=tuple(tag for tag in tags if ":" not in tag),
        downloads=info.downloads,
        likes=info.likes,
        added_at=info.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if info.created_at else "",
        gated=bool(info.gated),
    )


def _listing(repository: Repository) -> tuple[Any, list[Listed]]:
    api = repository.api()
    info = api.model_info(repository.name, revision=repository.revision)
    entries = api.list_repo_tree(repository.name, recursive=True, revision=info.sha)
    return info, list(hub.listed(entries))


def _files(repository: Repository, reference: Reference, commit: str, listing: list[Listed]) -> Iterator[RemoteFile]:
    prefix = f"{reference.subfolder}/" if reference.subfolder else ""
    for entry in listing:
        if not entry.path.startswith(prefix):
            continue
        try:
            path = normalise_path(entry.path.removeprefix(prefix))
        except ValueError as error:
            raise UnsafeContent(f"{reference.locator} holds a file that would leave its folder: {error}") from error
        address = repository.address(entry.path, commit)
        yield RemoteFile(path, entry.size_bytes, entry.sha256, entry.git_sha1, address)


def optional(files: tuple[RemoteFile, ...]) -> frozenset[str]:
    """Return the paths that only repeat the safetensors weights in another form."""
    if not any(file.path.endswith(".safetensors") for file in files):
        return frozenset()
    return frozenset(
        file.path
        for file in files
        if file.path.endswith(_DUPLICATES) or (file.path.partition("/")[0] in _DUPLICATE_FOLDERS and "/" in file.path)
    )


def _licence(info: Any) -> str | None:
    stated = info.card_data.get("license") if info.card_data else None
    tagged = next((tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:")), None)
    return stated if isinstance(stated, str) else tagged
