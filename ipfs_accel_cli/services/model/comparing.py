"""Comparing two models: their files, the settings in their JSON files, and their tensors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.formats.tensors import Tensor
from ipfs_accel_cli.services.model.compare_results import Difference, FileChange, KeyChange, TensorChange
from ipfs_accel_cli.services.model.facts import read_json
from ipfs_accel_cli.services.model.inspecting import digest_of, tensors_of
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.services.model.subject import Subject

# Vocabularies have a hundred thousand keys, and a change in one says nothing by its name.
_VOCABULARIES = ("tokenizer.json", "vocab.json", "added_tokens.json")
_ABSENT = object()


def difference(before: Subject, after: Subject, one: Known, other: Known, *, read: bool) -> Difference:
    """Compare two registered models; `read` also compares the bytes of tensors in files that differ."""
    old = {entry.path: entry for entry in one.manifest.files}
    new = {entry.path: entry for entry in other.manifest.files}
    same = [path for path, entry in new.items() if path in old and old[path].sha256 == entry.sha256]
    changed = set(old) ^ set(new) | {path for path in set(old) & set(new) if path not in same}
    tensors, same_tensors = _tensors(before, after, changed, read=read)
    return Difference(
        before=one.named.manifest,
        after=other.named.manifest,
        identical=one.named.manifest == other.named.manifest,
        same_files=len(same),
        same_bytes=sum(new[path].size_bytes for path in same),
        files=list(_files(old, new, changed)),
        keys=list(_keys(before, after, changed & set(old) & set(new))),
        tensors=tensors,
        same_tensors=same_tensors,
    )


def changed_files(one: Manifest, other: Manifest) -> tuple[list[FileChange], int]:
    """Return the files that are not equal in two models, and how many are."""
    old = {entry.path: entry for entry in one.files}
    new = {entry.path: entry for entry in other.files}
    same = {path for path in set(old) & set(new) if old[path].sha256 == new[path].sha256}
    return list(_files(old, new, (set(old) | set(new)) - same)), len(same)


def _files(old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> Iterator[FileChange]:
    left = {old[path].sha256: path for path in sorted(changed) if path in old and path not in new}
    moved = {path: left[new[path].sha256] for path in changed if path not in old and new[path].sha256 in left}
    for path in sorted(changed - set(moved.values())):
        before, after = old.get(moved.get(path, path)), new.get(path)
        change = "moved" if path in moved else "added" if before is None else "removed" if after is None else "changed"
        yield FileChange.model_validate(
            {
                "path": path,
                "change": change,
                "before_bytes": before.size_bytes if before else None,
                "after_bytes": after.size_bytes if after else None,
                "moved_from": moved.get(path),
            }
        )


def _keys(before: Subject, after: Subject, paths: set[str]) -> Iterator[KeyChange]:
    for path in sorted(paths):
        if not path.endswith(".json") or path.rpartition("/")[2] in _VOCABULARIES:
            continue
        try:
            old, new = _flat(read_json(before.files, path)), _flat(read_json(after.files, path))
        except MalformedContent:
            # It is told as a changed file; what is no JSON has no keys.
            continue
        for key in sorted(old.keys() | new.keys()):
            left, right = old.get(key, _ABSENT), new.get(key, _ABSENT)
            # 1 and true are equal to Python, and two things in a configuration.
            if left is _ABSENT or right is _ABSENT or json.dumps(left) != json.dumps(right):
                yield KeyChange(
                    file=path,
                    key=key,
                    change="added" if left is _ABSENT else "removed" if right is _ABSENT else "changed",
                    before=None if left is _ABSENT else left,
                    after=None if right is _ABSENT else right,
                )


def _flat(value: Any) -> dict[str, Any]:
    """Return the values of nested objects by their paths; lists are values."""
    found: dict[str, Any] = {}
    waiting = [("", value)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, dict) and inner:
            waiting += [(f"{path}.{key}" if path else str(key), part) for key, part in inner.items()]
        else:
            found[path] = inner
    return found


def _tensors(
    before: Subject, after: Subject, changed: set[str], *, read: bool
) -> tuple[list[TensorChange], int | None]:
    """Compare tensors by name across the files that differ; those of equal files are the same."""
    old, new = _named(before, changed), _named(after, changed)
    rows: list[TensorChange] = []
    same = 0
    for name in sorted(old.keys() | new.keys()):
        current().check()
        left, right = old.get(name), new.get(name)
        if left and right and _kind(left[1]) == _kind(right[1]):
            if not read:
                continue
            digests = [digest_of(owner.files[path], one) for owner, (path, one) in ((before, left), (after, right))]
            if digests[0] is not None and digests[0] == digests[1]:
                same += 1
                continue
        rows.append(
            TensorChange(
                name=name,
                change="added" if left is None else "removed" if right is None else "changed",
                before=_kind(left[1]) if left else None,
                after=_kind(right[1]) if right else None,
            )
        )
    return rows, same if read else None


def _named(subject: Subject, paths: set[str]) -> dict[str, tuple[str, Tensor]]:
    found: dict[str, tuple[str, Tensor]] = {}
    for path in sorted(paths & set(subject.files)):
        try:
            found |= {tensor.name: (path, tensor) for tensor in tensors_of(path, subject.files[path])}
        except (MalformedContent, UnsupportedContent):
            continue
    return found


def _kind(tensor: Tensor) -> str:
    return f"{tensor.dtype} {list(tensor.shape)}"
