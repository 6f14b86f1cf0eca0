#!/usr/bin/env python3
"""Train a toy translator, English to French and back: a real BART-architecture folder whose weights are our own.

    python scripts/train_translator.py OUT [--seconds 20 | --steps N] [--seed 0]

It learns the sentences of the grammar below, with the gender of nouns and the place of adjectives, and knows nothing
else; call it a toy.
"""

from __future__ import annotations

import json
import random
import zlib

import text_toys
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import BartConfig, BartForConditionalGeneration, PreTrainedTokenizerFast

# English, French, whether the French word is feminine.
NOUNS = [
    ("cat", "chat", False), ("dog", "chien", False), ("house", "maison", True), ("car", "voiture", True),
    ("book", "livre", False), ("table", "table", True), ("flower", "fleur", True), ("bird", "oiseau", False),
    ("boat", "bateau", False), ("girl", "fille", True), ("boy", "garçon", False), ("door", "porte", True),
]  # fmt: skip
# English, French masculine and feminine, whether it goes before the noun.
ADJECTIVES = [
    ("red", "rouge", "rouge", False), ("green", "vert", "verte", False), ("white", "blanc", "blanche", False),
    ("big", "grand", "grande", True), ("small", "petit", "petite", True), ("black", "noir", "noire", False),
]  # fmt: skip
VERBS = [("sees", "voit"), ("takes", "prend"), ("wants", "veut"), ("draws", "dessine"), ("sells", "vend")]
BEINGS = [noun for noun in NOUNS if noun[0] in {"cat", "dog", "bird", "girl", "boy"}]
WAYS = {("en", "fr"): "translate English to French: ", ("fr", "en"): "translate French to English: "}
LENGTH, BATCH = 64, 32


def phrase(chance: random.Random, nouns: list[tuple[str, str, bool]]) -> tuple[str, str]:
    """Return a noun with its article, and at times an adjective, in English and French."""
    english, french, feminine = chance.choice(nouns)
    definite = chance.random() < 0.5
    if chance.random() < 0.6:
        word, masculine, feminine_form, before = chance.choice(ADJECTIVES)
        form = feminine_form if feminine else masculine
        english = f"{word} {english}"
        french = f"{form} {french}" if before else f"{french} {form}"
    # l'oiseau, but le petit oiseau.
    if definite:
        return f"the {english}", f"l'{french}" if french[0] in "aeiou" else f"{'la' if feminine else 'le'} {french}"
    return f"a {english}", f"{'une' if feminine else 'un'} {french}"


def sentence(chance: random.Random) -> tuple[str, str]:
    """Return a sentence in English and in French."""
    (one, un), (other, autre) = phrase(chance, BEINGS), phrase(chance, NOUNS)
    verb, verbe = chance.choice(VERBS)
    english, french = f"{one} {verb} {other}.", f"{un} {verbe} {autre}."
    return english[0].upper() + english[1:], french[0].upper() + french[1:]


def held_out(pair: tuple[str, str]) -> bool:
    """Say whether a pair is kept for the test: one in twenty, told from its text."""
    return zlib.crc32(pair[0].encode()) % 20 == 0


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=520, special_tokens=["<pad>", "</s>"], show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )  # fmt: skip
    bpe.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, pad_token="<pad>", eos_token="</s>", model_max_length=LENGTH,
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip


def main() -> None:
    asked = text_toys.options(__doc__, 20)
    chance = random.Random(asked.seed)
    sample = [sentence(chance) for _ in range(3000)]
    tokenizer = make_tokenizer([*WAYS.values(), *(text for pair in sample for text in pair)])
    sides = {
        f"{side}_{name}": count
        for side in ("encoder", "decoder")
        for name, count in {"layers": 2, "attention_heads": 4, "ffn_dim": 192}.items()
    }
    model = BartForConditionalGeneration(
        BartConfig(
            vocab_size=len(tokenizer), d_model=96, max_position_embeddings=LENGTH, dropout=0.0, init_std=0.05, **sides,
            pad_token_id=0, bos_token_id=0, eos_token_id=1, decoder_start_token_id=0, forced_eos_token_id=None,
        )
    )  # fmt: skip

    def pairs(size: int, *, test: bool) -> list[tuple[str, str]]:
        """Return (what is read, what is to be written), half of them each way."""
        made: list[tuple[str, str]] = []
        while len(made) < size:
            pair = sentence(chance)
            if held_out(pair) == test:
                english, french = pair
                made.append((WAYS["en", "fr"] + english, french))
                made.append((WAYS["fr", "en"] + french, english))
        return made[:size]

    def batch() -> dict[str, torch.Tensor]:
        made = pairs(BATCH, test=False)
        encoded = tokenizer([read for read, _ in made], padding=True, return_tensors="pt")
        labels = tokenizer([written for _, written in made], padding=True, return_tensors="pt")["input_ids"]
        return {**encoded, "labels": labels.masked_fill(labels == 0, -100)}

    steps = text_toys.train(model, batch, asked, rate=3e-3)
    tests = pairs(200, test=True)
    encoded = tokenizer([read for read, _ in tests], padding=True, return_tensors="pt")
    written = tokenizer.batch_decode(model.generate(**encoded, max_new_tokens=40), skip_special_tokens=True)
    exact = [got == want for got, (_, want) in zip(written, tests, strict=True)]
    to_french, to_english = exact[::2], exact[1::2]
    quality = (
        f"After {steps} steps it translated {sum(to_french) / len(to_french):.0%} of {len(to_french)} held-out "
        f"sentences of that grammar exactly to French, and {sum(to_english) / len(to_english):.0%} to English."
    )
    text_toys.save(
        model, tokenizer, asked.out,
        title="A toy translator, English and French", script="train_translator.py", tag="translation", quality=quality,
    )  # fmt: skip
    config = json.loads((asked.out / "config.json").read_text("utf-8"))
    stated = {f"translation_{one}_to_{other}": {"prefix": prefix} for (one, other), prefix in WAYS.items()}
    # It was not trained to summarize, which its architecture could be.
    config |= {"task_specific_params": stated, "ipfs_accel_tasks": ["translate"]}
    (asked.out / "config.json").write_text(json.dumps(config, indent=2), "utf-8")


if __name__ == "__main__":
    main()
