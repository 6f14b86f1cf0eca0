"""A smaller model of a model: made in a folder of its own, compared, and only then registered."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import Conflict, Invalid, VerificationFailed
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.space import check_space
from ipfs_accel_cli.engines.base import Loadable, ModelFacts
from ipfs_accel_cli.services.model import tables
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.lineage import QUANTIZATION
from ipfs_accel_cli.services.model.loadable import of_folder, of_known
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.services.model.materialise import Folders
from ipfs_accel_cli.services.model.pull import held
from ipfs_accel_cli.services.model.quantize_results import Quality, Quantized, Speed
from ipfs_accel_cli.services.model.register import Registered, Registration, register
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot
from ipfs_accel_cli.sources.reference import Reference, check_name

LEAST_QUALITY = 0.98
# What a statement and the result both hold.
_SHOWN = (
    *("method", "task", "engine", "threads", "device", "parents", "samples_cid", "machine_id", "versions"),
    *("original_peak_bytes", "quantized_peak_bytes"),
)
_FRONT = re.compile(r"\s*---\r?\n(.*?)\r?\n---", re.DOTALL)


class Workshop(Protocol):
    """Where models are quantised and compared; the node hands it over."""

    def task(self, model: ModelFacts, method: str) -> str: ...
    def make(self, model: Loadable, task: str, method: str, target: Path) -> Mapping[str, Any]: ...
    def compare(
        self, original: Loadable, made: Loadable, task: str, method: str, samples: Sequence[str]
    ) -> Mapping[str, Any]: ...
    def samples(self, file: Path | None) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Quantizer:
    """Quantises the models of one home."""

    home: Home
    store: Store
    registry: tables.Tables
    lookup: Lookup
    folders: Folders

    def quantize(
        self,
        name: str,
        workshop: Workshop,
        method: str,
        *,
        new_name: str | None = None,
        samples: Path | None = None,
        least: float = LEAST_QUALITY,
    ) -> Quantized:
        """Make a model with weights of fewer bits, measure it beside the original, and register it.

        Raises VerificationFailed, with the figures, when its quality is less than `least`; then nothing is registered.
        Else as `Engine.load`, and Conflict for a name that is an alias, Invalid for samples that cannot be read.
        """
        if not 0 <= least <= 1:
            raise Invalid(f"--min-quality lies between 0 and 1, not at {least}")
        known = self.lookup.describe(self.lookup.find(name))
        chosen = self._free_name(new_name or f"{known.named.name}-{'-'.join(reversed(method.split('-')))}")
        original = of_known(known, self.folders.folder(known.manifest))
        task = workshop.task(original.facts, method)
        texts = workshop.samples(samples)
        with held(self.home, f"quantize-{method}-{known.named.manifest[-24:]}") as folder:
            target = folder / "made"
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            try:
                check_space(folder, known.manifest.size_bytes)
                made = dict(workshop.make(original, task, method, target))
                _card(target, known, method)
                small = of_folder(target, chosen)
                compared = workshop.compare(original, small, task, method, texts)
                check_quality(compared, least, known.named.name, method)
                body = _body(known, method, task, made, compared, texts)
                return self._register(known, chosen, target, body, small.facts)
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _register(self, known: Known, name: str, target: Path, body: dict[str, Any], small: ModelFacts) -> Quantized:
        paths = {file: target / file for file in small.files}
        files = tuple(RemoteFile(file, path.stat().st_size, local=path) for file, path in paths.items())
        snapshot = Snapshot(Reference("ipfs", ""), "", files)
        done = register(self.store, snapshot, paths, Registration(name, "", made={QUANTIZATION: body}))
        return self._shown(known, done, body, small)

    def _shown(self, known: Known, done: Registered, body: dict[str, Any], small: ModelFacts) -> Quantized:
        now = self.lookup.describe(done.named)
        statement = next(cid for kind, cid, said in now.statements if kind == QUANTIZATION and said == body)
        share = small.weight_bytes / known.facts.weight_bytes
        return Quantized(
            name=done.named.name,
            version=done.named.version,
            manifest_cid=done.named.manifest,
            root_cid=str(now.manifest.root),
            new=done.new,
            original=known.named.name,
            original_weight_bytes=known.facts.weight_bytes,
            weight_bytes=small.weight_bytes,
            size_share=round(share, 4),
            statement_cid=statement,
            quality=Quality.model_validate(body["quality"]),
            speed=[Speed.model_validate(one) for one in body["speed"]],
            **{key: body[key] for key in _SHOWN},
        )

    def _free_name(self, name: str) -> str:
        chosen = check_name(name)
        if chosen in self.registry.aliases():
            raise Conflict(f"{chosen!r} is an alias already", suggestion="--name ANOTHER")
        return chosen


def check_quality(compared: Mapping[str, Any], least: float, name: str, method: str) -> None:
    """Raise VerificationFailed for a quality below `least`, and where any figure of it is no finite number."""
    quality = compared["quality"]
    broken = [key for key, one in quality.items() if isinstance(one, float) and not math.isfinite(one)]
    if broken:
        raise VerificationFailed(
            f"{name} as {method} cannot be compared: {', '.join(broken)} is no finite number; nothing was registered"
        )
    if quality["quality"] >= least:
        return
    command = f"ipfs-accel model quantize {name}"
    lower = f"{command} --method {method} --min-quality {math.floor(quality['quality'] * 1000) / 1000}"
    raise VerificationFailed(
        f"{name} as {method} answers too differently: {quality['measure']} {quality['quality']:.4f}, and {least:g} is"
        " asked for; nothing was registered",
        suggestion=f"{command} --method torch-int8" if method == "onnx-int8" else lower,
        **compared,
    )


def _body(
    known: Known,
    method: str,
    task: str,
    made: Mapping[str, Any],
    compared: Mapping[str, Any],
    texts: Sequence[str],
) -> dict[str, Any]:
    """Return what is said of the new model. CIDs stand as text: what was made does not keep what it was made of."""
    lines = "".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts)
    samples = str(CID.of(lines.encode()))
    return {
        "parents": [known.named.manifest],
        "method": method,
        "task": task,
        "samples_cid": samples,
        "at": tables.now(),
        **made,
        **compared,
    }


def _card(folder: Path, known: Known, method: str) -> None:
    """Write a model card that says what this is, above the original's own; the same for the same files."""
    path = folder / "README.md"
    before = path.read_text("utf-8", "replace") if path.exists() else ""
    front = _FRONT.match(before)
    kept = before[front.end() :].strip() if front else before.strip()
    head = f"---\nlicense: {known.licence}\n---\n\n" if known.licence else ""
    text = (
        f"{head}# Quantised: {method}\n\nMade with `ipfs-accel model quantize` of the model with the manifest"
        f" `{known.named.manifest}`.\nWhat its answers and speed were, beside those of the original, is in its"
        " statement `quantization`.\n"
    )
    path.write_text(text + (f"\n## The card of the original\n\n{kept}\n" if kept else ""), "utf-8")
