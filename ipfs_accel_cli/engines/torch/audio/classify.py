"""Labels of sounds on torch: wav2vec2, the audio spectrogram transformer, Whisper's encoder and their kin."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from ipfs_accel_cli.core.errors import Invalid, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.exchange.audio import Heard, HearOptions, Waveform
from ipfs_accel_cli.engines.labels import Labels, read_labels
from ipfs_accel_cli.engines.stepwise import StepwiseSession, Work
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model

# Most heads for sounds have the name of those for texts.
_HEADS = ("ForAudioClassification", "ForSequenceClassification")

# Between the frames of a spectrogram, as Kaldi counts them.
_FRAME_S = 0.01


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Session:
    """Load a classifier of sounds; raises as `Engine.load`."""
    if not any(name.endswith(_HEADS) for name in model.architectures):
        known = ", ".join(model.architectures) or model.model_type
        raise UnsupportedContent(f"{model.name}: {known} gives sounds no labels")
    network = load_model(AutoModelForAudioClassification, files, plan, spread=short(model, plan, device))
    extractor = AutoFeatureExtractor.from_pretrained(files, local_files_only=True)
    labels, where = read_labels(network.config), torch.device(device.name)

    def begin(waveform: Waveform, _options: HearOptions) -> Iterable[Work]:
        if waveform.rate != extractor.sampling_rate:
            raise Invalid(f"{model.name} hears sound of {extractor.sampling_rate} samples a second")
        return [partial(_hear, model.name, (network, extractor, where), labels, waveform)]

    return StepwiseSession(model.name, "audio-classify", (Waveform, HearOptions), begin)


def _hear(name: str, parts: tuple[Any, Any, Any], labels: Labels, waveform: Waveform) -> Heard:
    network, extractor, where = parts
    # What an extractor would cut off is heard in further pieces.
    frames = getattr(extractor, "max_length", None)
    size = int(frames * _FRAME_S * waveform.rate) if frames else len(waveform.samples)
    pieces = [waveform.samples[at : at + size] for at in range(0, len(waveform.samples), size)]
    # A short rest would be mostly filling.
    pieces = [piece for at, piece in enumerate(pieces) if at == 0 or len(piece) >= size // 2]
    with torch.inference_mode(), computing(name):
        given = [extractor(piece, sampling_rate=waveform.rate, return_tensors="pt") for piece in pieces]
        rows = [network(**{key: value.to(where) for key, value in one.items()}).logits[0] for one in given]
        logits = torch.stack(rows).float().cpu().numpy()
    scores = labels.scores(logits).mean(axis=0)
    if not bool(torch.from_numpy(scores).isfinite().all()):
        raise MalformedContent(f"{name} answers with values that are no numbers; its weights are damaged")
    return Heard(scores, labels.names)
