"""Encoders and classifiers as sessions: the graph computes, and the model's folder says how texts become tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.errors import AccelError, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan
from ipfs_accel_cli.engines.encoder import Compute, EncoderSession, Meaning, Reading
from ipfs_accel_cli.engines.onnx.graph import open_graph
from ipfs_accel_cli.engines.onnx.note import Note
from ipfs_accel_cli.engines.onnx.tokens import PlainTokenizer
from ipfs_accel_cli.engines.sentence import read_sentence


def load(model: ModelFacts, files: Path, plan: Plan) -> EncoderSession:
    """Load the graph that the plan names; raises as `Engine.load`."""
    if plan.derived is None:
        raise UnsupportedContent(f"{model.name} has not been exported to ONNX")
    graph = open_graph(plan.derived, plan.threads, model.name)
    return session(model, files, plan.task, graph.note, graph)


def session(model: ModelFacts, files: Path, task: str, note: Note, compute: Compute) -> EncoderSession:
    """Return a session for whatever computes with a graph of ours; raises MalformedContent."""
    reads = _sentences if task == "embed" else _texts
    try:
        folder, reading, meaning = reads(files, note)
        tokenizer = _tokenizer(folder, note)
    except (AccelError, KeyboardInterrupt):
        raise
    except Exception as error:  # Configurations and tokenizers fail in any way they like.
        raise MalformedContent(f"{model.name}: {type(error).__name__}: {error}") from error
    return EncoderSession(model.name, tokenizer, reading, meaning, compute)


def _sentences(files: Path, note: Note) -> tuple[Path, Reading, Meaning]:
    sentence = read_sentence(files)
    reading = Reading(note.inputs, note.max_tokens, sentence.lower_case, sentence.prompt)
    return files / sentence.encoder, reading, Meaning("embed", sentence.pooling)


def _texts(files: Path, note: Note) -> tuple[Path, Reading, Meaning]:
    return files, Reading(note.inputs, note.max_tokens), Meaning("classify", labels=note.labels)


def _tokenizer(folder: Path, note: Note) -> Any:
    if note.plain_tokens:
        return PlainTokenizer(folder)
    from ipfs_accel_cli.engines.tokenizing import load_tokenizer, quiet

    with quiet():
        return load_tokenizer(folder)
