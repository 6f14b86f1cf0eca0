"""Sound, speech and what is heard in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

Timestamps = Literal["none", "segment", "word"]
SpeechTask = Literal["transcribe", "translate"]


@dataclass(frozen=True, slots=True)
class Waveform:
    """Sound of one channel: `samples` are float32, mostly between -1 and 1, `rate` of them a second.

    A session takes one that its model can hear at once, 30 s for speech to text; who asks cuts longer ones.
    """

    samples: NDArray[numpy.float32]
    rate: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True)
class TranscribeOptions:
    """How speech is written down. `language` is a code such as `en`; nothing leaves it to the model.

    `translate` writes English whatever is spoken. A temperature of 0 takes the likeliest token.
    """

    language: str = ""
    task: SpeechTask = "transcribe"
    timestamps: Timestamps = "segment"
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Word:
    """A word and when it is spoken, in seconds from the beginning of its waveform."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of speech, written down; times in seconds from the beginning of its waveform.

    Without timestamps there is one segment, as long as the waveform. `words` only where they were asked for.
    """

    text: str
    start_s: float
    end_s: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a session makes of one waveform: the last chunk of its request; those before it may hold nothing.

    `language` is the one that was told or heard, empty where the model does not say. `complete` is false where the
    model stopped in the middle because it had written as much as it can: what follows the last segment is not heard.
    `mean_log_probability` is over all tokens, in nats.
    """

    segments: tuple[Segment, ...]
    language: str = ""
    tokens: int = 0
    complete: bool = True
    mean_log_probability: float | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """A sentence to be spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeakOptions:
    """How a sentence is spoken: by which of the model's voices (nothing: its first), how fast (1: as it was trained).

    A session raises Invalid for a voice that it does not have, naming those that it has.
    """

    voice: str = ""
    speed: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Spoken:
    """A part of what was spoken, in order; all parts have the same rate. `voice` is the one that spoke."""

    waveform: Waveform
    voice: str = ""


@dataclass(frozen=True, slots=True)
class Listening:
    """A block of a longer sound, for voice detection. `memory` is what the answer to the block before it gave."""

    waveform: Waveform
    memory: NDArray[numpy.float32] | None = None


@dataclass(frozen=True, slots=True)
class DetectOptions:
    """Nothing can be chosen about the probabilities; what counts as speech is decided of them afterwards."""


@dataclass(frozen=True, slots=True)
class Activity:
    """How likely each frame of a block is speech: `probabilities` are float32, a frame has `frame_samples` samples.

    The last frame is filled up with silence where the block ends in it.
    """

    probabilities: NDArray[numpy.float32]
    frame_samples: int
    memory: NDArray[numpy.float32]


@dataclass(frozen=True, slots=True)
class HearOptions:
    """How a sound is classified; nothing can be chosen."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Scores of one sound: `scores` is float32, shape (len(labels),), each 0 to 1."""

    scores: NDArray[numpy.float32]
    labels: tuple[str, ...]
