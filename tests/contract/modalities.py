"""What parity is looked at with where models hear, see and speak: tiny models, a sound, a picture, a server."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path
from typing import Any

from ipfs_accel_cli import Node
from tests.conformance import tiny_multimodal, tiny_sounds
from tests.servers.catalogue_models import folder_of

_RATE = 16_000

CASES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "infer audio transcribe": (
        ["{files}/tone.wav", "-m", "speller", "--timestamps", "none"],
        {"files": ["{files}/tone.wav"], "model": "speller", "timestamps": "none"},
    ),
    "infer audio classify": (
        ["{files}/tone.wav", "-m", "namer"],
        {"files": ["{files}/tone.wav"], "model": "namer"},
    ),
    "infer audio detect": (
        ["{files}/tone.wav", "-m", "silero-vad"],
        {"files": ["{files}/tone.wav"], "model": "silero-vad"},
    ),
    "infer audio speak": (
        ["abc", "-m", "speaker", "-o", "{files}/said.wav"],
        {"text": "abc", "model": "speaker", "output": "{files}/said.wav"},
    ),
    "infer audio process": (
        ["{files}/tone.wav", "-o", "{files}/less.wav", "--resample", "8000"],
        {"file": "{files}/tone.wav", "output": "{files}/less.wav", "resample": 8000},
    ),
    "infer multimodal caption": (
        ["{files}/page.png", "-m", "captioner", "--max-tokens", "3"],
        {"images": ["{files}/page.png"], "model": "captioner", "max_tokens": 3},
    ),
    "infer multimodal ask": (
        ["{files}/page.png", "what is it", "-m", "asked"],
        {"image": "{files}/page.png", "question": "what is it", "model": "asked"},
    ),
    "infer multimodal embed": (
        ["a cat", "--image", "{files}/page.png", "-m", "pairs"],
        {"texts": ["a cat"], "image": ["{files}/page.png"], "model": "pairs"},
    ),
    "infer image generate": (
        ["a cat", "-m", "painter", "-o", "{files}/made.png", "--steps", "1", "--seed", "3"],
        {"prompt": "a cat", "model": "painter", "output": "{files}/made.png", "steps": 1, "seed": 3},
    ),
    "infer endpoint ls": ([], {}),
    "infer endpoint show": (["lab"], {"name": "lab"}),
    "infer endpoint test": (["lab"], {"name": "lab"}),
}


def prepare(node: Node, files: Path, server: str) -> None:
    """Register the models, write the sound, and make a server an endpoint."""
    made = {
        "speller": tiny_sounds.speller,
        "namer": tiny_sounds.sound_namer,
        "speaker": tiny_sounds.speaker,
        "captioner": tiny_multimodal.captioner,
        "asked": tiny_multimodal.vilt,
        "pairs": tiny_multimodal.clip,
        "painter": tiny_multimodal.painter,
    }
    for name, make in made.items():
        node.models.add(make(files / name).folder, name=name)
    node.models.add(folder_of("silero-vad"), name="silero-vad")
    with wave.open(str(files / "tone.wav"), "wb") as sound:
        sound.setparams((1, 2, _RATE, 0, "NONE", ""))
        tone = (int(9000 * math.sin(at / 9)) for at in range(_RATE))
        sound.writeframes(b"".join(struct.pack("<h", one) for one in tone))
    node.inference.endpoints.add("lab", server)
