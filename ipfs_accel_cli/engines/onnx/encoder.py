"""Encoders and classifiers as sessions: the graph computes, and the model's folder says how texts or pictures go in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import AccelError, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan, Session
from ipfs_accel_cli.engines.encoder import EncoderSession, Meaning, Reading
from ipfs_accel_cli.engines.onnx.graph import PICTURES, Runs, open_graph
from ipfs_accel_cli.engines.onnx.note import Note
from ipfs_accel_cli.engines.onnx.sessions import SEEING
from ipfs_accel_cli.engines.onnx.tokens import PlainTokenizer
from ipfs_accel_cli.engines.seeing import Values, seer
from ipfs_accel_cli.engines.sentence import read_sentence
from ipfs_accel_cli.engines.vision import VisionSession, rows_session


def load(model: ModelFacts, files: Path, plan: Plan) -> Session:
    """Load the graph that the plan names; raises as `Engine.load`."""
    if plan.derived is None:
        raise UnsupportedContent(f"{model.name} has not been exported to ONNX")
    return session(model, files, plan.task, open_graph(plan.derived, plan.threads, model.name))


def session(model: ModelFacts, files: Path, task: str, graph: Runs) -> Session:
    """Return a session for a graph of ours, whatever computes with it; raises MalformedContent."""
    try:
        return _pictures(model, files, task, graph) if task in SEEING else _texts(model, files, task, graph)
    except (AccelError, KeyboardInterrupt):
        raise
    except Exception as error:  # Configurations, tokenizers and processors fail in any way they like.
        raise MalformedContent(f"{model.name}: {type(error).__name__}: {error}") from error


def _pictures(model: ModelFacts, files: Path, task: str, graph: Runs) -> VisionSession:
    def compute(pixels: Values) -> tuple[NDArray[numpy.float32], str]:
        return graph.rows({PICTURES: pixels}), graph.note.pooling

    return rows_session(model.name, task, seer(files, model.model_type), compute, graph.labels)


def _texts(model: ModelFacts, files: Path, task: str, graph: Runs) -> EncoderSession:
    note = graph.note
    if task == "embed":
        sentence = read_sentence(files)
        reading = Reading(note.inputs, note.max_tokens, sentence.lower_case, sentence.prompt)
        folder, meaning = files / sentence.encoder, Meaning("embed", sentence.pooling)
    else:
        folder, reading, meaning = files, Reading(note.inputs, note.max_tokens), Meaning(task, labels=note.labels)
    return EncoderSession(model.name, _tokenizer(folder, note), reading, meaning, graph)


def _tokenizer(folder: Path, note: Note) -> Any:
    if note.plain_tokens:
        return PlainTokenizer(folder)
    from ipfs_accel_cli.engines.tokenizing import load_tokenizer, quiet

    with quiet():
        return load_tokenizer(folder)
