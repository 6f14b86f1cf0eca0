"""The sound that models are measured on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.exchange.audio import Waveform
from ipfs_accel_cli.services.infer.audio.listening import RATE
from ipfs_accel_cli.services.infer.audio.reading import heard, opened

# Speech to text hears so much at once; other models are given as much, to be comparable.
LONGEST_SECONDS = 30


def beginning(file: Path | None) -> Waveform | None:
    """Return the first 30 s of a file's sound at 16 kHz, none for no file; raises as reading does."""
    if file is None:
        return None
    blocks: list[Any] = []
    with opened(str(file), current()) as sound:
        for block in heard(sound, RATE):
            blocks.append(block)
            if sum(map(len, blocks)) >= LONGEST_SECONDS * RATE:
                break
    if not blocks:
        raise Invalid(f"{file} has no sound in it")
    return Waveform(numpy.concatenate(blocks)[: LONGEST_SECONDS * RATE], RATE)
