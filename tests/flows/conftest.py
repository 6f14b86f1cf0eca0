"""What several stories need, and is dear to make."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from tests.servers.cache import locked
from tests.servers.catalogue_models import folder_of

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "She sells fresh bread and butter at the market every Saturday.",
)


@pytest.fixture(scope="session")
def speech_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the catalogue's models of speech."""
    home = tmp_path_factory.mktemp("speech")
    with Node(home) as node:
        for name in ("silero-vad", "kokoro-82m", "whisper-tiny.en"):
            node.models.add(folder_of(name))
    return home


@pytest.fixture(scope="session")
def talk(speech_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sentences, spoken by Kokoro, once for all processes that test."""
    base = tmp_path_factory.getbasetemp()
    room = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    path = room / "talk.wav"
    with locked(room / "talk.lock"):
        if not path.exists():
            from ipfs_accel_cli.engines.exchange.audio import SpeakOptions
            from ipfs_accel_cli.services.infer.audio.service import Run

            with Node(speech_home) as node:
                node.inference.audio.speak(" ".join(SENTENCES), SpeakOptions(), Run(), path)
    return path
