"""Texts to compare models with: some of our own of many kinds, or those of a file."""

from __future__ import annotations

import json
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound
from ipfs_accel_cli.services.infer.texts import lines

MOST_SAMPLES = 10_000
# Written for this. Plain and technical prose, questions, other languages, numbers, code, one word and many.
SAMPLES = (
    "rain",
    "The cat sat on the mat.",
    "A small red bird ran under the old tree.",
    "Interest rates rose again this quarter, and nobody in the market had expected it to happen so soon.",
    "How long does it take to walk from the station to the harbour?",
    "Please restart the server after the update and tell me whether the log still shows the same warning.",
    "The patient was given two hundred milligrams in the morning and felt better by noon.",
    "Water boils at a lower temperature on a mountain because the pressure of the air is lower there.",
    "He opened the letter, read the first line, and put it back without a word.",
    "def area(width, height): return width * height",
    "Où est la gare ? Elle est juste derrière la mairie, à gauche du pont.",
    "Der Zug nach Norden fährt heute von einem anderen Gleis ab.",
    "2 + 2 = 4, and seven times eight is fifty-six.",
    "Chop the onion, fry it slowly in butter, then add the rice and a pinch of salt.",
    "The home team scored in the last minute and won the match by a single goal.",
    "Our choir sings an old song about the sea every winter.",
    "This product broke after a week, and the shop refused to give me my money back.",
    "What a lovely evening! I would come back here at any time.",
    "The committee will meet on the third of March to vote on the new rules for the library.",
    "An index makes reading faster and writing slower, so a table should have no more of them than it needs.",
    "Once upon a time there was a miller who had three sons, a mill, a donkey and a cat.",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen",
    "The river was wide and brown after the storm. Nobody had crossed it for two days, and the ferry lay on the other"
    " bank with its ropes untied. When the sun came out, an old woman went down to the water and called, but only the"
    " birds answered her.",
    "A hash function maps data of any length to a number of fixed length. It is called secure when nobody can find two"
    " inputs with the same number, or an input for a number that was given. Content addressing rests on this: whoever"
    " knows the number can check the bytes, wherever they came from.",
)


def read_samples(file: Path | None) -> tuple[str, ...]:
    """Return the texts of a file, one a line, or a JSON text or an object with `text` a line; else our own.

    Raises NotFound, Invalid for a line that is neither, and LimitReached beyond 10 000 texts.
    """
    if file is None:
        return SAMPLES
    path = current().path(file)
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"no file {str(path)!r}") from error
    except OSError as error:
        raise Invalid(f"cannot read {str(path)!r}: {error.strerror}") from error
    found: list[str] = []
    for number, line in enumerate(lines(stream), 1):
        if line.strip():
            found.append(_text(line, number) if path.suffix in (".jsonl", ".ndjson") else line)
        if len(found) > MOST_SAMPLES:
            raise LimitReached(f"{path.name} has more than {MOST_SAMPLES} texts")
    if not found:
        raise Invalid(f"{path.name} holds no text")
    return tuple(found)


def _text(line: str, number: int) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"line {number} is not JSON: {error}") from error
    found = value.get("text") if isinstance(value, dict) else value
    if not isinstance(found, str):
        raise Invalid(f"line {number} is no text and no object with a member `text`")
    return found
