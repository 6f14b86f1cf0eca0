"""What one service tells another: the node hands these over, since services do not know each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.hw.fit.service import Fits
from ipfs_accel_cli.services.hw.fit.speeds import Figure
from ipfs_accel_cli.services.infer.bench.kept import Kept
from ipfs_accel_cli.services.infer.calibrating import Calibrations
from ipfs_accel_cli.services.model.deploy.config import Deployment
from ipfs_accel_cli.services.model.deploy.results import Estimate
from ipfs_accel_cli.services.model.evaluating.perf import Speed
from ipfs_accel_cli.services.search.supply import Encoder, ModelAbout, StoredContent

if TYPE_CHECKING:
    import numpy

    from ipfs_accel_cli.engines.exchange.text import Role
    from ipfs_accel_cli.extractors.base import Document, Fact
    from ipfs_accel_cli.services.infer.asking import Asking
    from ipfs_accel_cli.services.infer.inference import Inference
    from ipfs_accel_cli.services.model.results import ModelRow
    from ipfs_accel_cli.services.model.service import Models
    from ipfs_accel_cli.services.store.store import Store

_CARDS = ("README.md", "README.txt", "README")


def estimated(fits: Fits, folder: Path, config: Deployment) -> Estimate:
    """Say whether a deployment fits this machine, as far as the headers of its files tell."""
    path = folder / config.file if config.file else folder
    device = None if config.device == "auto" else config.device
    try:
        found = fits.fit(
            str(path),
            context=config.context,
            batch=config.parallel or 1,
            dtype=config.dtype,
            kv_dtype=config.kv_dtype,
            device=device,
            limit_bytes=config.memory_limit_bytes,
            strict=False,
        )
    except AccelError as error:
        return Estimate(verdict=f"unknown, because {error.detail}")
    return Estimate(
        fits=found.fits, total_bytes=found.total_bytes, budget_bytes=found.budget_bytes, verdict=found.verdict
    )


def speeds(fits: Fits, database: Database, manifest: str, folder: Callable[[], Path]) -> Iterator[Speed]:
    """Yield what other services measured of a model: runs with statistics, `hw fit --measure`, benchmarks."""
    about: dict[str, object]
    for one in _fitted(fits, folder):
        machine = machine_id() if one.here else one.machine
        name = "increment_bytes" if one.kind == "memory" else one.unit.replace("/", "_")
        about = {"context": one.context, "batch": one.batch}
        yield Speed(machine, one.engine, one.device, one.dtype, name, one.value, one.at, "measured run", about)
    for machine, task, found in Calibrations(database).all(manifest):
        for trial in found.trials:
            if trial.rate is not None:
                about = {"task": task, "threads": trial.threads, "chosen": trial.chosen}
                yield Speed(
                    *(machine, trial.engine, trial.device or "cpu", "", trial.figure, trial.rate),
                    *(found.measured_at, "calibration", about),
                )
    yield from _benched(database, manifest)


def _fitted(fits: Fits, folder: Callable[[], Path]) -> list[Figure]:
    try:
        return fits.measured(folder())
    except AccelError:
        # Whoever measures whether a model fits reads its headers first; of what has none, nothing was ever measured.
        return []


def _benched(database: Database, manifest: str) -> Iterator[Speed]:
    for run, test in Kept(database).of_model(manifest):
        where = (run.machine_id, test.engine, test.device, test.dtype)
        about = {"test": test.test, "threads": test.threads, "run": run.id}
        for row in test.figures:
            if row.median is not None:
                timed = f"{row.name}_s" if row.unit == "seconds" else row.name
                name = row.unit.replace("/", "_") if row.name == "rate" else timed
                yield Speed(*where, name, row.median, run.started_at, "benchmark", about)
        if test.peak_memory_bytes is not None:
            yield Speed(*where, "peak_memory_bytes", test.peak_memory_bytes, run.started_at, "benchmark", about)


def described(models: Models, store: Store, manifest: str) -> ModelAbout | None:
    """Return a model as a document: what its registration says, and its card; None where it is not registered."""
    from ipfs_accel_cli.extractors.base import Document

    rows = [row for row in models.ls().models if manifest in (row.manifest_cid, row.name)]
    if not rows:
        return None
    newest = rows[0]
    card = _card(store, newest)
    facts = {**(card.facts if card else {}), **_facts(rows)}
    names = tuple(dict.fromkeys(row.name for row in rows))
    document = Document("model", newest.name, card.text if card else "", facts)
    return ModelAbout(document, newest.size_bytes, newest.created_at, names, newest.root_cid)


def _facts(rows: Sequence[ModelRow]) -> dict[str, Fact]:
    newest = rows[0]
    aliases = tuple(alias for row in rows for alias in row.aliases)
    found: dict[str, Fact] = {
        "name": tuple(dict.fromkeys((*(row.name for row in rows), *aliases))),
        "task": tuple(newest.tasks),
        "architecture": tuple(newest.architectures),
        "dtype": newest.dtype,
        "licence": newest.licence or "",
        "reference": tuple(dict.fromkeys(row.reference for row in rows)),
        "root": newest.root_cid,
        **{f"meta.{key}": value for key, value in newest.meta.items()},
    }
    if newest.parameters is not None:
        found["parameters"] = newest.parameters
    return {name: value for name, value in found.items() if value not in ("", ())}


def _card(store: Store, row: ModelRow) -> Document | None:
    from ipfs_accel_cli.extractors.base import Limits
    from ipfs_accel_cli.extractors.registry import extract

    for name in _CARDS:
        try:
            with closing(store.content(f"{row.root_cid}/{name}")) as opened:
                return extract(StoredContent(opened, name), Limits())
        except AccelError:
            continue
    return None


@dataclass(frozen=True, slots=True)
class _Encoding:
    """A loaded model that the search asks."""

    model: str
    model_cid: str
    asking: Asking

    def embed(self, texts: Sequence[str], role: Role) -> numpy.ndarray[Any, Any]:
        """Return a vector for each text."""
        return self.asking.rows(texts, role)


@contextmanager
def encoding(inference: Inference, model: str | None) -> Iterator[Encoder]:
    """Load the model of a name or CID, or the default one, to make vectors with; raises what loading raises."""
    loadable = inference.opener.find(model, "embed")
    with inference.asking(loadable.facts.manifest or loadable.facts.name, "embed") as asking:
        yield _Encoding(loadable.facts.name, loadable.facts.manifest or loadable.facts.name, asking)
