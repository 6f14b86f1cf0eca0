"""Sound: how long, how it was sampled, and its tags."""

from __future__ import annotations

from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits

_TAGS = ("title", "artist", "album", "genre", "date", "comment", "copyright", "software", "tracknumber", "license")
_MEDIA = {"wav": "audio/wav", "wavex": "audio/wav", "flac": "audio/flac", "ogg": "audio/ogg", "mp3": "audio/mpeg"}


class AudioExtractor:
    """A recording of any kind that libsndfile reads; what is said in it is the work of a model, not done here."""

    name = "audio"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a recording; raises MalformedContent."""
        import soundfile

        with content.open() as file:
            try:
                with soundfile.SoundFile(file) as sound:
                    facts, tags = _facts(sound, content), sound.copy_metadata()
            except (soundfile.LibsndfileError, RuntimeError, ValueError, OSError) as error:
                raise MalformedContent(f"{content.name} is no sound that is read here: {words.line(error)}") from error
        said = {key: words.line(tags[key], 400) for key in _TAGS if tags.get(key)}
        facts |= {_named(key): value for key, value in said.items() if value and key != "title"}
        text = "\n".join(value for value in said.values() if value)
        return Document("audio", said.get("title") or content.name, text, facts)


def _facts(sound: Any, content: Content) -> dict[str, Fact]:
    kind = str(sound.format).lower()
    return {
        "media_type": _MEDIA.get(kind, f"audio/{kind}"),
        "size_bytes": content.size_bytes,
        "format": kind,
        "encoding": str(sound.subtype).lower(),
        "sample_rate_hz": int(sound.samplerate),
        "channels": int(sound.channels),
        "duration_s": round(sound.frames / sound.samplerate, 3) if sound.samplerate > 0 else 0.0,
    }


def _named(key: str) -> str:
    return {"license": "licence", "tracknumber": "track"}.get(key, key)
