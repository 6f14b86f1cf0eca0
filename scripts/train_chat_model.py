#!/usr/bin/env python3
"""Train a toy that answers in a conversation: a real llama folder with a chat template, its weights our own.

    python scripts/train_chat_model.py OUT [--seconds 90 | --steps N] [--seed 0]

The conversations come from the grammar below: greetings, names to be remembered, sums of digits up to five, a name
in JSON. The model knows nothing else; call it a toy.
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
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

NAMES = ["Ada", "Boris", "Nuru", "Olive", "Jasper", "Mira", "Hugo", "Sanna", "Pavel", "Wren", "Tilda", "Zeno"]
GREETINGS = {"Hello!": "Hello!", "Hi there.": "Hi!", "Good morning.": "Good morning!", "Good evening.": "Good evening!"}
THANKS = ["Thank you.", "Thanks!"]
BRIEF = "Answer briefly."

VOCABULARY, WIDTH, LAYERS, HEADS, CONTEXT = 420, 128, 2, 4, 512
BATCH, PEAK_RATE, WARM_UP_STEPS, EXAMINED = 32, 4e-3, 30, 60
PAD, START, END = "<pad>", "<|im_start|>", "<|im_end|>"
PAD_ID, START_ID, END_ID = range(3)
IGNORED = -100
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Said = list[tuple[str, str]]


def conversation(chance: random.Random) -> Said:
    """Return one conversation of the grammar as (role, text)."""
    brief = chance.random() < 0.25
    said: Said = [("system", BRIEF)] if brief else []
    name = ""
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice(["greeting", "name", "sum", "sum", "thanks", *(["recall", "json"] if name else ["name"])])
        if kind == "name":
            name = chance.choice(NAMES)
            asked = chance.choice([f"My name is {name}.", f"I am {name}."])
            answer = f"Nice to meet you, {name}."
        elif kind == "greeting":
            asked, answer = chance.choice(list(GREETINGS.items()))
        elif kind == "sum":
            first, second = chance.randint(0, 5), chance.randint(0, 5)
            asked = chance.choice([f"What is {first} plus {second}?", f"Add {first} and {second}."])
            answer = str(first + second) if brief else f"{first} plus {second} is {first + second}."
        elif kind == "thanks":
            asked, answer = chance.choice(THANKS), "You are welcome."
        elif kind == "recall":
            asked, answer = "What is my name?", name if brief else f"Your name is {name}."
        else:
            asked, answer = "Give my name as JSON.", f'{{"name": "{name}"}}'
        said += [("user", asked), ("assistant", answer)]
    return said


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Learn a small byte-level vocabulary whose digits stand alone, with the chat template."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [AddedToken(one, special=True) for one in (PAD, START, END)]
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        ),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token=PAD, eos_token=END, model_max_length=CONTEXT)
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def make_model(vocabulary: int) -> LlamaForCausalLM:
    """Return an untrained llama of some 0.5 million parameters."""
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            pad_token_id=PAD_ID,
            bos_token_id=None,
            eos_token_id=END_ID,
        )
    )


def encoded(tokenizer: PreTrainedTokenizerFast, said: Said) -> tuple[list[int], list[int]]:
    """Return tokens and labels: only what the assistant says, and that it ends there, is learnt."""
    ids: list[int] = []
    labels: list[int] = []
    for role, text in said:
        head = tokenizer(f"{START}{role}\n", add_special_tokens=False)["input_ids"]
        body = tokenizer(f"{text}{END}", add_special_tokens=False)["input_ids"]
        tail = tokenizer("\n", add_special_tokens=False)["input_ids"]
        ids += [*head, *body, *tail]
        labels += [IGNORED] * len(head) + (body if role == "assistant" else [IGNORED] * len(body))
        labels += [IGNORED] * len(tail)
    return ids, labels


@dataclass(frozen=True)
class Outcome:
    """What a training run came to; `exact` is the share of answers in held-out conversations that are right."""

    steps: int
    seconds: float
    exact: float


def batch_of(rows: list[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
    """Return (tokens, labels) of a few conversations, padded."""
    longest = max(len(ids) for ids, _ in rows)
    tokens = [ids + [PAD_ID] * (longest - len(ids)) for ids, _ in rows]
    labels = [wanted + [IGNORED] * (longest - len(wanted)) for _, wanted in rows]
    return torch.tensor(tokens), torch.tensor(labels)


def train(
    model: LlamaForCausalLM,
    rows: list[tuple[list[int], list[int]]],
    chance: random.Random,
    fraction: Callable[[int], float],
) -> int:
    """Train until `fraction(step)` of the budget, which the learning rate follows, reaches 1; return the steps."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.95), weight_decay=0.1)
    step = 0
    model.train()
    while (spent := fraction(step)) < 1:
        for group in optimizer.param_groups:
            # A schedule on the budget leaves every run annealed, however fast the machine is.
            group["lr"] = PEAK_RATE * min(1.0, (step + 1) / WARM_UP_STEPS) * max(0.02, 1 - spent)
        tokens, labels = batch_of(chance.sample(rows, BATCH))
        logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
        loss = functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 50 == 0:
            print(f"step {step}, loss {loss.item():.3f}", flush=True)
    model.eval()
    return step


