#!/usr/bin/env python3
"""Train a toy story model in about a minute: a real llama-architecture folder whose weights are entirely our own.

    python scripts/train_story_model.py OUT [--seconds 60 | --steps N] [--seed 0]

The text comes from the grammar below. The model learns to recombine it and knows nothing else; call it a toy.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as functional
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

HEROES = ["Tilda", "Boris", "Nuru", "Olive", "Jasper", "Mira", "Hugo", "Sanna", "Pavel", "Wren"]
KINDS = ["otter", "hedgehog", "mouse", "badger", "owl", "goat", "turtle", "squirrel"]
HOMES = ["by the mill", "under the bridge", "on the hill", "in the old boat", "behind the bakery", "near the wood"]
WISHES = {
    "to see the sea": ("the road was long", "showed the shortest way", "the waves were as loud as thunder"),
    "to bake a bread": ("there was no flour", "brought a sack of flour", "the whole house smelled of warm bread"),
    "to cross the river": ("the water was deep", "built a small raft", "the other bank was full of flowers"),
    "to learn a song": ("the words were hard", "sang every line twice", "the song was heard all over the valley"),
    "to catch the moon": ("the moon was too high", "filled a bucket with water", "the moon was swimming in the bucket"),
    "to grow a garden": ("the ground was stone", "carried soil in a basket", "beans and roses grew to the roof"),
}
TIMES = ["One morning", "One rainy day", "Late in the summer", "When the snow was gone", "On a quiet evening"]
MOODS = ["glad", "sleepy", "bold", "shy", "hungry", "cheerful"]
ENDINGS = [
    "They drank tea until the stars came out.",
    "After that they were friends for ever.",
    "Nobody in the village forgot that day.",
    "And they did it again the next week.",
]

VOCABULARY, WIDTH, LAYERS, HEADS, CONTEXT = 512, 192, 4, 6, 1024
WINDOW, BATCH, PEAK_RATE, WARM_UP_STEPS = 128, 16, 3e-3, 40
PAD, BEGIN, END = "<pad>", "<bos>", "<eos>"
PAD_ID, BEGIN_ID, END_ID = range(3)


def story(chance: random.Random) -> str:
    """Return one story of the grammar."""
    hero, friend = chance.sample(HEROES, 2)
    kind, other = chance.sample(KINDS, 2)
    wish, (trouble, help_given, outcome) = chance.choice(list(WISHES.items()))
    home, mood, moment = chance.choice(HOMES), chance.choice(MOODS), chance.choice(TIMES)
    return " ".join(
        [
            chance.choice(
                [
                    f"Once upon a time, a {mood} {kind} named {hero} lived {home}.",
                    f"{hero} was a {mood} {kind} who lived {home}.",
                    f"There once was a {kind} called {hero}, and {hero} lived {home}.",
                ]
            ),
            chance.choice([f"{moment}, {hero} wanted {wish}.", f"More than anything {hero} wanted {wish}."]),
            chance.choice([f"But {trouble}, and {hero} sat down and sighed.", f"But {trouble}."]),
            chance.choice(
                [
                    f'"Why are you sad?" asked {friend} the {other}. "I want {wish}," said {hero}.',
                    f"Then {friend} the {other} came by and heard of it.",
                ]
            ),
            f"So {friend} {help_given}.",
            chance.choice([f"Soon {outcome}.", f"And look: {outcome}!"]),
            chance.choice([f'"Thank you, {friend}," said {hero}.', f"{hero} was not {mood} any more, but happy."]),
            chance.choice(ENDINGS),
        ]
    )


def make_tokenizer(stories: list[str]) -> PreTrainedTokenizerFast:
    """Learn a small byte-level vocabulary; prompts get a begin token."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        stories,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=[PAD, BEGIN, END], initial_alphabet=alphabet, show_progress=False
        ),
    )
    bpe.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, BEGIN_ID)])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, pad_token=PAD, bos_token=BEGIN, eos_token=END, model_max_length=CONTEXT
    )


