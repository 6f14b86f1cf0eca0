"""The static engine: the mean of the vectors of a text's tokens, on one thread, without torch."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.static.layout import read_table
from ipfs_accel_cli.engines.static.session import StaticSession

WORKING_BYTES = 32 << 20
_FLOAT32_BYTES = 4
# What config.json of model2vec says, and what facts call a folder of sentence-transformers with such a module.
TYPES = frozenset({"model2vec", "static-embedding"})


class StaticEngine:
    """Runs embedding models that are a table of vectors."""

    name = "static"

    def devices(self) -> tuple[Device, ...]:
        """Return the processor: to look up rows of a table, nothing else is faster."""
        return (Device("cpu"),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 1 in memory, for nothing else runs it, else 0."""
        if model.model_type not in TYPES:
            what = ", ".join(model.architectures) or model.model_type or "the model"
            return Fit(0, 0, f"{what} is no table of token vectors ({' or '.join(sorted(TYPES))})", supported=False)
        needed = (model.parameters or model.weight_bytes // _FLOAT32_BYTES) * _FLOAT32_BYTES + WORKING_BYTES
        free = machine.memory_available_bytes
        reason = f"{human_bytes(needed)} are needed, {human_bytes(free)} are free"
        return Fit(1.0 if needed <= free else 0.0, needed, reason)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Read the table and its tokenizer; see the contract for what it raises."""
        choose_device(plan.device, self.devices())
        if plan.task != "embed":
            raise UnsupportedContent(f"{model.name} makes vectors, it does not {plan.task}")
        table = read_table(files, model.name)
        if not table.tokenizer.exists():
            raise UnsupportedContent(f"no {table.tokenizer.name} in {model.name}")
        try:
            tokenizer = Tokenizer.from_file(str(table.tokenizer))
        except Exception as error:  # The library raises nothing narrower.
            raise MalformedContent(f"{model.name}: its tokenizer cannot be read: {error}") from error
        if tokenizer.get_vocab_size() > len(table.rows):
            raise MalformedContent(
                f"{model.name} has {len(table.rows)} vectors for {tokenizer.get_vocab_size()} tokens"
            )
        return StaticSession(model.name, tokenizer, table)