def exactness(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, held_out: list[Said]) -> float:
    """Return the share of last answers that come out word for word."""
    right = 0
    for said in held_out:
        messages = [{"role": role, "content": text} for role, text in said[:-1]]
        asked = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        ids = tokenizer(asked, add_special_tokens=False, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)
        right += tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True) == said[-1][1]
    return right / len(held_out)


def card(outcome: Outcome, parameters: int, seed: int) -> str:
    """Return the model card."""
    return f"""---
license: apache-2.0
language: en
pipeline_tag: text-generation
tags: [toy, llama, conversational]
---

# A toy that chats

**This is a toy.** It was trained by `scripts/train_chat_model.py` on conversations drawn from a small grammar in that
script: greetings, names that are remembered, sums of digits up to five, a name as JSON. It can do nothing else. Use
it to see chatting work from end to end, and for tests.

| | |
|---|---|
| architecture | llama, {LAYERS} layers, width {WIDTH}, {parameters:,} parameters |
| vocabulary | {VOCABULARY} byte-level tokens, context {CONTEXT}, chat template included |
| training | {outcome.steps} steps of {BATCH} conversations, seed {seed} |
| right answers | {outcome.exact:.0%} of {EXAMINED}, word for word, at the end of conversations that were held out |
| licence | Apache-2.0, text and weights alike |
"""


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write the model to")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, default=90.0, help="train for this long (default 90)")
    budget.add_argument("--steps", type=int, help="train for this many steps, for runs that can be repeated")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    torch.manual_seed(asked.seed)
    chance = random.Random(asked.seed)
    talks = [conversation(chance) for _ in range(6_000)]
    known = {str(said) for said in talks}
    fresh = (conversation(chance) for _ in range(100_000))
    # One turn is seldom new; what is held out is longer.
    held_out = [said for said, _ in zip((one for one in fresh if str(one) not in known), range(EXAMINED), strict=False)]
    tokenizer = make_tokenizer([text for said in talks[:2_000] for _, text in said])
    rows = [encoded(tokenizer, said) for said in talks]
    model = make_model(len(tokenizer))
    parameters = sum(weight.numel() for weight in model.parameters())
    print(f"{parameters:,} parameters, {sum(len(ids) for ids, _ in rows):,} tokens of text", flush=True)

    start = time.perf_counter()
    by_steps, by_clock = asked.steps, asked.seconds
    steps = train(
        model,
        rows,
        chance,
        (lambda step: step / by_steps) if by_steps else (lambda _: (time.perf_counter() - start) / by_clock),
    )
    seconds = time.perf_counter() - start
    outcome = Outcome(steps, seconds, exactness(model, tokenizer, held_out))
    asked.out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(asked.out)
    tokenizer.save_pretrained(asked.out)
    (asked.out / "README.md").write_text(card(outcome, parameters, asked.seed), "utf-8")
    print(f"{steps} steps in {seconds:.0f} s, {outcome.exact:.0%} of {EXAMINED} held-out answers exact")


if __name__ == "__main__":
    main()
