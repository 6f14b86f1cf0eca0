"""The CTranslate2 engine: Whisper as it converted it, on the processor, computed in 8 bits."""

from __future__ import annotations

from pathlib import Path

import ctranslate2
from tokenizers import Tokenizer

from ipfs_accel_cli.core.errors import DoesNotFit, MalformedContent, UnsupportedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.ctranslate2.whisper import WhisperSession
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.threads import threads
from ipfs_accel_cli.formats import ctranslate2 as format_of
from ipfs_accel_cli.formats.reading import FileReader

WORKING_BYTES = 256 << 20
TOKENIZER = "tokenizer.json"
DTYPE = "int8"
# Weights in 8 bits, the rest in float32: plain int8 keeps float16 where the file has it, which this is faster than.
_COMPUTED = {DTYPE: "int8_float32"}


class CTranslate2Engine:
    """Runs Whisper models that come as model.bin, and has no need of torch or transformers."""

    name = "ctranslate2"

    def devices(self) -> tuple[Device, ...]:
        """Return the processor, the only device that is offered here."""
        return (Device("cpu"),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 0.9 in memory, where torch says 0.8, else 0."""
        problem = _unsupported(model)
        if problem:
            return Fit(0, 0, problem, supported=False)
        # It is read as stored, and then held in 8 bits.
        needed = model.weight_bytes + (model.parameters or 0) + WORKING_BYTES
        free = machine.memory_available_bytes
        reason = f"{human_bytes(needed)} while it is read, {human_bytes(free)} are free"
        count = threads(machine.cores, machine.busy_cores)
        return Fit(0.9 if needed <= free else 0.0, needed, reason, dtype=DTYPE, threads=count)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Load the model in the plan's dtype, `int8` or `float32`; see the contract for what it raises."""
        choose_device(plan.device, self.devices())
        header = format_of.header(FileReader(files / format_of.FILE, format_of.FILE))
        if header.spec != "WhisperSpec":
            raise UnsupportedContent(f"{model.name} is a {header.spec}; of CTranslate2's only Whisper is run here")
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


def _unsupported(model: ModelFacts) -> str:
    """Say why this engine cannot run a model, or nothing."""
    if model.model_type != "whisper":
        name = ", ".join(model.architectures) or model.model_type or "the model"
        return f"{name} is no Whisper, the only network that ctranslate2 is used for"
    if format_of.FILE not in model.files:
        return f"{format_of.FILE} is not among its files: ctranslate2 runs a Whisper that was converted for it"
    return "" if TOKENIZER in model.files else f"{TOKENIZER} is not among its files"
