"""From an encoder-decoder of transformers to one of CTranslate2 that writes the same."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import ctranslate2
import torch
from ctranslate2.converters import TransformersConverter

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import UnsupportedContent, VerificationFailed
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan, Request, Session
from ipfs_accel_cli.engines.ctranslate2.loading import load
from ipfs_accel_cli.engines.ctranslate2.packing import pack
from ipfs_accel_cli.engines.exchange.text import RewriteOptions, Rewritten, Texts
from ipfs_accel_cli.engines.samples import SAMPLES, example, same_words
from ipfs_accel_cli.engines.tokenizing import load_tokenizer, quiet
from ipfs_accel_cli.engines.torch.problems import loading
from ipfs_accel_cli.engines.torch.seq2seq import load as load_on_torch

# In float32 nothing but rounding may come between the two, so a text that differs is a wrong conversion.
LEAST = {"float32": 1.0, "int8": 0.9}
_WRITTEN = {"float32": "float32", "int8": "int8_float32"}
_MOST_TOKENS = 24


class _Converter(TransformersConverter):  # type: ignore[misc]
    """The library's own, for configurations that transformers no longer completes."""

    def load_model(self, model_class: Any, model_name_or_path: str, **others: Any) -> Any:
        """Load with torch, in float32 and from the folder only."""
        others["dtype"] = torch.float32
        model = super().load_model(model_class, model_name_or_path, local_files_only=True, **others)
        family = model.config.model_type
        # What transformers takes for granted since it dropped these settings of BART and its kin.
        for name, value in (
            ("normalize_before", family in ("mbart", "pegasus")),
            ("normalize_embedding", family != "pegasus"),
        ):
            if not hasattr(model.config, name):
                setattr(model.config, name, value)
        return model


def convert(model: ModelFacts, files: Path, task: str, dtype: str, target: Path) -> dict[str, str | int | float]:
    """Write the converted model to `target`, one archive, and return how it was made and how well it agrees.

    Raises VerificationFailed when it writes other texts than torch does, in 8 bits for more than a tenth of the words.
    """
    current().progress(0, None, f"converting {model.name} for ctranslate2, once")
    with tempfile.TemporaryDirectory(dir=target.parent) as room, quiet():
        folder = Path(room) / "converted"
        with loading(model.name, ", ".join(model.architectures)):
            try:
                _Converter(str(files)).convert(str(folder), quantization=_WRITTEN[dtype])
            except (ValueError, AttributeError, NotImplementedError) as error:
                why = " ".join(str(error).split())[:200]
                raise UnsupportedContent(f"ctranslate2 cannot convert {model.name}: {why}") from error
        _complete(folder / "config.json", files)
        pack(folder, target)
    current().check()
    plan = Plan(task, dtype=dtype, threads=1, derived=target)
    with loading(model.name, ", ".join(model.architectures)), quiet():
        plain = load_on_torch(model, files, Plan(task, threads=1), Device("cpu"))
    ours, options = load(model, files, plan), example(files, task, _MOST_TOKENS)
    agreement = _agreement(plain, ours, task, options)
    if agreement < LEAST[dtype]:
        raise VerificationFailed(
            f"{model.name} on ctranslate2 in {dtype} writes {agreement:.0%} of the words that it writes on torch,"
            f" and {LEAST[dtype]:.0%} is the least that is taken",
            suggestion=f"ipfs-accel infer calibrate {model.name}",
        )
    return {
        "converter": f"ctranslate2 {ctranslate2.__version__}",
        "task": task,
        "dtype": dtype,
        "texts": len(SAMPLES),
        "same_words": agreement,
    }


def _agreement(plain: Session, other: Session, task: str, options: RewriteOptions) -> float:
    """Return the share of words that are the same, of texts written both ways."""
    one, two = (_written(session, task, options) for session in (plain, other))
    return same_words(one, two)


def _written(session: Session, task: str, options: RewriteOptions) -> list[str]:
    session.submit(Request(task, Texts(SAMPLES), options))
    texts = [""] * len(SAMPLES)
    while moved := session.step():
        for _, chunk in moved:
            if isinstance(chunk.data, Rewritten):
                texts[chunk.data.position] += chunk.data.text
    session.close()
    return texts


def _complete(path: Path, files: Path) -> None:
    """Name the special tokens that are left open: the library needs one each, used or not."""
    said, config = (json.loads(one.read_text("utf-8")) for one in (path, files / "config.json"))
    start = config.get("decoder_start_token_id")
    if not said.get("decoder_start_token") and isinstance(start, int):
        said["decoder_start_token"] = load_tokenizer(files).convert_ids_to_tokens(start)
    spare = said.get("decoder_start_token") or said.get("eos_token")
    for name in ("unk_token", "bos_token", "eos_token"):
        said[name] = said.get(name) or spare
    # Where it is told no number, it takes its own.
    path.write_text(json.dumps({name: value for name, value in said.items() if value is not None}, indent=1), "utf-8")
