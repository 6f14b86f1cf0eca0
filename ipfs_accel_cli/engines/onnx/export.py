"""From a model on torch to an ONNX graph that answers alike, with its pooling or its head inside."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MissingExtra, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.engines.base import ModelFacts, Plan
from ipfs_accel_cli.engines.encoder import EncoderSession
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.onnx.agreement import TEXTS, Rows, answers, largest_difference, least_cosine
from ipfs_accel_cli.engines.onnx.graph import OUTPUT, open_graph
from ipfs_accel_cli.engines.onnx.note import KEY, Note
from ipfs_accel_cli.engines.onnx.tokens import same_tokens
from ipfs_accel_cli.engines.sentence import read_sentence
from ipfs_accel_cli.engines.tokenizing import quiet
from ipfs_accel_cli.engines.torch.encoder import Parts, classifier_parts, sentence_parts
from ipfs_accel_cli.engines.torch.problems import loading

LEAST_COSINE, LARGEST_DIFFERENCE = 0.999, 1e-3
OPSET = 20
# What tokenizers treat in ways of their own: cases, accents, white space, scripts, their own special words.
TRICKY_TEXTS = (
    "  two  spaces, a\ttab and a\nline ",
    "ÀÉÎ naïve Straße İstanbul",
    "北京欢迎你 こんにちは 안녕하세요 привет",
    "[CLS] [MASK] <s> </s> <mask> <pad> [PAD] ##ing",
    "👩‍👩‍👧 e\u0301 \u200b\ufeff \x00 fi",
    "un" * 40,
)


def export(model: ModelFacts, files: Path, task: str, target: Path) -> dict[str, str | int | float]:
    """Write the graph to `target` and return what it was made with and how well it agrees.

    Raises VerificationFailed when vectors turn by more than a cosine of 0.999, or scores differ by more than 0.001.
    """
    makers = {"embed": sentence_parts, "classify": classifier_parts}
    current().progress(0, None, f"exporting {model.name} to ONNX, once")
    with loading(model.name, ", ".join(model.architectures)), quiet():
        parts = makers[task](files, Plan(task), spread=False)
        _plain_attention(parts.module)
        note = _note(parts, files, task)
        _write(model, parts, note, target)
    current().check()
    plain = answers(parts.session(model.name, torch.device("cpu")), task)
    compute = open_graph(target, 1, model.name)
    graph = answers(EncoderSession(model.name, parts.tokenizer, parts.reading, parts.meaning, compute), task)
    fidelity = _compared(model, plain, graph, task)
    return {"exporter": f"torch.onnx {torch.__version__.partition('+')[0]}", "opset": OPSET, "task": task, **fidelity}


def _plain_attention(module: torch.nn.Module) -> None:
    """Let attention be computed in plain operations, which every graph runtime has."""
    inner: Any = module.model
    if hasattr(inner, "set_attn_implementation"):
        inner.set_attn_implementation("eager")


def _note(parts: Parts, files: Path, task: str) -> Note:
    folder = files / read_sentence(files).encoder if task == "embed" else files
    limit, inputs = parts.reading.max_tokens, dict(parts.reading.inputs)
    labels = parts.labels or Labels(())
    plain = same_tokens(folder, parts.tokenizer, list(inputs), [*TEXTS, *TRICKY_TEXTS], limit)
    return Note(inputs, limit, labels.names, labels.independent, plain)


def _write(model: ModelFacts, parts: Parts, note: Note, target: Path) -> None:
    names = ["attention_mask", *parts.reading.inputs]
    # Each example is a tensor of its own: torch.export takes arguments that are one object for one input.
    examples = {name: torch.ones(2, 7, dtype=torch.long) for name in names}
    examples["input_ids"] = torch.arange(14).reshape(2, 7) % 3 + 1
    limit = parts.reading.max_tokens or 512
    sizes = {0: torch.export.Dim("texts", min=1, max=4096), 1: torch.export.Dim("tokens", min=1, max=limit)}
    try:
        with _silent():
            program = torch.onnx.export(
                parts.module,
                (),
                kwargs=examples,
                input_names=names,
                output_names=[OUTPUT],
                dynamo=True,
                dynamic_shapes=dict.fromkeys(names, sizes),
                opset_version=OPSET,
                verbose=False,
            )
            program.model.metadata_props[KEY] = note.encode()
            program.save(str(target), external_data=False)
    except ImportError as error:
        raise MissingExtra(
            f"exporting to ONNX needs {error.name or error}, which is not installed",
            suggestion="pip install 'ipfs-accel[onnx]'",
        ) from error
    except Exception as error:  # The exporter raises classes of its own for every operation it has no form for.
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UnsupportedContent(f"{model.name} cannot be exported to ONNX: {first}") from error


def _compared(model: ModelFacts, plain: Rows, graph: Rows, task: str) -> dict[str, float]:
    if task == "classify":
        difference = largest_difference(plain, graph)
        if not difference <= LARGEST_DIFFERENCE:
            raise VerificationFailed(f"the ONNX graph of {model.name} differs by {difference:.4f} in a score")
        return {"largest_difference": difference}
    cosine = least_cosine(plain, graph)
    if not cosine >= LEAST_COSINE:
        raise VerificationFailed(f"the ONNX graph of {model.name} gives other vectors: cosine {cosine:.4f}")
    return {"least_cosine": cosine}


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep the exporter's progress and warnings to itself; what goes wrong is raised."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
