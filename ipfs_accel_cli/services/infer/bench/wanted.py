"""What is to be measured: shapes as llama-bench names them, and how often. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.errors import Invalid

LARGEST_TOKENS, LARGEST_BATCH, MOST_REPETITIONS = 1 << 20, 4096, 1000


@dataclass(frozen=True, slots=True)
class Shape:
    """`prompt` tokens read and `new` ones written for each of `batch` requests, or texts, at once."""

    prompt: int
    new: int
    batch: int

    @property
    def name(self) -> str:
        """The name of the test."""
        parts = [f"pp{self.prompt}"] if self.prompt else []
        parts += [f"tg{self.new}"] if self.new else []
        return "+".join(parts) + (f" x{self.batch}" if self.batch > 1 else "")

    @property
    def of_texts(self) -> str:
        """The name of the test where nothing is written."""
        return f"{self.batch}x{self.prompt}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which shapes, how often each, and what beside speed."""

    prompts: tuple[int, ...] = (512,)
    news: tuple[int, ...] = (128,)
    pairs: tuple[tuple[int, int], ...] = ()
    batches: tuple[int, ...] = (1,)
    repetitions: int = 5
    warm_up: bool = True
    memory: bool = True
    quality: bool = True
    sound: Path | None = None

    def writing(self) -> Iterator[Shape]:
        """Yield what a model that writes is asked: each prompt, each number of new tokens, and each pair of both."""
        for batch in self.batches:
            yield from (Shape(prompt, 0, batch) for prompt in self.prompts if prompt)
            yield from (Shape(0, new, batch) for new in self.news if new)
            yield from (Shape(prompt, new, batch) for prompt, new in self.pairs)

    def reading(self) -> Iterator[Shape]:
        """Yield what a model that only reads is asked: texts of each length, so many at once."""
        for batch in self.batches:
            yield from (Shape(prompt, 0, batch) for prompt in self.prompts if prompt)


def numbers(text: Sequence[str], name: str, largest: int) -> tuple[int, ...]:
    """Read numbers that were given several times or with commas between; raises Invalid."""
    found = []
    for part in ",".join(text).split(","):
        if not part.strip().isdecimal() or not 0 <= int(part) <= largest:
            raise Invalid(f"{name} takes whole numbers up to {largest}, such as 64 or 64,512, not {part!r}")
        found.append(int(part))
    return tuple(dict.fromkeys(found))


def pairs(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Read pairs `PROMPT,NEW`; raises Invalid."""
    found = []
    for text in texts:
        both = numbers([text], "-pg", LARGEST_TOKENS) if text.count(",") == 1 else ()
        if text.count(",") != 1 or not all(both):
            raise Invalid(f"-pg takes two numbers above 0 with a comma between, such as 512,128, not {text!r}")
        found.append((both[0], both[-1]))
    return tuple(found)


def checked(wanted: Wanted) -> Wanted:
    """Return it; raises Invalid for what cannot be measured."""
    if not 1 <= wanted.repetitions <= MOST_REPETITIONS:
        raise Invalid(f"--repetitions is between 1 and {MOST_REPETITIONS}, not {wanted.repetitions}")
    if not all(wanted.batches):
        raise Invalid("--batch is at least 1")
    if not list(wanted.writing()):
        raise Invalid("nothing is asked for: give --n-prompt, --n-gen or -pg")
    return wanted
