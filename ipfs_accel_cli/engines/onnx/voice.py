"""Voice activity with silero-vad's graph: 512 samples at a time, a state carried from each to the next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan, Session
from ipfs_accel_cli.engines.exchange.audio import Activity, DetectOptions, Listening
from ipfs_accel_cli.engines.onnx.running import open_session, running
from ipfs_accel_cli.engines.stepwise import StepwiseSession, Work

RATE = 16_000
FRAME = 512
# The end of the frame before is put before each frame.
_CONTEXT = 64
_STATE = (2, 1, 128)
_INPUTS = {"input", "state", "sr"}
_Floats = NDArray[numpy.float32]


def load(model: ModelFacts, files: Path, plan: Plan) -> Session:
    """Load the graph; raises as `Engine.load`."""
    # One frame is too little work for two threads.
    graph = open_session(plan.derived or files / "model.onnx", 1, model.name)
    takes = {given.name for given in graph.get_inputs()}
    if takes != _INPUTS:
        raise UnsupportedContent(f"{model.name}: the graph takes {', '.join(sorted(takes))}, not as silero-vad 5 and 6")

    def begin(listening: Listening, _options: DetectOptions) -> Iterable[Work]:
        if listening.waveform.rate != RATE:
            raise Invalid(f"{model.name} hears sound of {RATE} samples a second, not {listening.waveform.rate}")
        return [lambda: _activity(graph, model.name, listening)]

    return StepwiseSession(model.name, "voice-detect", (Listening, DetectOptions), begin)


def _activity(graph: Any, name: str, listening: Listening) -> Activity:
    """Return the probabilities of a block; `memory` is the state of the network, then the context."""
    samples = listening.waveform.samples
    memory = listening.memory
    if memory is None:
        memory = numpy.zeros(numpy.prod(_STATE) + _CONTEXT, numpy.float32)
    state, context = memory[:-_CONTEXT].reshape(_STATE), memory[None, -_CONTEXT:]
    frames = numpy.zeros((-(-len(samples) // FRAME), FRAME), numpy.float32)
    frames.reshape(-1)[: len(samples)] = samples
    found = numpy.zeros(len(frames), numpy.float32)
    rate = numpy.array(RATE, numpy.int64)
    with running(name):
        for at, frame in enumerate(frames):
            given = numpy.concatenate([context, frame[None]], axis=1)
            chance, state = graph.run(None, {"input": given, "state": state, "sr": rate})
            context = frame[None, -_CONTEXT:]
            found[at] = chance[0, 0]
    kept: _Floats = numpy.concatenate([state.reshape(-1), context[0]])
    return Activity(found, FRAME, kept)
