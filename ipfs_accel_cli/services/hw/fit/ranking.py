"""Ranking models for a machine, with reasons for and against. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.fit.arithmetic import BITS
from ipfs_accel_cli.services.hw.fit.results import Fitted, Recommended, Speed

MODALITIES: dict[str, tuple[str, ...]] = {
    "text": (
        *("embed", "generate", "classify", "token-classify", "fill-mask", "rerank", "summarize", "translate", "answer"),
    ),
    "image": ("image-classify", "image-detect", "image-segment", "image-embed", "image-ocr", "image-generate"),
    "audio": ("audio-classify", "transcribe", "speak", "voice-detect"),
    "multimodal": ("caption", "ask", "pair-embed"),
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that can do the task: registered (`here`) or only known to the catalogue; `exact` names a version."""

    name: str
    exact: str
    here: bool
    tasks: tuple[str, ...]
    licence: str | None
    command: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks of a model."""

    task: str
    modality: str | None = None
    quantisation: str | None = None
    max_memory_bytes: int | None = None
    min_speed: float | None = None


def rank(wanted: Wanted, rows: Sequence[tuple[Candidate, Fitted | None, str]]) -> list[Recommended]:
    """Return the candidates best first: what fits and is here, then what is not known, then what does not fit.

    Among those that fit the faster comes first where speed is known, else the one with more parameters.
    """
    judged = [(_judged(wanted, *row), row[1]) for row in rows if _speaks(wanted, row[0])]
    judged.sort(key=lambda pair: _order(*pair))
    return [one.model_copy(update={"rank": at}) for at, (one, _) in enumerate(judged, 1)]


def check(wanted: Wanted) -> None:
    """Raise Invalid, with what is known, for a modality or a quantisation that nobody knows."""
    if wanted.modality is not None and wanted.modality not in MODALITIES:
        raise Invalid(f"no modality {wanted.modality!r} is known; known are {', '.join(MODALITIES)}")
    if wanted.quantisation is not None and wanted.quantisation not in BITS:
        raise Invalid(f"no quantisation {wanted.quantisation!r} is known; known are {', '.join(BITS)}")


def some(wanted: Wanted, models: list[Recommended], bring: str) -> list[Recommended]:
    """Return the models; raises NotFound, which suggests the command that brings one, where there are none."""
    if not models:
        told = f" with the modality {wanted.modality}" if wanted.modality else ""
        raise NotFound(f"no model that can {wanted.task}{told} is known", suggestion=bring, task=wanted.task)
    return models


def _speaks(wanted: Wanted, candidate: Candidate) -> bool:
    return wanted.modality is None or any(task in MODALITIES.get(wanted.modality, ()) for task in candidate.tasks)


def _order(one: Recommended, fitted: Fitted | None) -> tuple[object, ...]:
    known = {True: 0, None: 1, False: 2}[one.fits]
    parameters = fitted.parameters if fitted else 0
    return known, len(one.cons), not one.here, -(one.speed.tokens_s or 0.0), -parameters, one.model


def _judged(wanted: Wanted, candidate: Candidate, fitted: Fitted | None, why: str) -> Recommended:
    pros, cons = [], []
    if candidate.here:
        pros.append("it is here")
    else:
        cons.append("it has to be pulled first")
    if candidate.licence:
        pros.append(f"licence {candidate.licence}")
    if fitted is None:
        unknown = why or "its headers are not here, so what it needs is not known"
        cons.append(unknown)
        return _row(candidate, None, None, Speed(basis="unknown", reason=unknown), pros, cons)
    (pros if fitted.fits else cons).append(fitted.verdict)
    if wanted.quantisation and fitted.dtype != wanted.quantisation:
        cons.append(f"it is stored as {fitted.dtype}, not {wanted.quantisation}")
    if fitted.best_dtype and not fitted.fits:
        cons.append(f"it would fit as {fitted.best_dtype}")
    fits = fitted.fits
    if wanted.max_memory_bytes is not None and fitted.total_bytes > wanted.max_memory_bytes:
        fits = False
        cons.append(f"over the limit of {human_bytes(wanted.max_memory_bytes)}")
    speed = fitted.speed
    if wanted.min_speed is not None:
        if speed.tokens_s is None:
            cons.append(f"whether it makes {wanted.min_speed:g} tokens/s is not known: {speed.reason}")
        elif speed.tokens_s < wanted.min_speed:
            fits = False
            cons.append(f"{speed.tokens_s:g} tokens/s ({speed.basis}), fewer than {wanted.min_speed:g}")
        else:
            pros.append(f"{speed.tokens_s:g} tokens/s ({speed.basis})")
    return _row(candidate, fits, fitted.total_bytes, speed, pros, cons)


def _row(
    candidate: Candidate, fits: bool | None, total: int | None, speed: Speed, pros: list[str], cons: list[str]
) -> Recommended:
    return Recommended(
        rank=0,
        model=candidate.name,
        here=candidate.here,
        fits=fits,
        total_bytes=total,
        speed=speed,
        pros=pros,
        cons=cons,
        command=candidate.command,
    )
