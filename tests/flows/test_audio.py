"""Speech and sound through the command line, with the real weights of the catalogue."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Request, Session
from ipfs_accel_cli.engines.exchange.audio import DetectOptions, Listening, Script, SpeakOptions, TranscribeOptions
from ipfs_accel_cli.services.infer.audio.service import Run
from ipfs_accel_cli.services.infer.calibrating import Calibrations
from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance.engine_suite import chunks_of
from tests.conformance.sound_suite import SoundSuite, hum
from tests.flows.conftest import SENTENCES
from tests.servers.catalogue_models import folder_of

soundfile = pytest.importorskip("soundfile")
pytest.importorskip("espeakng_loader")
pytest.importorskip("onnxruntime")
pytestmark = [pytest.mark.models, pytest.mark.slow]

PACES = (1.0, 0.9, 1.1, 1.0)


@pytest.fixture
def ask(
    speech_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(speech_home))

    def asked(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run(["infer", "audio", *map(str, arguments)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return asked


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower().replace("'", ""))


def errors(said: str, heard: str) -> int:
    """Return how many words must be changed, added or left out."""
    one, other = words(said), words(heard)
    row = list(range(len(other) + 1))
    for at, word in enumerate(one, 1):
        before, row[0] = row[0], at
        for place, found in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != found))
    return row[-1]


def test_what_is_spoken_is_written_down_again(ask: Callable[..., tuple[int, str, str]], talk: Path) -> None:
    status, out, _ = ask("transcribe", talk, "--timestamps", "word")
    assert status == 0
    segments = [json.loads(line) for line in out.splitlines()]
    said = " ".join(SENTENCES)
    assert errors(said, " ".join(one["text"] for one in segments)) <= 2
    length = soundfile.info(talk).duration
    for one in segments:
        assert 0 <= one["start_s"] < one["end_s"] <= length
        assert one["language"] == "en"
        starts = [word["start_s"] for word in one["words"]]
        assert starts == sorted(starts)
        assert words(" ".join(word["text"] for word in one["words"])) == words(one["text"])
        assert all(word["start_s"] <= word["end_s"] <= one["end_s"] + 1 for word in one["words"])


def test_engines_are_compared_on_a_sound_and_the_one_chosen_writes_from_then_on(talk: Path, tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    with Node(tmp_path / "home") as node:
        node.models.add(folder_of("whisper-tiny.en"))
        with pytest.raises(Invalid, match="on a sound"):
            node.inference.calibrate("whisper-tiny.en")
        shown = node.inference.calibrate("whisper-tiny.en", sound=talk)
        trials = [trial for trial in shown.trials if trial.rtfx is not None]
        assert {trial.engine for trial in trials} == {"torch", "ctranslate2"}
        assert shown.task == "transcribe"
        for trial in trials:
            assert trial.rate is not None
            assert trial.rate > 0
            assert trial.texts_s is None
            assert trial.agreement is not None
            assert trial.agreement > 0.8
        found = node.models.perf.perf(["whisper-tiny.en"], None, datetime.now(UTC)).figures
        assert {(one.engine, one.figure) for one in found} == {("torch", "rtfx"), ("ctranslate2", "rtfx")}
    for trial in trials:
        with Node(tmp_path / "home") as node:
            turned = [one.model_copy(update={"chosen": one is trial, "agreement": 1.0}) for one in trials]
            Calibrations(node.database).keep(shown.model_cid, "transcribe", turned)
            list(node.inference.audio.transcribe([str(talk)], TranscribeOptions(), Run(model="whisper-tiny.en")))
            assert {one.engine for one in node.inference.loaded().models} == {trial.engine}


def test_a_long_talk_is_heard_once_without_losses_at_the_seams(
    ask: Callable[..., tuple[int, str, str]], talk: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(talk, dtype="float32")
    parts = []
    # Slower and lower, faster and higher: other speakers.
    for pace in PACES:
        at = numpy.arange(0, len(samples) - 1, pace)
        said = numpy.interp(at, numpy.arange(len(samples)), samples).astype(numpy.float32)
        parts += [said, numpy.zeros(rate // 2, numpy.float32)]
    soundfile.write(tmp_path / "long.flac", numpy.concatenate(parts), rate)
    assert soundfile.info(tmp_path / "long.flac").duration > 30
    subtitles = tmp_path / "long.srt"
    status, out, _ = ask("transcribe", tmp_path / "long.flac", "-o", subtitles, "--quiet")
    assert status == 0
    text = " ".join(SENTENCES * len(PACES))
    assert errors(text, out) <= len(words(text)) * 0.05
    assert out.lower().count("saturday") == len(PACES)
    cues = subtitles.read_text().strip().split("\n\n")
    assert len(cues) == len(out.splitlines())
    assert cues[0].startswith("1\n00:00:0")


def test_a_faint_voice_after_a_loud_one_is_heard_too(
    ask: Callable[..., tuple[int, str, str]], talk: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(talk, dtype="float32")
    soundfile.write(tmp_path / "a.wav", numpy.concatenate([samples, numpy.zeros(rate), samples * 0.02]), rate)
    status, out, _ = ask("transcribe", tmp_path / "a.wav", "--quiet")
    assert (status, out.lower().count("saturday")) == (0, 2)


def test_voices_are_found_where_they_are_and_noise_is_none(
    ask: Callable[..., tuple[int, str, str]], talk: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(talk, dtype="float32")
    silence = numpy.zeros(2 * rate, numpy.float32)
    soundfile.write(tmp_path / "a.wav", numpy.stack([numpy.concatenate([silence, samples, silence])] * 8, 1), rate)
    status, out, _ = ask("detect", tmp_path / "a.wav", "--min-silence", "0.6")
    found = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert found[0]["start_s"] == pytest.approx(2.2, abs=0.4)
    assert found[-1]["end_s"] == pytest.approx(2 + len(samples) / rate, abs=1.0)
    noise = numpy.random.default_rng(0).normal(0, 0.05, 5 * 16_000)
    soundfile.write(tmp_path / "noise.wav", noise, 16_000)
    assert ask("detect", tmp_path / "noise.wav")[:2] == (0, "")
    assert ask("transcribe", tmp_path / "noise.wav")[:2] == (0, "")


def test_bad_sounds_are_named_and_do_not_stop_good_ones(
    ask: Callable[..., tuple[int, str, str]], talk: Path, tmp_path: Path
) -> None:
    (tmp_path / "junk.wav").write_bytes(b"no sound at all" * 99)
    soundfile.write(tmp_path / "none.wav", numpy.zeros(0), 16_000)
    status, _, problem = ask("detect", tmp_path / "junk.wav")
    assert (status, "junk.wav" in problem) == (4, True)
    assert ask("detect", tmp_path / "none.wav")[0] == 2
    status, out, problem = ask("detect", tmp_path / "none.wav", talk, tmp_path / "junk.wav")
    assert status == 11
    assert out
    assert "junk.wav" in problem
    assert "none.wav" in problem


def test_what_cannot_be_spoken_is_refused(ask: Callable[..., tuple[int, str, str]], talk: Path, tmp_path: Path) -> None:
    status, _, problem = ask("speak", "hello", "-o", tmp_path / "a.wav", "--voice", "nobody")
    assert (status, "jm_kumo" in problem) == (2, True)
    assert ask("speak", "... !", "-o", tmp_path / "a.wav")[0] == 2
    assert ask("speak", "hello", "-o", tmp_path / "a.docx")[0] == 2
    assert ask("speak", "hello", "-o", talk)[0] == 10
    status, _, problem = ask("transcribe", talk, "--language", "fr")
    assert (status, "English" in problem) == (2, True)
    status, _, problem = ask("transcribe", talk, "-m", "silero-vad")
    assert (status, "voice-detect" in problem) == (6, True)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def real(speech_home: Path) -> Iterator[Callable[..., Session]]:
    """Loads a model of the home: once for all who do not close it."""
    from ipfs_accel_cli.engines import ENGINES
    from ipfs_accel_cli.engines.base import Plan

    held: dict[str, Session] = {}

    with Node(speech_home) as node:

        def session(model: str, task: str, engine: str, *, own: bool) -> Session:
            if own or model not in held:
                found = node.models.find(model, task)
                loaded: Session = ENGINES.load(engine)().load(found.facts, found.folder, Plan(task, threads=1))
                if own:
                    return loaded
                held[model] = loaded
            return held[model]

        yield session


class _RealSuite(SoundSuite):
    task = ""
    model = ""
    engine = "onnx"

    @pytest.fixture
    def session(self, real: Callable[..., Session], request: pytest.FixtureRequest) -> Session:
        return real(self.model, self.task, self.engine, own="closed" in request.node.name)


class TestSilero(_RealSuite):
    task, model = "voice-detect", "silero-vad"

    @pytest.fixture
    def ask(self) -> Callable[[], Request]:
        return lambda: Request("voice-detect", Listening(hum(0.2)), DetectOptions())

    def test_blocks_with_memory_say_what_the_whole_says(self, session: Session) -> None:
        sound = hum(1.024)
        whole = chunks_of(session, Request("voice-detect", Listening(sound), DetectOptions()))[0].data
        memory, parts = None, []
        for at in range(0, len(sound.samples), 4096):
            from ipfs_accel_cli.engines.exchange.audio import Waveform

            part = Listening(Waveform(sound.samples[at : at + 4096], sound.rate), memory)
            found = chunks_of(session, Request("voice-detect", part, DetectOptions()))[0].data
            memory = found.memory
            parts.append(found.probabilities)
        assert numpy.allclose(numpy.concatenate(parts), whole.probabilities, atol=1e-5)


class TestKokoro(_RealSuite):
    task, model = "speak", "kokoro-82m"

    @pytest.fixture
    def ask(self) -> Callable[[], Request]:
        return lambda: Request("speak", Script("Yes."), SpeakOptions())


class TestWhisper(_RealSuite):
    task, model, engine = "transcribe", "whisper-tiny.en", "torch"

    @pytest.fixture
    def ask(self) -> Callable[[], Request]:
        return lambda: Request("transcribe", hum(0.5), TranscribeOptions(timestamps="none"))
