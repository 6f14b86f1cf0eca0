"""Encoder-decoders on CTranslate2: what was converted, and beside it the tokenizer and settings of the folder."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import ctranslate2

from ipfs_accel_cli.core.errors import AccelError, DoesNotFit, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan
from ipfs_accel_cli.engines.ctranslate2.packing import unpack
from ipfs_accel_cli.engines.ctranslate2.rewrite import RewriteSession, Writing
from ipfs_accel_cli.engines.ctranslate2.rules import read_rules
from ipfs_accel_cli.engines.encoder import longest
from ipfs_accel_cli.engines.languages import read_languages, summary_prefix
from ipfs_accel_cli.engines.tokenizing import load_tokenizer, quiet

COMPUTED = {"float32": "float32", "int8": "int8_float32"}


def load(model: ModelFacts, files: Path, plan: Plan) -> RewriteSession:
    """Load what the plan names; raises as `Engine.load`."""
    if plan.derived is None:
        raise UnsupportedContent(f"{model.name} has not been converted for ctranslate2")
    made = unpack(plan.derived)
    if "model.bin" not in made:
        raise MalformedContent(f"what was made of {model.name} for ctranslate2 has no model.bin")
    try:
        writing = _writing(files, made)
        network = ctranslate2.Translator(
            model.name,
            device="cpu",
            files={name: io.BytesIO(data) for name, data in made.items()},
            compute_type=COMPUTED.get(plan.dtype, "float32"),
            intra_threads=max(1, plan.threads),
            inter_threads=1,
        )
    except AccelError:
        raise
    except MemoryError as error:
        raise DoesNotFit(f"{model.name} needs more memory than there is") from error
    except Exception as error:
        # The library and tokenizers raise what they like, Exception itself among it.
        raise MalformedContent(f"{model.name} cannot be loaded: {' '.join(str(error).split())[:200]}") from error
    return RewriteSession(network, writing, model.name, plan.task)


def _writing(files: Path, made: dict[str, bytes]) -> Writing:
    with quiet():
        tokenizer = load_tokenizer(files)
    special = [*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens]
    special += getattr(tokenizer, "supported_language_codes", ())
    config, converted = json.loads((files / "config.json").read_text("utf-8")), json.loads(made["config.json"])
    room = config.get("max_position_embeddings")
    vocabulary = _vocabulary(made)
    known = frozenset(vocabulary)
    return Writing(
        tokenizer,
        vocabulary,
        read_languages(files, special),
        summary_prefix(files),
        str(converted.get("eos_token") or tokenizer.eos_token),
        longest(None, room or config.get("n_positions"), tokenizer),
        room,
        read_rules(files, tokenizer.convert_ids_to_tokens, known.__contains__),
    )


def _vocabulary(made: dict[str, bytes]) -> tuple[str, ...]:
    """Return the tokens that can be written, by their numbers."""
    for name in ("target_vocabulary", "shared_vocabulary"):
        if f"{name}.json" in made:
            found: list[Any] = json.loads(made[f"{name}.json"])
            return tuple(map(str, found))
        if f"{name}.txt" in made:
            return tuple(made[f"{name}.txt"].decode("utf-8").rstrip("\n").split("\n"))
    raise MalformedContent("no vocabulary lies beside model.bin")
