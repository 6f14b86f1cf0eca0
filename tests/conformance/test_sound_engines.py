"""Every session for sound passes the same suite, with real architectures and random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Loadable, Plan, Request, Session
from ipfs_accel_cli.engines.exchange.audio import HearOptions, Script, SpeakOptions, TranscribeOptions
from ipfs_accel_cli.services.model.heads import tasks_of
from tests.conformance import tiny_sounds
from tests.conformance.engine_suite import chunks_of
from tests.conformance.sound_suite import SoundSuite, hum

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loadable]:
    made: dict[str, Loadable] = {}

    def model(name: str) -> Loadable:
        if name not in made:
            made[name] = getattr(tiny_sounds, name)(tmp_path_factory.mktemp("sounds") / name)
        return made[name]

    return model


def loaded(model: Loadable, task: str) -> Session:
    session: Session = ENGINES.load("torch")().load(model.facts, model.folder, Plan(task, threads=1))
    return session


class TestSpeller(SoundSuite):
    @pytest.fixture
    def session(self, tiny: Callable[[str], Loadable]) -> Session:
        return loaded(tiny("speller"), "transcribe")

    @pytest.fixture
    def ask(self) -> Callable[[], Request]:
        return lambda: Request("transcribe", hum(), TranscribeOptions(timestamps="word"))

    def test_what_it_writes_lies_within_the_sound(self, session: Session, ask: Callable[[], Request]) -> None:
        transcript = chunks_of(session, ask())[0].data
        for segment in transcript.segments:
            assert 0 <= segment.start_s <= segment.end_s <= 1.0
            assert " ".join(word.text for word in segment.words) == segment.text
            assert all(0 <= word.start_s <= word.end_s <= 1.01 for word in segment.words)

    def test_a_sound_at_another_rate_is_refused_with_the_rate(self, session: Session) -> None:
        with pytest.raises(Invalid, match="16000"):
            session.submit(Request("transcribe", hum(rate=8000), TranscribeOptions()))


class TestSoundNamer(SoundSuite):
    @pytest.fixture(params=["sound_namer", "spectrogram_namer"])
    def session(self, tiny: Callable[[str], Loadable], request: pytest.FixtureRequest) -> Session:
        return loaded(tiny(request.param), "audio-classify")

    @pytest.fixture
    def ask(self) -> Callable[[], Request]:
        return lambda: Request("audio-classify", hum(), HearOptions())

    def test_the_scores_of_all_labels_add_up_to_one_however_long_the_sound(self, session: Session) -> None:
        for seconds in (0.1, 1.0, 2.7):
            heard = chunks_of(session, Request("audio-classify", hum(seconds), HearOptions()))[0].data
            assert heard.labels == ("bell", "rain", "dog")
            assert float(heard.scores.sum()) == pytest.approx(1.0, abs=1e-5)


class TestSpeaker(SoundSuite):
    @pytest.fixture
    def session(self, tiny: Callable[[str], Loadable]) -> Session:
        return loaded(tiny("speaker"), "speak")

    @pytest.fixture
    def ask(self) -> Callable[[], Request]:
        return lambda: Request("speak", Script("some words"), SpeakOptions(seed=5))

    def test_a_voice_that_there_is_not_is_refused_with_those_that_there_are(self, session: Session) -> None:
        with pytest.raises(Invalid, match="0 to 0"):
            session.submit(Request("speak", Script("a"), SpeakOptions("anna")))

    def test_another_seed_speaks_otherwise(self, session: Session, ask: Callable[[], Request]) -> None:
        one = chunks_of(session, ask())[0].data.waveform
        other = chunks_of(session, Request("speak", Script("some words"), SpeakOptions(seed=6)))[0].data.waveform
        assert one.rate == other.rate == 16_000
        assert len(one.samples) != len(other.samples) or not numpy.allclose(one.samples, other.samples)


def test_a_classifier_of_texts_gives_sounds_no_labels(tmp_path: Path) -> None:
    from tests.conformance.tiny_models import decoder

    model = decoder(tmp_path / "words")
    with pytest.raises(UnsupportedContent, match="no labels"):
        loaded(model, "audio-classify")


def test_heads_of_sound_with_names_of_texts_are_told_apart() -> None:
    assert tasks_of(["Wav2Vec2ForSequenceClassification"], has_tokenizer=False) == ("audio-classify",)
    assert tasks_of(["BertForSequenceClassification"], has_tokenizer=True) == ("classify",)
