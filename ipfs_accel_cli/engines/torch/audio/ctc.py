"""Speech to text letter by letter (CTC, Graves 2006): wav2vec2 and its kin on torch."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoFeatureExtractor, AutoModelForCTC

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.exchange.audio import Segment, TranscribeOptions, Transcript, Waveform, Word
from ipfs_accel_cli.engines.stepwise import StepwiseSession, Work
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model

# Below this the convolutions find no frame.
_SHORTEST_S = 0.1


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Session:
    """Load a network that spells; raises as `Engine.load`."""
    network = load_model(
        AutoModelForCTC, files, plan, spare=("wav2vec2.masked_spec_embed",), spread=short(model, plan, device)
    )
    extractor = AutoFeatureExtractor.from_pretrained(files, local_files_only=True)
    tokenizer, where = load_tokenizer(files), torch.device(device.name)

    def begin(waveform: Waveform, options: TranscribeOptions) -> Iterable[Work]:
        if waveform.rate != extractor.sampling_rate:
            raise Invalid(f"{model.name} hears sound of {extractor.sampling_rate} samples a second")
        if options.task == "translate":
            raise Invalid(f"{model.name} writes down what is spoken; it cannot translate")
        return [partial(_transcribe, model.name, (network, extractor, tokenizer, where), waveform, options)]

    return StepwiseSession(model.name, "transcribe", (Waveform, TranscribeOptions), begin)


def _transcribe(
    name: str, parts: tuple[Any, Any, Any, Any], waveform: Waveform, options: TranscribeOptions
) -> Transcript:
    network, extractor, tokenizer, where = parts
    if waveform.seconds < _SHORTEST_S:
        return Transcript(())
    given = extractor(waveform.samples, sampling_rate=waveform.rate, return_tensors="pt")
    key = next(key for key in ("input_values", "input_features") if key in given)
    with torch.inference_mode(), computing(name):
        logits = network(**{key: given[key].to(where, network.dtype)}).logits[0].float()
    best, tokens = torch.log_softmax(logits, -1).max(-1)
    timed = options.timestamps == "word"
    found = tokenizer.decode(tokens.tolist(), output_word_offsets=timed)
    text = (found["text"] if timed else found).strip()
    if not text:
        return Transcript((), mean_log_probability=float(best.mean()))
    frame_s = waveform.seconds / len(tokens)
    offsets = found["word_offsets"] if timed else []
    words = tuple(
        Word(one["word"], round(one["start_offset"] * frame_s, 3), round(one["end_offset"] * frame_s, 3))
        for one in offsets
    )
    spelled = torch.nonzero(tokens != tokenizer.pad_token_id)
    ends = (0.0, waveform.seconds)
    if options.timestamps != "none" and len(spelled):
        ends = (float(spelled[0]) * frame_s, float(spelled[-1] + 1) * frame_s)
    segment = Segment(text, round(ends[0], 3), round(ends[1], 3), words)
    return Transcript((segment,), tokens=len(tokens), mean_log_probability=float(best.mean()))
