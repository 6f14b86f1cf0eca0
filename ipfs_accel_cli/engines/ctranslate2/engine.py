"""The CTranslate2 engine, on the processor: Whisper as it was converted, and translators that are converted here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import ctranslate2
from tokenizers import Tokenizer

from ipfs_accel_cli.core.errors import DoesNotFit, MalformedContent, MissingExtra, UnsupportedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.ctranslate2.whisper import WhisperSession
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.threads import threads
from ipfs_accel_cli.formats import ctranslate2 as format_of
from ipfs_accel_cli.formats.reading import FileReader

# Nothing here imports transformers or torch unless a model is to be converted: to load them takes seconds.

WORKING_BYTES = 256 << 20
TOKENIZER = "tokenizer.json"
DTYPE = "int8"
REWRITING = frozenset({"translate", "summarize"})
# Weights in 8 bits, the rest in float32: plain int8 keeps float16 where the file has it, which this is faster than.
_COMPUTED = {DTYPE: "int8_float32"}
# Encoder-decoders that the library converts, of those that are known here.
_CONVERTED = frozenset({"bart", "m2m_100", "marian", "mbart", "mt5", "nllb", "pegasus", "t5", "umt5"})
_FLOAT32_BYTES = 4
# Raised whenever models are converted another way, so that older ones are not taken for them.
_RECIPE = 1


class CTranslate2Engine:
    """Runs Whisper models that come as model.bin without torch, and translators in float32 once torch has read them."""

    name = "ctranslate2"
    dtype = "float32"
    whisper = True

    def devices(self) -> tuple[Device, ...]:
        """Return the processor, the only device that is offered here."""
        return (Device("cpu"),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run in memory, else 0.

        Whisper 0.9, where torch says 0.8; a translator 0.7, so that only a measurement puts it before torch, but 0.9
        where it comes as model.bin.
        """
        problem = _unsupported(model)
        if problem or (model.model_type == "whisper" and not self.whisper):
            why = problem or f"a Whisper is run by the engine {CTranslate2Engine.name}, in 8 bits"
            return Fit(0, 0, why, supported=False)
        dtype, score = (DTYPE, 0.9) if model.model_type == "whisper" else (self.dtype, self._score(model))
        free = machine.memory_available_bytes
        needed = _needed(model, dtype)
        reason = f"{human_bytes(needed)} while it is read, {human_bytes(free)} are free"
        count = threads(machine.cores, machine.busy_cores)
        return Fit(score if needed <= free else 0.0, needed, reason, dtype=dtype, threads=count)

    def kind(self, task: str) -> str:
        """Name the converted model of a task."""
        return f"ctranslate2-{task}-{_RECIPE}"

    def own(self, model: ModelFacts) -> str:
        """Name the converted model that a model consists of."""
        return format_of.FILE if model.model_type in ("whisper", "ctranslate2") else ""

    def derive(self, model: ModelFacts, files: Path, task: str, target: Path) -> Mapping[str, str | int | float]:
        """Convert the model with torch; raises MissingExtra where torch or transformers is not installed."""
        try:
            from ipfs_accel_cli.engines.ctranslate2.convert import convert
        except ImportError as error:
            raise MissingExtra(
                f"converting for ctranslate2 needs {error.name or error}, which is not installed",
                suggestion="pip install 'ipfs-accel[ctranslate2]'",
            ) from error
        if task not in REWRITING:
            raise UnsupportedContent(f"ctranslate2 converts nothing here to {task}")
        return convert(model, files, task, self.dtype, target)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Load the model in the plan's dtype, `int8` or `float32`; see the contract for what it raises."""
        choose_device(plan.device, self.devices())
        if plan.task in REWRITING:
            from ipfs_accel_cli.engines.ctranslate2.loading import load

            return load(model, files, replace(plan, dtype=self.dtype))
        header = format_of.header(FileReader(files / format_of.FILE, format_of.FILE))
        if header.spec != "WhisperSpec":
            raise UnsupportedContent(f"{model.name} is a {header.spec}, which does not {plan.task} here")
        dtype = plan.dtype if plan.dtype in (DTYPE, "float32") else DTYPE
        try:
            tokenizer = Tokenizer.from_file(str(files / TOKENIZER))
            network = ctranslate2.models.Whisper(
                str(files),
                device="cpu",
                compute_type=_COMPUTED.get(dtype, dtype),
                intra_threads=max(1, plan.threads),
                inter_threads=1,
            )
        except MemoryError as error:
            raise DoesNotFit(f"{model.name} needs more memory than there is") from error
        except Exception as error:
            # Both libraries raise what they like, Exception itself among it.
            raise MalformedContent(f"{model.name} cannot be loaded: {' '.join(str(error).split())[:200]}") from error
        return WhisperSession(model.name, network, tokenizer)

    def _score(self, model: ModelFacts) -> float:
        return 0.9 if model.model_type == "ctranslate2" else 0.7


class Int8Engine(CTranslate2Engine):
    """The same with the weights of translators in 8 bits, refused where it writes otherwise than torch."""

    name = "ctranslate2-int8"
    dtype = DTYPE
    whisper = False

    def kind(self, task: str) -> str:
        """Name the converted model of a task, in 8 bits."""
        return f"{super().kind(task)}-int8"

    def _score(self, model: ModelFacts) -> float:
        return 0.6


def _needed(model: ModelFacts, dtype: str) -> int:
    """Return the bytes while a model is read as stored, and then held as it is computed with."""
    parameters = model.parameters or model.weight_bytes // _FLOAT32_BYTES
    if model.model_type == "whisper":
        return model.weight_bytes + parameters + WORKING_BYTES
    held = parameters if dtype == DTYPE else parameters * _FLOAT32_BYTES
    return max(2 * held, model.weight_bytes) + WORKING_BYTES


def _unsupported(model: ModelFacts) -> str:
    """Say why this engine cannot run a model, or nothing."""
    name = ", ".join(model.architectures) or model.model_type or "the model"
    if model.model_type in _CONVERTED:
        if not REWRITING & set(model.tasks):
            return f"{name} neither translates nor summarizes"
        weights = any(file.endswith((".safetensors", ".bin")) for file in model.files)
        return "" if weights and model.dtype != "int8" else "no safetensors or .bin weights to convert"
    if model.model_type == "ctranslate2" and REWRITING & set(model.tasks):
        return "" if TOKENIZER in model.files else f"{TOKENIZER} is not among its files"
    if model.model_type != "whisper":
        return f"{name} is neither Whisper nor a translator, the networks that ctranslate2 is used for"
    if format_of.FILE not in model.files:
        return f"{format_of.FILE} is not among its files: ctranslate2 runs a Whisper that was converted for it"
    return "" if TOKENIZER in model.files else f"{TOKENIZER} is not among its files"
