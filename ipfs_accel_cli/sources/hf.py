"""Models from the Hugging Face Hub, or any server that HF_ENDPOINT names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core import fetch
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, NotAuthorised, NotFound, TryAgain, Unavailable, UnsafeContent
from ipfs_accel_cli.core.http import retry_after
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot
from ipfs_accel_cli.sources.reference import Reference

# The same weights once more, for other frameworks.
_DUPLICATES = (".bin", ".h5", ".msgpack", ".ot", ".pt", ".pth", ".ckpt", ".onnx", ".onnx_data", ".tflite", ".mlmodel")
_DUPLICATE_FOLDERS = ("onnx", "openvino", "coreml")


class HubSource:
    """A hub as huggingface_hub sees it: its endpoint, its token (HF_TOKEN or the hub's own login), its naming."""

    name = "hf"

    def resolve(self, reference: Reference) -> Snapshot:
        """Pin a branch or tag to its commit and list that commit's files with their digests.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, Offline, and UnsafeContent for a path that leaves the
        folder.
        """
        return patiently(lambda: self._ask(reference))

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on; the token goes to the hub alone, not where it redirects to."""
        from huggingface_hub.utils import build_hf_headers

        yield from fetch.ranged(file.address, offset, file.path, headers=build_hf_headers())

    def _ask(self, reference: Reference) -> Snapshot:
        from huggingface_hub import HfApi

        current().needs_network(f"asking the hub for {reference.locator}")
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        try:
            info = api.model_info(reference.locator, revision=reference.revision)
            listing = list(api.list_repo_tree(reference.locator, recursive=True, revision=info.sha))
        except Exception as error:
            raise meaning(reference, error) from error
        if not info.sha:
            raise Unavailable(f"the hub names no commit of {reference.locator}")
        files = tuple(_files(api.endpoint, reference, info.sha, listing))
        facts = {"repository": reference.locator, "commit": info.sha}
        return Snapshot(reference.pinned(info.sha), info.sha, files, _licence(info), optional(files), facts)


def _files(endpoint: str, reference: Reference, commit: str, listing: list[Any]) -> Iterator[RemoteFile]:
    from huggingface_hub import hf_hub_url

    prefix = f"{reference.subfolder}/" if reference.subfolder else ""
    for entry in listing:
        if not hasattr(entry, "size") or not entry.path.startswith(prefix):
            continue
        try:
            path = normalise_path(entry.path.removeprefix(prefix))
        except ValueError as error:
            raise UnsafeContent(f"{reference.locator} holds a file that would leave its folder: {error}") from error
        lfs = getattr(entry, "lfs", None)
        yield RemoteFile(
            path,
            entry.size,
            bytes.fromhex(lfs.sha256) if lfs else None,
            None if lfs else entry.blob_id,
            hf_hub_url(reference.locator, entry.path, revision=commit, endpoint=endpoint),
        )


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


def meaning(reference: Reference, error: Exception) -> AccelError:
    """Return our error for what huggingface_hub raised."""
    from huggingface_hub import errors as hub

    status = getattr(getattr(error, "response", None), "status_code", None)
    at = f" at revision {reference.revision}" if reference.revision else ""
    if isinstance(error, hub.GatedRepoError) or status == 403:
        return NotAuthorised(f"the hub grants no access to {reference.locator}", suggestion="hf auth login")
    if isinstance(error, hub.RevisionNotFoundError):
        return NotFound(f"{reference.locator} has no revision {reference.revision!r}")
    if (isinstance(error, hub.RepositoryNotFoundError) and status != 401) or status == 404:
        return NotFound(f"the hub has no model {reference.locator}{at}, or hides it", suggestion="hf auth login")
    if status == 401:
        return NotAuthorised(f"the hub wants a valid token for {reference.locator}", suggestion="hf auth login")
    if status == 429 or (status is not None and status >= 500):
        wait = retry_after(error.response.headers.get("retry-after", ""), datetime.now(UTC))  # type: ignore[attr-defined]
        context: dict[str, Any] = {"retry_after_s": wait} if wait is not None else {}
        return TryAgain(f"the hub answers {status} for {reference.locator}", **context)
    if isinstance(error, hub.HFValidationError):
        return NotFound(f"{reference.locator!r} is no name that a hub could have: {error}")
    return Unavailable(f"the hub cannot be reached for {reference.locator}: {error or type(error).__name__}")
