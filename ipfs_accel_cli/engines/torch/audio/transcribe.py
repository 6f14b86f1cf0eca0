"""Speech to text on torch: Whisper, from transformers or from CTranslate2, and networks that spell letter by letter."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForSpeechSeq2Seq, WhisperFeatureExtractor

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.tokenizing import load_tokenizer
from ipfs_accel_cli.engines.torch.audio import rekey
from ipfs_accel_cli.engines.torch.audio.whisper import WhisperSession
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.weights import load_model
from ipfs_accel_cli.formats import ctranslate2
from ipfs_accel_cli.formats.reading import FileReader


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Session:
    """Load a network that writes speech down; raises as `Engine.load`."""
    if any(name.endswith("ForCTC") for name in model.architectures):
        from ipfs_accel_cli.engines.torch.audio import ctc

        return ctc.load(model, files, plan, device)
    if model.model_type != "whisper":
        raise UnsupportedContent(f"{model.name}: torch transcribes with Whisper and with CTC, not {model.model_type}")
    where = torch.device(device.name)
    weights = files / ctranslate2.FILE
    if weights.exists() and ctranslate2.is_one(FileReader(weights)):
        network, tokenizer = rekey.load(files)
        extractor = WhisperFeatureExtractor(feature_size=network.config.num_mel_bins)
        return WhisperSession(model.name, network.to(where), tokenizer, extractor, where)
    network = load_model(AutoModelForSpeechSeq2Seq, files, plan, spare=("proj_out",), spread=short(model, plan, device))
    extractor = WhisperFeatureExtractor.from_pretrained(files, local_files_only=True)
    return WhisperSession(model.name, network, load_tokenizer(files), extractor, where)