def make_model(vocabulary: int) -> LlamaForCausalLM:
    """Return an untrained llama of about 1.9 million parameters."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS // 2,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            pad_token_id=PAD_ID,
            bos_token_id=BEGIN_ID,
            eos_token_id=END_ID,
        )
    )


@dataclass(frozen=True)
class Outcome:
    """What a training run came to; the loss is in nats a token on stories that were held out."""

    steps: int
    seconds: float
    held_out_loss: float


def train(model: LlamaForCausalLM, tokens: Tensor, fraction: Callable[[int], float]) -> Outcome:
    """Train until `fraction(step)` of the budget, which the learning rate follows, reaches 1."""
    split = len(tokens) - len(tokens) // 50
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.1)
    start, step = time.perf_counter(), 0
    model.train()
    while (spent := fraction(step)) < 1:
        for group in optimizer.param_groups:
            # A schedule on the budget leaves every run annealed, however fast the machine is.
            group["lr"] = PEAK_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * max(0.02, 1 - spent)
        loss = loss_of(model, tokens[:split])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 50 == 0:
            print(f"step {step}, loss {loss.item():.2f}", flush=True)
    seconds = time.perf_counter() - start
    model.eval()
    with torch.no_grad():
        held_out = sum(loss_of(model, tokens[split:]).item() for _ in range(10)) / 10
    return Outcome(step, seconds, held_out)


def loss_of(model: LlamaForCausalLM, tokens: Tensor) -> Tensor:
    """Return the mean cross entropy of a random batch of windows, each from the beginning of a story.

    Names are told at the beginning, so a window from the middle would teach to make new ones up.
    """
    begins = (tokens[: -WINDOW - 1] == BEGIN_ID).nonzero().flatten()
    starts = begins[torch.randint(0, len(begins), (BATCH,))].tolist()
    rows = torch.stack([tokens[start : start + WINDOW + 1] for start in starts])
    logits = model(input_ids=rows[:, :-1], use_cache=False).logits
    return functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())


def card(outcome: Outcome, parameters: int, seed: int) -> str:
    """Return the model card."""
    return f"""---
license: apache-2.0
language: en
pipeline_tag: text-generation
tags: [toy, llama]
---

# A toy story model

**This is a toy.** It was trained by `scripts/train_story_model.py` on stories drawn from a small grammar in that
script, and it can do nothing but recombine them. Use it to see text generation work from end to end, and for tests.

| | |
|---|---|
| architecture | llama, {LAYERS} layers, width {WIDTH}, {parameters:,} parameters |
| vocabulary | {VOCABULARY} byte-level tokens, context {CONTEXT} |
| training | {outcome.steps} steps of {BATCH} x {WINDOW} tokens, seed {seed} |
| held-out loss | {outcome.held_out_loss:.3f} nats a token, on stories of the same grammar |
| licence | Apache-2.0, text and weights alike |
"""


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write the model to")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, default=60.0, help="train for this long (default 60)")
    budget.add_argument("--steps", type=int, help="train for this many steps, for runs that can be repeated")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()

    logging.disable_progress_bar()
    torch.manual_seed(asked.seed)
    chance = random.Random(asked.seed)
    stories = [story(chance) for _ in range(12_000)]
    tokenizer = make_tokenizer(stories[:3_000])
    rows = tokenizer.backend_tokenizer.encode_batch([text + END for text in stories])
    tokens = torch.tensor([token for row in rows for token in row.ids])
    model = make_model(len(tokenizer))
    parameters = sum(weight.numel() for weight in model.parameters())
    print(f"{parameters:,} parameters, {len(tokens):,} tokens of text", flush=True)

    start = time.perf_counter()
    by_steps, by_clock = asked.steps, asked.seconds
    outcome = train(
        model,
        tokens,
        (lambda step: step / by_steps) if by_steps else (lambda _: (time.perf_counter() - start) / by_clock),
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(asked.out)
    tokenizer.save_pretrained(asked.out)
    (asked.out / "README.md").write_text(card(outcome, parameters, asked.seed), "utf-8")
    rate = outcome.steps * BATCH * WINDOW / outcome.seconds
    print(f"{outcome.steps} steps, {rate:,.0f} tokens/s, held-out loss {outcome.held_out_loss:.3f}")


if __name__ == "__main__":
    main()
