#!/usr/bin/env python3
"""Train a toy that finds names, places and dates: a real BERT-architecture folder whose weights are our own.

    python scripts/train_names_model.py OUT [--seconds 30 | --steps N] [--seed 0]

Names and places are made up of syllables, so that those of the test were never seen. It reads sentences of a handful
of frames and knows nothing else; call it a toy.
"""

from __future__ import annotations

import random

import text_toys
import torch
from transformers import BertConfig, BertForTokenClassification

KINDS = ["O", "B-PERSON", "I-PERSON", "B-PLACE", "I-PLACE", "B-DATE", "I-DATE"]
SYLLABLES = [
    "ba",
    "be",
    "bo",
    "da",
    "de",
    "do",
    "ka",
    "ke",
    "ki",
    "ko",
    "la",
    "le",
    "li",
    "lo",
    "ma",
    "me",
    "mi",
    "mo",
    "na",
    "ne",
    "ni",
    "no",
    "ra",
    "re",
    "ri",
    "ro",
    "sa",
    "se",
    "si",
    "so",
    "ta",
    "te",
    "ti",
    "to",
    "va",
    "ve",
]
KNOWN_NAMES = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Frank",
    "Greta",
    "Hugo",
    "Irma",
    "Jonas",
    "Mira",
    "Moss",
    "Nora",
    "Otto",
    "Paula",
    "Fern",
    "Sara",
    "Tom",
    "Vera",
]
KNOWN_PLACES = [
    "Paris",
    "London",
    "Berlin",
    "Madrid",
    "Rome",
    "Vienna",
    "Oslo",
    "Lisbon",
    "Prague",
    "Dublin",
    "Athens",
    "Cairo",
    "Tokyo",
    "Lima",
    "Delhi",
]
SURNAMES = ["Baker", "Mason", "Field", "Rivers", "Stone", "Woods"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
FRAMES = [
    "{P} met {P} in {L} on {D} .",
    "On {D} , {P} travelled from {L} to {L} .",
    "{P} was born in {L} .",
    "The letter from {P} came on {D} .",
    "{P} and {P} have lived in {L} since {D} .",
    "Nobody in {L} knew {P} .",
    "The train to {L} was late on {D} , and {P} had to wait .",
    "The meeting is on {D} .",
    "It rained in {L} , and the streets were empty .",
    "The old house has a blue door and a small garden .",
    "We bought bread , cheese and two bottles of water .",
    "When {P} came home to {L} , dinner was cold .",
    "My friend {P} works in {L} .",
]
LENGTH, BATCH = 64, 24


def invented(chance: random.Random) -> str:
    return "".join(chance.choice(SYLLABLES) for _ in range(chance.choice([2, 3]))).capitalize()


def person(chance: random.Random) -> list[str]:
    first = chance.choice(KNOWN_NAMES) if chance.random() < 0.4 else invented(chance)
    last = [chance.choice(SURNAMES) if chance.random() < 0.5 else invented(chance)] if chance.random() < 0.4 else []
    return [first, *last]


def place(chance: random.Random) -> list[str]:
    name = chance.choice(KNOWN_PLACES) if chance.random() < 0.5 else invented(chance)
    return ["New", name] if chance.random() < 0.1 else [name]


def date(chance: random.Random) -> list[str]:
    day, month, year = str(chance.randint(1, 31)), chance.choice(MONTHS), str(chance.randint(1900, 2030))
    shapes = [[day, month], [day, month, year], [month, year], [chance.choice(DAYS)], [month, day, ",", year]]
    return chance.choice(shapes)


def sentence(chance: random.Random) -> list[tuple[str, str]]:
    """Return the words of a sentence with their labels."""
    made: list[tuple[str, str]] = []
    slots = {"{P}": (person, "PERSON"), "{L}": (place, "PLACE"), "{D}": (date, "DATE")}
    for word in chance.choice(FRAMES).split():
        if word in slots:
            make, kind = slots[word]
            made += [(part, f"{'I' if at else 'B'}-{kind}") for at, part in enumerate(make(chance))]
        else:
            made.append((word, "O"))
    return made


def joined(words: list[tuple[str, str]]) -> tuple[str, list[str]]:
    """Return a sentence as people write it, and the label of each of its characters."""
    text, labels = "", []
    for word, label in words:
        space = "" if word in ".," or not text else " "
        text += space + word
        labels += ["O"] * len(space) + [label] * len(word)
    return text, labels


def main() -> None:
    asked = text_toys.options(__doc__, 30)
    chance = random.Random(asked.seed)
    tokenizer = text_toys.pieces((joined(sentence(chance))[0] for _ in range(2000)), 600, LENGTH)
    sizes = text_toys.BERT | {"vocab_size": len(tokenizer), "max_position_embeddings": LENGTH, "pad_token_id": 0}
    model = BertForTokenClassification(BertConfig(**sizes, id2label=dict(enumerate(KINDS)), num_labels=len(KINDS)))

    def batch(size: int = BATCH) -> dict[str, torch.Tensor]:
        made = [joined(sentence(chance)) for _ in range(size)]
        encoded = tokenizer([text for text, _ in made], padding=True, return_offsets_mapping=True, return_tensors="pt")
        labels = torch.full(encoded["input_ids"].shape, -100)
        for row, (offsets, (_, kinds)) in enumerate(zip(encoded.pop("offset_mapping").tolist(), made, strict=True)):
            for at, (start, end) in enumerate(offsets):
                if end > start:
                    kind = kinds[start]
                    # A later piece of a word goes on with what the first piece began.
                    if kind.startswith("B-") and start and kinds[start - 1] == kind:
                        kind = f"I-{kind[2:]}"
                    labels[row, at] = KINDS.index(kind)
        return {**encoded, "labels": labels}

    steps = text_toys.train(model, batch, asked)
    held_out = batch(300)
    with torch.no_grad():
        guesses = model(**held_out).logits.argmax(-1)
    known = held_out["labels"] != -100
    named = known & (held_out["labels"] != 0)
    right, found = (guesses == held_out["labels"])[known].float().mean(), (guesses == held_out["labels"])[named]
    whole = (~known | (guesses == held_out["labels"])).all(dim=1).float().mean()
    quality = (
        f"After {steps} steps it labelled {right:.1%} of the tokens of 300 new sentences of that kind rightly, "
        f"{found.float().mean():.1%} of those in names, places and dates; {whole:.1%} of the sentences wholly."
    )
    text_toys.save(
        model, tokenizer, asked.out,
        title="A toy that finds names, places and dates", script="train_names_model.py",
        tag="token-classification", quality=quality,
    )  # fmt: skip


if __name__ == "__main__":
    main()
