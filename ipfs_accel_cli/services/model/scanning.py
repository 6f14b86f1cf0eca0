"""Scanning all files of a model and telling everything that was found, not only the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent, NotFound, UnsafeContent
from ipfs_accel_cli.services.model.facts import read_json
from ipfs_accel_cli.services.model.pickles import Found
from ipfs_accel_cli.services.model.scan import examine
from ipfs_accel_cli.services.model.scan_results import Scanned, ScannedFile
from ipfs_accel_cli.services.model.subject import Subject

MAX_ERRORS = 1000


def scan_all(subject: Subject) -> Scanned:
    """Look at every file; raises UnsafeContent with all evidence, and NotFound when a file of the model is lost."""
    for name, problem in subject.missing.items():
        raise NotFound(f"{name} cannot be scanned: {problem}", suggestion=f"ipfs-accel model repair {subject.exact}")
    rows: list[ScannedFile] = []
    found: list[Found] = []
    for done, (name, path) in enumerate(sorted(subject.files.items())):
        current().progress(done, len(subject.files), f"Scanning {name}")
        report = examine(name, path)
        found += report.found
        rows.append(
            ScannedFile(path=name, form=report.form, size_bytes=path.stat().st_size, callables=sorted(report.callables))
        )
    if found:
        _refuse(subject, found)
    return Scanned(
        name=subject.name,
        manifest_cid=str(subject.known.manifest.cid) if subject.known else None,
        size_bytes=sum(row.size_bytes for row in rows),
        files=rows,
        notes=list(_notes(subject.files)),
    )


def _refuse(subject: Subject, found: list[Found]) -> None:
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    raise UnsafeContent(
        f"{found[0].detail}{more}",
        suggestion="use a safetensors version of the model",
        errors=[_evidence(one) for one in found[:MAX_ERRORS]],
        model=subject.name,
        found=len(found),
    )


def _evidence(found: Found) -> dict[str, str]:
    evidence = {"pointer": found.file, "detail": found.detail, "kind": found.kind}
    evidence |= {"offset": str(found.offset)} if found.offset is not None else {}
    return evidence | ({"global": found.callable} if found.callable else {})


def _notes(files: Mapping[str, Path]) -> Iterator[str]:
    for name in sorted(files):
        if name.endswith(".py"):
            yield f"{name} is Python code; nothing here runs it"
    try:
        config = read_json(files, "config.json")
    except MalformedContent as error:
        yield error.detail
        return
    if isinstance(config, dict) and config.get("auto_map"):
        yield "config.json names code of the repository (auto_map), which transformers runs only with trust_remote_code"
