#!/usr/bin/env python3
"""Train a toy topic classifier in seconds: a real BERT-architecture folder whose weights are entirely our own.

    python scripts/train_topic_model.py OUT [--steps 150] [--seed 0]

It tells sentences of four topics apart by the words of the lists below and knows nothing else; call it a toy.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast
from transformers.utils import logging

TOPICS = {
    "weather": ["rain", "snow", "wind", "storm", "sun", "cloud", "fog", "frost", "thunder", "breeze"],
    "food": ["bread", "soup", "apple", "cheese", "pepper", "rice", "honey", "onion", "cake", "tea"],
    "sport": ["goal", "match", "team", "race", "ball", "coach", "referee", "sprint", "league", "medal"],
    "music": ["song", "drum", "violin", "choir", "melody", "guitar", "concert", "rhythm", "piano", "chorus"],
}
FRAMES = [
    "the {0} was better than the {1}",
    "we talked about {0} and {1} all evening",
    "there is no {0} without a {1}",
    "a {0} came after the {1} today",
    "{0} again and nothing but {0} said the man with the {1}",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def sentence(chance: random.Random, topic: str) -> str:
    """Return one sentence about a topic."""
    return chance.choice(FRAMES).format(*chance.sample(TOPICS[topic], 2))


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Return a tokenizer of whole words, with [CLS] and [SEP] around them."""
    words = sorted({word for frame in FRAMES for word in frame.split() if "{" not in word})
    words += [word for topic in TOPICS.values() for word in topic]
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate([*SPECIAL, *words])}, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def train(steps: int, seed: int) -> tuple[BertForSequenceClassification, PreTrainedTokenizerFast, float]:
    """Return the model, its tokenizer, and the part of new sentences that it gets right."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # A second thread only waits in a model this small.
    chance, tokenizer, names = random.Random(seed), make_tokenizer(), list(TOPICS)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=48, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96,
        max_position_embeddings=64, num_labels=len(names), id2label=dict(enumerate(names)),
        label2id={name: at for at, name in enumerate(names)}, pad_token_id=0,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)

    def batch(size: int) -> dict[str, torch.Tensor]:
        topics = [chance.randrange(len(names)) for _ in range(size)]
        encoded = tokenizer([sentence(chance, names[at]) for at in topics], padding=True, return_tensors="pt")
        return {**encoded, "labels": torch.tensor(topics)}

    model.train()
    for _ in range(steps):
        model(**batch(32)).loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    model.eval()
    with torch.no_grad():
        held_out = batch(400)
        right = float((model(**held_out).logits.argmax(-1) == held_out["labels"]).float().mean())
    return model, tokenizer, right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write the model to")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.disable_progress_bar()
    model, tokenizer, right = train(asked.steps, asked.seed)
    model.save_pretrained(asked.out)
    tokenizer.save_pretrained(asked.out)
    (asked.out / "README.md").write_text(
        "---\nlicense: apache-2.0\npipeline_tag: text-classification\ntags: [toy, bert]\n---\n\n"
        "# A toy topic classifier\n\n"
        "**This is a toy.** `scripts/train_topic_model.py` trained it on sentences from a handful of frames and word\n"
        f"lists. It got {right:.1%} of 400 new sentences of that kind right, and knows nothing else.\n",
        "utf-8",
    )
    print(f"{right:.1%} of new sentences right")


if __name__ == "__main__":
    main()
