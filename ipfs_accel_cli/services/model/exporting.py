"""Handing a model on: as one CAR file, or as files in a layout that another program reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ipfs_accel_cli.core.errors import Conflict, Invalid, VerificationFailed
from ipfs_accel_cli.services.model import layouts, leaving
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.layouts import Written
from ipfs_accel_cli.services.model.lookup import Known
from ipfs_accel_cli.services.model.results import Exported

CAR = "car"
_WRITERS: dict[str, Callable[[Store, Known, Path], Written]] = {
    "plain": layouts.plain,
    "hf": layouts.hub,
    "ollama": layouts.ollama,
}


def export(store: Store, known: Known, output: Path, layout: str | None) -> Exported:
    """Write a model; without a layout into a folder that is there as plain files, else to a CAR file.

    Raises Conflict for what is there and differs, VerificationFailed for a file that is damaged in the store,
    UnsupportedContent for a model that a layout cannot hold, Invalid for an unknown layout, and DiskFull.
    """
    chosen = layout or ("plain" if output.is_dir() else CAR)
    if chosen == CAR:
        return _car(store, known, output)
    if chosen not in _WRITERS:
        raise Invalid(f"no layout {chosen!r}; there are: {', '.join((CAR, *_WRITERS))}")
    if output.exists() and not output.is_dir():
        raise Conflict(f"{output} is a file, and {chosen} needs a folder")
    written = _WRITERS[chosen](store, known, output)
    return Exported(
        path=str(written.path),
        layout=chosen,
        roots=[known.named.manifest],
        blocks=0,
        files=written.files,
        size_bytes=written.size_bytes,
        unchanged=written.unchanged,
    )


def _car(store: Store, known: Known, output: Path) -> Exported:
    """Write the manifest and what travels of its statements as roots, and the files."""
    said = leaving.passport_of(store, known).statements
    try:
        written = store.export_car([known.manifest.cid, *(one.cid for one in said)], output)
    except VerificationFailed as error:
        raise _damaged(known, error) from error
    return Exported(
        path=written.path,
        layout=CAR,
        roots=written.roots,
        blocks=written.blocks,
        files=len(known.manifest.files),
        size_bytes=written.size_bytes,
        unchanged=written.unchanged,
    )


def _damaged(known: Known, error: VerificationFailed) -> VerificationFailed:
    """Name the file that a damaged block belongs to, and the command that mends it."""
    files = {entry.sha256.hex(): entry.path for entry in known.manifest.files}
    hurt = sorted({files[one["object"]] for one in error.errors if one.get("object") in files})
    told = ", ".join(hurt) or known.named.exact
    detail = error.errors[0]["detail"] if error.errors else error.detail
    return VerificationFailed(
        f"{told} is damaged in the store, and nothing was written: {detail}",
        suggestion=f"ipfs-accel model repair {known.named.exact}",
        errors=error.errors,
    )
