"""Speech with VITS on torch: letters or phonemes in, a waveform out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForTextToWaveform

from ipfs_accel_cli.core.errors import Invalid, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.exchange.audio import Script, SpeakOptions, Spoken, Waveform
from ipfs_accel_cli.engines.stepwise import StepwiseSession, Work
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.weights import load_model


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Session:
    """Load a VITS; raises as `Engine.load`."""
    if model.model_type != "vits":
        raise UnsupportedContent(f"{model.name}: torch speaks with VITS, not with {model.model_type}")
    network = load_model(AutoModelForTextToWaveform, files, plan, spread=short(model, plan, device))
    tokenizer, where = load_tokenizer(files), torch.device(device.name)

    def begin(script: Script, options: SpeakOptions) -> Iterable[Work]:
        speaker = _speaker(model.name, options.voice, network.config.num_speakers)
        tokens = tokenizer(script.text, return_tensors="pt")["input_ids"]
        if not tokens.shape[-1]:
            raise Invalid(f"there is nothing to say in {script.text[:60]!r}")
        return [partial(_speak, model.name, network, tokens.to(where), speaker, options)]

    return StepwiseSession(model.name, "speak", (Script, SpeakOptions), begin)


def _speaker(name: str, voice: str, count: int) -> int | None:
    """Return the number of a voice; those of VITS have no names."""
    if count <= 1 and voice in ("", "0"):
        return None
    if not voice:
        return 0
    if not voice.isdecimal() or int(voice) >= max(1, count):
        raise Invalid(f"{name} has no voice {voice!r}; it has 0 to {max(1, count) - 1}")
    return int(voice)


def _speak(name: str, network: Any, tokens: torch.Tensor, speaker: int | None, options: SpeakOptions) -> Spoken:
    network.speaking_rate = options.speed
    with torch.inference_mode(), computing(name), torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        samples = network(input_ids=tokens, speaker_id=speaker).waveform[0].float().cpu().numpy()
    if not bool(torch.from_numpy(samples).isfinite().all()):
        raise MalformedContent(f"{name} speaks what is no sound; its weights are damaged")
    return Spoken(Waveform(samples, int(network.config.sampling_rate)), "" if speaker is None else str(speaker))
