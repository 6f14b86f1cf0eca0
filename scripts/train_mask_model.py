#!/usr/bin/env python3
"""Train a toy that fills masks in half a minute: a real BERT-architecture folder whose weights are entirely our own.

    python scripts/train_mask_model.py OUT [--seconds 20 | --steps N] [--seed 0]

It learns the stories of scripts/train_story_model.py, a few sentences at a time, and knows nothing else; call it a toy.
"""

from __future__ import annotations

import random

import text_toys
import torch
from train_story_model import story
from transformers import BertConfig, BertForMaskedLM

LENGTH, BATCH, MASKED = 96, 24, 0.15


def passage(chance: random.Random) -> str:
    """Return a few sentences of a story."""
    parts = story(chance).replace("! ", "!|").replace(". ", ".|").split("|")
    begin = chance.randrange(len(parts))
    return " ".join(parts[begin : begin + chance.choice([1, 1, 2])])


def main() -> None:
    asked = text_toys.options(__doc__, 20)
    chance = random.Random(asked.seed)
    tokenizer = text_toys.pieces((story(chance) for _ in range(600)), 700, LENGTH)
    sizes = text_toys.BERT | {"vocab_size": len(tokenizer), "max_position_embeddings": LENGTH, "pad_token_id": 0}
    model = BertForMaskedLM(BertConfig(**sizes, initializer_range=0.06, hidden_dropout_prob=0.0))

    def batch() -> dict[str, torch.Tensor]:
        texts = [passage(chance) for _ in range(BATCH)]
        encoded = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        ids = encoded["input_ids"]
        chosen = (torch.rand(ids.shape) < MASKED) & (ids > tokenizer.mask_token_id)
        labels = torch.where(chosen, ids, -100)
        # One in ten stays as it is, so that a token that can be seen is believed (Devlin et al. 2019).
        hidden = chosen & (torch.rand(ids.shape) < 0.9)
        return {**encoded, "input_ids": ids.masked_fill(hidden, tokenizer.mask_token_id), "labels": labels}

    steps = text_toys.train(model, batch, asked)
    right = total = 0
    with torch.no_grad():
        for _ in range(10):
            held_out = batch()
            labels = held_out.pop("labels")
            asked_for = (labels != -100) & (held_out["input_ids"] == tokenizer.mask_token_id)
            guesses = model(**held_out).logits.argmax(-1)
            right += int((guesses == labels)[asked_for].sum())
            total += int(asked_for.sum())
    quality = f"After {steps} steps it guessed {right / total:.1%} of {total} masked tokens of new stories."
    text_toys.save(
        model, tokenizer, asked.out,
        title="A toy that fills masks", script="train_mask_model.py", tag="fill-mask", quality=quality,
    )  # fmt: skip


if __name__ == "__main__":
    main()
