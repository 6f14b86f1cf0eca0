"""What the commands about sound answer with."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.infer.results import LabelScore
from ipfs_accel_cli.services.infer.toys import TOLD


class SpokenWord(Result):
    """A word and when it is spoken."""

    text: str
    start_s: float
    end_s: float


class Utterance(Result):
    """A piece of speech, written down."""

    columns = ("start_s", "end_s", "text")
    essence = "text"

    file: str = Field(description="Where it is spoken; - is standard input.")
    start_s: float = Field(description="In seconds from the beginning of the file.")
    end_s: float
    text: str
    language: str = Field(description="Its code, such as en; empty where the model does not say.")
    words: list[SpokenWord] | None = Field(default=None, description="Only with --timestamps word.")


class Speech(Result):
    """A text that was spoken into a file."""

    essence = "path"

    path: str
    seconds: float
    sentences: int
    voice: str
    rate: int = Field(description="Samples a second.")
    model: str
    model_cid: str = Field(description="The manifest that the weights were verified against.")
    engine: str
    device: str
    real_time_factor: float = Field(description="Seconds of work for a second of speech; below 1 keeps up.")


class Voice(Result):
    """A stretch in which somebody speaks."""

    columns = ("file", "start_s", "end_s", "seconds", "probability")
    essence = "start_s"
    bars = ("probability",)

    file: str
    start_s: float = Field(description="In seconds from the beginning of the file.")
    end_s: float
    seconds: float
    probability: float = Field(description="Mean over the stretch of how likely it is speech, 0 to 1.")


class SoundLabels(Result):
    """A sound, or a stretch of one, and its labels."""

    columns = ("file", "start_s", "end_s", "label", "score")
    essence = "label"

    file: str
    start_s: float
    end_s: float
    label: str = Field(description="The likeliest one.")
    score: float
    scores: list[LabelScore] = Field(description="The likeliest labels, likeliest first; --top says how many.")
    model: str
    toy: bool = Field(description=TOLD)


class Processed(Result):
    """A sound that was made ready, and what it is now."""

    essence = "path"

    path: str | None = Field(default=None, description="The sound that was written; none when only a picture was.")
    spectrogram: str | None = Field(default=None, description="The picture that was written.")
    seconds: float
    rate: int = Field(description="Samples a second.")
    channels: int
    format: str
    peak: float = Field(description="The largest sample, where 1 is as loud as can be.")
    clipped_samples: int = Field(default=0, description="How many were louder than that and were cut off.")
