#!/usr/bin/env python3
"""Train a toy that answers questions: a real BERT-architecture folder whose weights are entirely our own.

    python scripts/train_answer_model.py OUT [--seconds 55 | --steps N] [--seed 0]

It points at words in made-up facts of one shape, and at nothing when they do not say; it knows nothing else. Call it a
toy.
"""

from __future__ import annotations

import random

import text_toys
import torch
from transformers import BertConfig, BertForQuestionAnswering

WHO = [
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
    "Willow",
]
VERBS = {"found": "find", "lost": "lose", "sold": "sell", "hid": "hide", "bought": "buy", "saw": "see"}
WHAT = ["key", "coin", "book", "hat", "lamp", "map", "ring", "boat", "kite", "drum"]
ADJECTIVES = ["red", "blue", "old", "small", "golden", "broken"]
WHERE = ["garden", "forest", "market", "harbour", "library", "station", "kitchen", "museum"]
WHEN = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
LENGTH, BATCH, UNANSWERABLE = 96, 24, 0.2


def facts(chance: random.Random) -> list[dict[str, str]]:
    """Return one to three facts that differ in who and what."""
    count = chance.choice([1, 1, 2, 2])
    people, things = chance.sample(WHO, count), chance.sample(WHAT, count)
    return [
        {
            "who": who, "did": chance.choice(list(VERBS)), "what": f"{chance.choice(ADJECTIVES)} {what}", "thing": what,
            "where": chance.choice(WHERE), "when": chance.choice(WHEN),
        }
        for who, what in zip(people, things, strict=True)
    ]  # fmt: skip


def told(fact: dict[str, str], chance: random.Random) -> str:
    frames = [
        "{who} {did} a {what} in the {where} on {when}.",
        "On {when}, {who} {did} a {what} in the {where}.",
        "In the {where} {who} {did} a {what} on {when}.",
    ]
    return chance.choice(frames).format(**fact)


def question(fact: dict[str, str], chance: random.Random) -> tuple[str, str]:
    """Return a question about a fact and its answer."""
    verb = VERBS[fact["did"]]
    return chance.choice(
        [
            (f"Who {fact['did']} the {fact['thing']}?", fact["who"]),
            (f"What did {fact['who']} {verb}?", f"a {fact['what']}"),
            (f"Where did {fact['who']} {verb} the {fact['thing']}?", f"the {fact['where']}"),
            (f"When did {fact['who']} {verb} the {fact['thing']}?", fact["when"]),
        ]
    )


def example(chance: random.Random) -> tuple[str, str, int, int]:
    """Return a question, a context, and where the answer is in it; -1 where it is not."""
    known = facts(chance)
    parts = [told(fact, chance) for fact in known]
    about = chance.randrange(len(known))
    asked, answer = question(known[about], chance)
    if chance.random() < UNANSWERABLE:
        other = [name for name in WHO if name not in {fact["who"] for fact in known}]
        things = [thing for thing in WHAT if thing not in {fact["thing"] for fact in known}]
        stranger = known[about] | {"who": chance.choice(other), "thing": chance.choice(things)}
        return question(stranger, chance)[0], " ".join(parts), -1, -1
    start = sum(len(part) + 1 for part in parts[:about]) + parts[about].index(answer)
    return asked, " ".join(parts), start, start + len(answer)


def main() -> None:
    asked = text_toys.options(__doc__, 55)
    chance = random.Random(asked.seed)
    tokenizer = text_toys.pieces((" ".join(map(str, example(chance)[:2])) for _ in range(2000)), 500, LENGTH)
    sizes = text_toys.BERT | {"vocab_size": len(tokenizer), "max_position_embeddings": LENGTH, "pad_token_id": 0}
    model = BertForQuestionAnswering(BertConfig(**sizes, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0))

    # To answer is to find again in the context what the question names: tokens begin by looking for their like.
    with torch.no_grad():
        model.bert.embeddings.word_embeddings.weight.normal_(0, 1)
        for table in (model.bert.embeddings.position_embeddings, model.bert.embeddings.token_type_embeddings):
            table.weight.normal_(0, 0.3)
        for layer in model.bert.encoder.layer:
            layer.attention.self.key.weight.normal_(0, 0.18)
            layer.attention.self.query.weight.copy_(layer.attention.self.key.weight)

    def batch(size: int = BATCH) -> dict[str, torch.Tensor]:
        made = [example(chance) for _ in range(size)]
        encoded = tokenizer([one[0] for one in made], [one[1] for one in made], padding=True, return_tensors="pt")
        begins, ends = [], []
        for row, (_, _, start, end) in enumerate(made):
            begins.append(0 if start < 0 else encoded.char_to_token(row, start, 1))
            ends.append(0 if start < 0 else encoded.char_to_token(row, end - 1, 1))
        return {**encoded, "start_positions": torch.tensor(begins), "end_positions": torch.tensor(ends)}

    steps = text_toys.train(model, batch, asked, rate=2e-3)
    held_out = batch(400)
    with torch.no_grad():
        output = model(**held_out)
    begins, ends = held_out["start_positions"], held_out["end_positions"]
    exact = (output.start_logits.argmax(-1) == begins) & (output.end_logits.argmax(-1) == ends)
    there = begins > 0
    quality = (
        f"After {steps} steps it answered {exact[there].float().mean():.1%} of {int(there.sum())} new questions of "
        f"that kind exactly, and gave none to {exact[~there].float().mean():.1%} of {int((~there).sum())} without one."
    )
    text_toys.save(
        model, tokenizer, asked.out,
        title="A toy that answers questions", script="train_answer_model.py", tag="question-answering", quality=quality,
    )  # fmt: skip


if __name__ == "__main__":
    main()
