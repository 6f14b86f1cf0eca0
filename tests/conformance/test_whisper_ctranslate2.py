"""Whisper on CTranslate2 through the suite of sessions for sound, with the real weights of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed: pip install 'ipfs-accel[ctranslate2]'")

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.engines.base import Loadable, Machine, Plan, Request, Session
from ipfs_accel_cli.engines.ctranslate2.engine import CTranslate2Engine
from ipfs_accel_cli.engines.exchange.audio import TranscribeOptions, Waveform
from tests.conformance.engine_suite import chunks_of
from tests.conformance.sound_suite import SoundSuite, hum
from tests.servers.catalogue_models import folder_of

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    home = tmp_path_factory.mktemp("home")
    with Node(home) as node:
        node.models.add(folder_of("whisper-tiny.en"))
        found = node.models.find("whisper-tiny.en", "transcribe")
        folder = tmp_path_factory.mktemp("whisper")
        for name in found.facts.files:
            (folder / name).symlink_to((found.folder / name).resolve())
        return Loadable(found.facts, folder)


@pytest.fixture(scope="module")
def loaded(whisper: Loadable) -> Session:
    return CTranslate2Engine().load(whisper.facts, whisper.folder, Plan("transcribe", dtype="int8", threads=1))


class TestWhisper(SoundSuite):
    @pytest.fixture
    def session(self, whisper: Loadable, loaded: Session, request: pytest.FixtureRequest) -> Session:
        if "closed" in request.node.name:
            return CTranslate2Engine().load(whisper.facts, whisper.folder, Plan("transcribe", dtype="int8"))
        return loaded

    @pytest.fixture
    def ask(self) -> Callable[[], Request]:
        return lambda: Request("transcribe", hum(), TranscribeOptions())

    def test_what_it_writes_lies_within_the_sound(self, session: Session) -> None:
        (chunk,) = chunks_of(session, Request("transcribe", hum(), TranscribeOptions(timestamps="word")))
        for segment in chunk.data.segments:
            assert 0 <= segment.start_s <= segment.end_s <= 1.0
            for word in segment.words:
                assert 0 <= word.start_s <= word.end_s <= 1.0

    @pytest.mark.parametrize(
        ("waveform", "options"),
        [
            (hum(rate=8000), TranscribeOptions()),
            (Waveform(numpy.zeros(31 * 16_000, numpy.float32), 16_000), TranscribeOptions()),
            (Waveform(numpy.zeros(0, numpy.float32), 16_000), TranscribeOptions()),
            (hum(), TranscribeOptions(language="de")),
            (hum(), TranscribeOptions(task="translate")),
        ],
    )
    def test_what_it_cannot_hear_is_refused(
        self, session: Session, waveform: Waveform, options: TranscribeOptions
    ) -> None:
        with pytest.raises(Invalid):
            session.submit(Request("transcribe", waveform, options))


def test_it_says_what_it_needs_and_takes_no_other_model(whisper: Loadable) -> None:
    engine, facts = CTranslate2Engine(), whisper.facts
    assert engine.fit(facts, Machine(1, 0.0, 1 << 40)).score > 0.8
    assert engine.fit(facts, Machine(1, 0.0, 1 << 20)).score == 0
    assert not engine.fit(replace(facts, model_type="bert"), Machine(1, 0.0, 1 << 40)).supported
    assert not engine.fit(replace(facts, files=("model.safetensors",)), Machine(1, 0.0, 1 << 40)).supported


def test_a_cut_file_is_malformed(whisper: Loadable, tmp_path: Path) -> None:
    for path in whisper.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes()[: 1 << 20])
    with pytest.raises(MalformedContent):
        CTranslate2Engine().load(whisper.facts, tmp_path, Plan("transcribe"))
