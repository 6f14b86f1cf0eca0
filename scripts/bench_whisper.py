#!/usr/bin/env python3
"""Whisper on CTranslate2 beside transformers' generate: processor seconds, as a ratio of paired runs.

    python scripts/bench_whisper.py FOLDER SOUND.wav [--pairs 10] [--threads 1]

FOLDER is a Whisper as CTranslate2 converts it (`ipfs-accel model pull catalogue:whisper-tiny.en`, then `model
export`); transformers gets the same weights in float32. Runs alternate, each first in turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

WANTED = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sound", type=Path)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()

    import soundfile
    import soxr
    import torch
    from transformers import WhisperFeatureExtractor

    from ipfs_accel_cli.engines.base import ModelFacts, Plan, Request
    from ipfs_accel_cli.engines.ctranslate2.engine import CTranslate2Engine
    from ipfs_accel_cli.engines.exchange.audio import TranscribeOptions, Waveform
    from ipfs_accel_cli.engines.torch.audio import rekey

    torch.set_num_threads(asked.threads)
    samples, rate = soundfile.read(asked.sound, dtype="float32")
    samples = samples if samples.ndim == 1 else samples.mean(1)
    samples = soxr.resample(samples, rate, 16_000)[: 30 * 16_000]
    waveform = Waveform(samples, 16_000)
    facts = ModelFacts("whisper", "", model_type="whisper")
    sessions = {
        dtype: CTranslate2Engine().load(facts, asked.folder, Plan("transcribe", dtype=dtype, threads=asked.threads))
        for dtype in ("int8", "float32")
    }
    network, tokenizer = rekey.load(asked.folder)
    extract = WhisperFeatureExtractor(feature_size=network.config.num_mel_bins)

    def ours(dtype: str) -> str:
        sessions[dtype].submit(Request("transcribe", waveform, TranscribeOptions()))
        ((_, chunk),) = sessions[dtype].step()
        return " ".join(segment.text for segment in chunk.data.segments)  # type: ignore[attr-defined]

    def theirs() -> str:
        with torch.inference_mode():
            given = extract(samples, sampling_rate=16_000, return_tensors="pt").input_features
            tokens = network.generate(given, return_timestamps=True)
        return str(tokenizer.decode(tokens[0], skip_special_tokens=True)).strip()

    print(f"{waveform.seconds:.1f} s of sound, {asked.threads} thread(s), load {os.getloadavg()[0]:.1f}")
    print(f"transformers: {theirs()}")
    good = True
    for dtype in sessions:
        print(f"{dtype}: {ours(dtype)}")
        ratios, seconds = [], []
        for pair in range(asked.pairs):
            sides: list[Callable[[], str]] = [theirs, partial(ours, dtype)]
            took = [0.0, 0.0]
            for side in (0, 1) if pair % 2 else (1, 0):
                began = time.process_time()
                sides[side]()
                took[side] = time.process_time() - began
            ratios.append(took[0] / took[1])
            seconds.append(took)
        ratios.sort()
        low = ratios[max(0, round(0.1 * len(ratios)) - 1)]
        medians = [statistics.median(one[side] for one in seconds) for side in (0, 1)]
        print(
            f"{dtype}: {medians[1]:.3f} s beside {medians[0]:.3f} s of transformers in float32: "
            f"{statistics.median(ratios):.2f}x, lowest tenth {low:.2f}x (wanted {WANTED}x)"
        )
        good = good and (dtype != "int8" or low >= WANTED)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
