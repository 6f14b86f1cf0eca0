"""Sound from files and from standard input, block by block: any format of libsndfile, any rate, up to 8 channels."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import IO, Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Invalid, MalformedContent, MissingExtra, NotFound

Samples = NDArray[numpy.float32]

MOST_CHANNELS = 8
MOST_RATE = 384_000
STDIN = "-"
_BLOCK_SECONDS = 1.0
_INSTALL = "pip install 'ipfs-accel[audio]'"
# How libsndfile notes that a file ends before its header says so.
_SHORTER = ("(should be", "without an End-Of-Stream flag")


@dataclass(frozen=True, slots=True)
class Raw:
    """How samples lie in a file without a header: 16 bits, little endian."""

    rate: int
    channels: int = 1


@dataclass(slots=True)
class Sound:
    """An open sound. `frames` is what its header says; `truncated` becomes true when less than that could be read."""

    name: str
    rate: int
    channels: int
    frames: int
    format: str
    _file: Any = field(repr=False)
    truncated: bool = False

    @property
    def seconds(self) -> float:
        """How long it lasts, as its header says."""
        return self.frames / self.rate

    def blocks(self, first: int = 0, count: int | None = None) -> Iterator[Samples]:
        """Yield float32 blocks of about a second, shape (frames, channels), from frame `first` on.

        A file that ends early gives what there is; raises MalformedContent where nothing at all can be read.
        """
        soundfile = library("soundfile")
        left = max(0, self.frames - first) if count is None else count
        read, size = 0, max(1, int(self.rate * _BLOCK_SECONDS))
        try:
            self._file.seek(first)
            while left > read:
                block = self._file.read(min(size, left - read), dtype="float32", always_2d=True)
                if not len(block):
                    break
                read += len(block)
                # A file of floats may hold what is no number, and one such sample would spoil all that follows.
                yield numpy.nan_to_num(block, copy=False)
        except soundfile.LibsndfileError as error:
            if not read:
                raise MalformedContent(f"{self.name} cannot be read: {_said(error)}") from error
        if read < left:
            self.truncated = True


@contextmanager
def opened(source: str, call: Call, raw: Raw | None = None) -> Iterator[Sound]:
    """Open a file for the block, or standard input for `-`.

    Raises NotFound, Invalid for a file without sound or with more than 8 channels, MalformedContent for what is no
    sound, and MissingExtra.
    """
    library("soundfile")
    with _bytes(source, call) as (file, name), sound_in(file, name, raw) as sound:
        yield sound


@contextmanager
def sound_in(file: IO[bytes], name: str, raw: Raw | None = None) -> Iterator[Sound]:
    """Open the sound that a file holds for the block; raises as `opened`."""
    soundfile = library("soundfile")
    options: dict[str, Any] = {}
    if raw is not None:
        _check_raw(raw)
        options = {"samplerate": raw.rate, "channels": raw.channels, "format": "RAW", "subtype": "PCM_16"}
    try:
        sound = soundfile.SoundFile(file, **options)
    except (soundfile.LibsndfileError, TypeError) as error:
        raise _refusal(file, name, error) from error
    with sound:
        yield _checked(sound, name)


def mono(block: Samples) -> Samples:
    """Return the mean of the channels of a block, shape (frames,)."""
    return block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=numpy.float32)


def at_rate(blocks: Iterator[Samples], rate: int, wanted: int) -> Iterator[Samples]:
    """Yield blocks of one channel, or of several in columns, at another rate; none of them is empty."""
    if rate == wanted:
        yield from blocks
        return
    soxr = library("soxr")
    stream: Any = None
    for block in blocks:
        if stream is None:
            stream = soxr.ResampleStream(rate, wanted, block.shape[1] if block.ndim == 2 else 1, dtype="float32")
        made = stream.resample_chunk(numpy.ascontiguousarray(block))
        if len(made):
            yield made
    if stream is not None:
        rest = stream.resample_chunk(numpy.zeros((0, *block.shape[1:]), numpy.float32), last=True)
        if len(rest):
            yield rest


def heard(sound: Sound, rate: int) -> Iterator[Samples]:
    """Yield a sound as models hear it: one channel, at a rate, in blocks of about a second."""
    yield from at_rate((mono(block) for block in sound.blocks()), sound.rate, rate)


@contextmanager
def _bytes(source: str, call: Call) -> Iterator[tuple[IO[bytes], str]]:
    """Open what can be sought in: standard input is put on disk first."""
    if source == STDIN:
        if call.input is None:
            raise Invalid("there is no standard input to read sound from", suggestion="give the name of a file")
        with tempfile.TemporaryFile(prefix="ipfs-accel-sound-") as kept:
            with call.input() as stream:
                shutil.copyfileobj(stream, kept, 1 << 20)
            kept.seek(0)
            yield kept, "standard input"
        return
    path = call.path(source)
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(
            f"no file {str(source)!r}", suggestion="check the spelling, or pipe the sound in and give -"
        ) from error
    except OSError as error:
        raise Invalid(f"cannot read {str(source)!r}: {error.strerror}") from error
    with file:
        yield file, str(source)


def _checked(sound: Any, name: str) -> Sound:
    if sound.channels > MOST_CHANNELS:
        raise Invalid(f"{name} has {sound.channels} channels; {MOST_CHANNELS} are the most that are read")
    if not 0 < sound.samplerate <= MOST_RATE:
        raise Invalid(f"{name} has {sound.samplerate} samples a second; {MOST_RATE} are the most that are read")
    if sound.frames <= 0:
        raise Invalid(f"{name} holds no sound: it is 0 s long")
    shorter = any(words in (sound.extra_info or "") for words in _SHORTER)
    return Sound(name, sound.samplerate, sound.channels, sound.frames, sound.format, sound, truncated=shorter)


def _check_raw(raw: Raw) -> None:
    if not 1 <= raw.rate <= MOST_RATE:
        raise Invalid(f"a sound has 1 to {MOST_RATE} samples a second, not {raw.rate}")
    if not 1 <= raw.channels <= MOST_CHANNELS:
        raise Invalid(f"a sound has 1 to {MOST_CHANNELS} channels, not {raw.channels}")


def _refusal(file: IO[bytes], name: str, error: Exception) -> Invalid | MalformedContent:
    file.seek(0)
    begin = file.read(4)
    if not begin:
        return Invalid(f"{name} is empty: there is no sound in it")
    known = begin in (b"RIFF", b"fLaC", b"OggS", b"FORM", b"RF64", b"caff") or begin[:3] == b"ID3"
    if known:
        return MalformedContent(f"{name} begins as a sound and is damaged: {_said(error)}")
    return MalformedContent(
        f"{name} is no sound that can be read: {_said(error)}",
        suggestion="ipfs-accel infer audio process --help" if Path(name).suffix.lower() in (".raw", ".pcm") else None,
    )


def _said(error: Exception) -> str:
    text = str(getattr(error, "error_string", "") or error)
    return text.strip().rstrip(".") or type(error).__name__


def library(name: str) -> ModuleType:
    """Import a library of the extra `audio`; raises MissingExtra."""
    from importlib import import_module

    try:
        return import_module(name)
    except (ImportError, OSError) as error:
        raise MissingExtra(f"reading sound needs {name}, which is not installed", suggestion=_INSTALL) from error
