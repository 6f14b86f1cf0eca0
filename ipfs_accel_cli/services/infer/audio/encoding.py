"""Writing sound files: the format is that of the name's ending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ipfs_accel_cli.core.errors import Invalid, LimitReached
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.infer.audio.reading import library


@dataclass(frozen=True, slots=True)
class Form:
    """A format and how samples are kept in it, as libsndfile names them."""

    name: str
    subtype: str


_FORMS = {
    "wav": Form("WAV", "PCM_16"),
    "flac": Form("FLAC", "PCM_16"),
    "ogg": Form("OGG", "VORBIS"),
    "opus": Form("OGG", "OPUS"),
    "mp3": Form("MP3", "MPEG_LAYER_III"),
    "aiff": Form("AIFF", "PCM_16"),
}
# These two count their bytes in 32 bits.
_COUNTED, _LARGEST_BYTES = ("WAV", "AIFF"), (1 << 32) - (1 << 16)
_SAMPLE_BYTES = 2


def form_of(path: Path, name: str | None = None) -> Form:
    """Return a format by its name, else by the ending of a file; raises Invalid for one that is not written."""
    asked = (name or path.suffix.lstrip(".")).lower()
    if asked not in _FORMS:
        said = f"--format {name}" if name else f"the ending of {path.name!r}"
        raise Invalid(f"sound is written as {', '.join(_FORMS)}; {said} is none of these")
    return _FORMS[asked]


def check_size(form: Form, samples: int) -> None:
    """Raise LimitReached for more samples, of all channels together, than a file of a format can count."""
    if form.name in _COUNTED and samples * _SAMPLE_BYTES > _LARGEST_BYTES:
        made = human_bytes(samples * _SAMPLE_BYTES)
        raise LimitReached(f"{form.name} holds less than 4.0 GiB, and this would be {made}; FLAC holds more")


@contextmanager
def writer(file: IO[bytes], form: Form, rate: int, channels: int) -> Iterator[Any]:
    """Open a file for sound for the block; raises Invalid for a rate or channels that the format does not have."""
    soundfile = library("soundfile")
    try:
        made = soundfile.SoundFile(file, "w", rate, channels, form.subtype, format=form.name)
    except (soundfile.LibsndfileError, ValueError, TypeError) as error:
        raise Invalid(
            f"{form.name} holds no sound of {channels} channels at {rate} samples a second: {error}"
        ) from error
    with made:
        yield made
