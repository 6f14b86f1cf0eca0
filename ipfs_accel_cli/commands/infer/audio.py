"""Commands about speech and sound."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import Device, Engine, Model
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.audio.results import Processed, SoundLabels, Speech, Utterance, Voice

app = Typer(help="Write speech down, speak, find voices, name sounds, make sounds ready.", no_args_is_help=True)


class Timestamps(StrEnum):
    """How finely times are told."""

    NONE = "none"
    SEGMENT = "segment"
    WORD = "word"


class SpeechTask(StrEnum):
    """What is written down."""

    TRANSCRIBE = "transcribe"
    TRANSLATE = "translate"


Sounds = Annotated[
    list[str] | None, Argument(metavar="FILE", help="WAV, FLAC, OGG, MP3 and more; - or none is standard input.")
]
Rate = Annotated[int | None, Option(help="The file is raw 16-bit samples, so many a second.")]
Channels = Annotated[int | None, Option(help="With --rate: how many channels the samples have; 1 unless told.")]
Force = Annotated[bool, Option("--force", help="Replace a file that is there.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="audio")


@app.command()
@effects(WRITE)
def transcribe(
    files: Sounds = None,
    model: Model = None,
    language: Annotated[str, Option(help="What is spoken, such as en; else the model listens for it.")] = "",
    task: Annotated[SpeechTask, Option(help="translate writes English, with a model of many languages.")] = (
        SpeechTask.TRANSCRIBE
    ),
    timestamps: Annotated[Timestamps, Option(help="Times of nothing, of segments, or of words too.")] = (
        Timestamps.SEGMENT
    ),
    temperature: Annotated[float, Option(help="0 takes the likeliest word each time; higher is freer.")] = 0.0,
    seed: Annotated[int, Option(help="Begin chance with this number, for a temperature above 0.")] = 0,
    voice: Annotated[
        str | None, Option(help="Model that finds the silences to cut long sounds at; none cuts at quiet moments.")
    ] = None,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Also write it as .srt, .vtt, .txt or .jsonl.")
    ] = None,
    force: Force = False,
    rate: Rate = None,
    channels: Channels = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Utterance]:
    """Write down what is spoken, as it is heard; sounds of any length, in constant memory.

    Examples:
        ipfs-accel infer audio transcribe talk.mp3
        ipfs-accel infer audio transcribe interview.wav -o interview.srt --quiet
        ipfs-accel infer audio transcribe talk.flac --timestamps word --json
    """
    from ipfs_accel_cli.engines.exchange.audio import TranscribeOptions
    from ipfs_accel_cli.services.infer.audio.service import Run
    from ipfs_accel_cli.services.infer.audio.sources import raw_of

    options = TranscribeOptions(language.lower(), task.value, timestamps.value, temperature, seed)
    return node().inference.audio.transcribe(
        files or [],
        options,
        Run(model, engine, device),
        voice=voice,
        raw=raw_of(rate, channels),
        output=output,
        force=force,
    )


@app.command()
@effects(WRITE)
def speak(
    output: Annotated[
        Path, Option("--output", "-o", metavar="FILE", help="The sound to write: .wav, .flac, .ogg or .mp3.")
    ],
    text: Annotated[str | None, Argument(help="What to say; else standard input.")] = None,
    model: Model = None,
    voice: Annotated[str, Option(help="Who speaks; a name that there is not tells those that there are.")] = "",
    speed: Annotated[float, Option(help="1 is as the voice speaks by itself, 2 twice as fast.")] = 1.0,
    seed: Annotated[int, Option(help="Begin chance with this number, for models that vary.")] = 0,
    force: Force = False,
    engine: Engine = None,
    device: Device = None,
) -> Speech:
    """Speak a text into a sound file, sentence by sentence.

    Examples:
        ipfs-accel infer audio speak "The train leaves at noon." -o train.wav
        ipfs-accel infer audio speak -o story.flac --speed 1.2 < story.txt
    """
    from ipfs_accel_cli.engines.exchange.audio import SpeakOptions
    from ipfs_accel_cli.services.infer.audio.service import Run

    run = Run(model, engine, device)
    return node().inference.audio.speak(text, SpeakOptions(voice, speed, seed), run, output, force=force)


@app.command()
@effects(READ)
def detect(
    files: Sounds = None,
    model: Model = None,
    threshold: Annotated[float, Option(help="How likely a moment must be speech to count.")] = 0.5,
    min_speech: Annotated[float, Option(help="Leave out what is shorter, in seconds.")] = 0.25,
    min_silence: Annotated[float, Option(help="Seconds of silence that end a stretch.")] = 0.1,
    pad: Annotated[float, Option(help="Seconds that each stretch is widened by on both sides.")] = 0.03,
    rate: Rate = None,
    channels: Channels = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[Voice]:
    """Find where somebody speaks; a sound without a voice gives nothing.

    Examples:
        ipfs-accel infer audio detect meeting.wav
        ipfs-accel infer audio detect meeting.wav --threshold 0.6 --min-silence 0.5 --json
    """
    from ipfs_accel_cli.services.infer.audio.activity import Rules
    from ipfs_accel_cli.services.infer.audio.service import Run
    from ipfs_accel_cli.services.infer.audio.sources import raw_of

    rules = Rules(threshold, min_speech, min_silence, pad)
    run = Run(model, engine, device)
    return node().inference.audio.detect(files or [], rules, run, raw=raw_of(rate, channels))


@app.command()
@effects(READ)
def classify(
    files: Sounds = None,
    model: Model = None,
    window: Annotated[float | None, Option(help="Label each so many seconds by themselves.")] = None,
    top: Annotated[int | None, Option(help="Give only this many of the likeliest labels.")] = None,
    rate: Rate = None,
    channels: Channels = None,
    engine: Engine = None,
    device: Device = None,
) -> Stream[SoundLabels]:
    """Give sounds the labels of a classifier, the likeliest first.

    Examples:
        ipfs-accel infer audio classify bell.wav rain.ogg -m sounds
        ipfs-accel infer audio classify street.flac -m sounds --window 1 --top 1
    """
    from ipfs_accel_cli.services.infer.audio.service import Run
    from ipfs_accel_cli.services.infer.audio.sources import raw_of

    run = Run(model, engine, device)
    return node().inference.audio.classify(files or [], run, window_s=window, top=top, raw=raw_of(rate, channels))


@app.command()
@effects(WRITE)
def process(
    file: Annotated[str | None, Argument(metavar="FILE", help="The sound; - or none is standard input.")] = None,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FILE", help="The sound to write: .wav, .flac, .ogg, .opus, .mp3 or .aiff."),
    ] = None,
    spectrogram: Annotated[Path | None, Option(metavar="FILE.png", help="Draw what it sounds like.")] = None,
    resample: Annotated[int | None, Option(help="Give it so many samples a second.")] = None,
    mono: Annotated[bool, Option("--mono", help="Mix all channels into one.")] = False,
    trim: Annotated[str | None, Option(metavar="START-END", help="Keep this part: 1.5-4, -30, 1:02:03-.")] = None,
    gain: Annotated[float, Option(help="Decibels louder, or softer below 0.")] = 0.0,
    normalise: Annotated[bool, Option("--normalise", help="Make it as loud as can be without distortion.")] = False,
    format_: Annotated[
        Literal["wav", "flac", "ogg", "opus", "mp3", "aiff"] | None,
        Option("--format", help="Write this format whatever the ending says."),
    ] = None,
    force: Force = False,
    rate: Rate = None,
    channels: Channels = None,
) -> Processed:
    """Cut, mix down, resample, make louder or softer, convert and draw a sound of any length.

    Examples:
        ipfs-accel infer audio process talk.mp3 -o talk.wav --resample 16000 --mono
        ipfs-accel infer audio process concert.flac -o part.ogg --trim 1:30-2:00 --normalise
        ipfs-accel infer audio process bell.wav --spectrogram bell.png
    """
    from ipfs_accel_cli.services.infer.audio.processing import Steps, trimmed
    from ipfs_accel_cli.services.infer.audio.sources import raw_of

    start, end = trimmed(trim) if trim is not None else (0.0, None)
    steps = Steps(start, end, mono, resample, gain, normalise)
    return node().inference.audio.process(
        file,
        steps,
        output=output,
        form=format_,
        spectrogram=spectrogram,
        raw=raw_of(rate, channels),
        force=force,
    )
