"""What a caller asks of a model that writes."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Invalid, LimitReached
from ipfs_accel_cli.engines.exchange.text import GenerateOptions
from ipfs_accel_cli.engines.schemas import checked
from ipfs_accel_cli.services.infer.files import read_text

# Above it a seed would not survive every program that reads JSON.
_LARGEST_CHOSEN_SEED = 1 << 31
LARGEST_SCHEMA_BYTES = 1 << 20

By = Literal["similar", "first"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which model is to write, how freely, and in which form.

    `schema` is a file with a JSON Schema, or the schema itself where it begins with a brace. `shots` examples of the
    file `examples` go before the input: those `similar` to it, or the `first`. `prompt_name` is a kept prompt
    template, `var` what it is filled with (`name=value`). `adapters` change the weights, each `NAME` or `NAME:SCALE`;
    `timeout` bounds the seconds of an answer, loading included.
    """

    model: str | None = None
    max_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop: Sequence[str] = ()
    engine: str | None = None
    device: str | None = None
    stats: bool = False
    schema: str | None = None
    shots: int | None = None
    examples: Path | None = None
    shots_by: By = "similar"
    prompt_name: str | None = None
    var: Sequence[str] = ()
    adapters: Sequence[str] = ()
    compiled: bool = False
    timeout: float | None = None

    def options(self, call: Call, stops: tuple[str, ...] = ()) -> GenerateOptions:
        """Return what the engine is told; a seed is drawn where chance decides and none is given.

        Raises Invalid and MissingExtra for a schema that answers cannot be held to.
        """
        seed = self.seed
        if seed is None:
            seed = secrets.randbelow(_LARGEST_CHOSEN_SEED) if self.temperature > 0 else 0
        schema = read_schema(self.schema, call) if self.schema is not None else ""
        if schema and self.stop:
            raise Invalid("--stop could end the JSON before it is whole; --schema needs none")
        stop = () if schema else (*self.stop, *(one for one in stops if one not in self.stop))
        return GenerateOptions(self.max_tokens, self.temperature, self.top_k, self.top_p, seed, stop, schema)


def read_schema(given: str, call: Call) -> str:
    """Return a checked schema, as compact JSON, from a file or from itself."""
    if given.lstrip().startswith("{"):
        return checked(given)
    text = read_text(Path(given), call, LARGEST_SCHEMA_BYTES)
    return checked(text)


def whole(reason: str | None, tokens: int, text: str) -> None:
    """Raise LimitReached for JSON that was cut before it was whole."""
    if reason == "length":
        raise LimitReached(
            f"the answer was cut after {tokens} tokens, before the JSON was whole; bound its parts (maxLength, "
            "maxItems, maximum) or allow more tokens",
            suggestion=f"--max-tokens {4 * tokens}",
            finish_reason="length",
            text=text,
        )
