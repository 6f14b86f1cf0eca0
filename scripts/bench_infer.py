#!/usr/bin/env python3
"""Embeddings through our service beside plain transformers: texts a second, as a ratio of paired runs.

    python scripts/bench_infer.py [--model FOLDER] [--pairs 15] [--threads 2]

Both sides run the same weights with the same threads, batches and texts; ours includes the owner thread, the results
and their shortest decimals. Runs alternate, each first in turn, so that a busy machine slows both. Without a folder a
random-weight BERT of MiniLM's shape is made: speed does not depend on what the weights say.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils import logging

from ipfs_accel_cli.engines.base import Loadable, ModelFacts
from ipfs_accel_cli.services.infer.inference import Inference

WANTED = 0.95
SHAPES = [(32, 16), (32, 128), (1, 16), (1, 128)]
WORDS = 1000


def make_model(folder: Path) -> None:
    """Save a BERT of MiniLM's shape (6 layers, width 384) with random weights and a vocabulary of numbered words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = Tokenizer(models.WordLevel({word: at for at, word in enumerate(special + vocabulary())}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_max_length=512,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
    config = BertConfig(
        vocab_size=30_522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def vocabulary() -> list[str]:
    """Return words of one token each for the model made here; real tokenizers cut them as they like."""
    return [f"w{at}" for at in range(WORDS)]


def texts_of(tokenizer: object, count: int, tokens: int) -> list[str]:
    """Return texts that come to `tokens` tokens each."""
    made = []
    for at in range(count):
        words: list[str] = []
        while len(tokenizer(" ".join([*words, f"w{(at + len(words)) % WORDS}"]))["input_ids"]) <= tokens:  # type: ignore[operator]
            words.append(f"w{(at + len(words)) % WORDS}")
        made.append(" ".join(words))
    return made


def plainly(model: torch.nn.Module, tokenizer: object, texts: list[str], batch: int) -> int:
    """Embed as the documentation of transformers shows: tokenize, run, mean over the mask, normalize, to lists."""
    count = 0
    for start in range(0, len(texts), batch):
        inputs = tokenizer(texts[start : start + batch], padding=True, return_tensors="pt")  # type: ignore[operator]
        with torch.inference_mode():
            states = model(**inputs).last_hidden_state
            mask = inputs["attention_mask"].unsqueeze(-1).float()
            rows = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1).clamp(min=1e-9))
        count += len(rows.tolist())
    return count


def seconds(work: Callable[[], int]) -> float:
    """Return how long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def paired(plain: Callable[[], int], ours: Callable[[], int], *, first: bool) -> tuple[float, float]:
    """Return the seconds of both, run one after the other; `first` says whether the plain one begins."""
    if first:
        return seconds(plain), seconds(ours)
    mine = seconds(ours)
    return seconds(plain), mine


def bench(folder: Path, threads: int, pairs: int) -> float:
    """Print one line a shape; return the lowest ratio."""
    facts = ModelFacts("bench", "bench", ("BertModel",), "bert", ("embed",), dtype="float32")
    settings = {"infer.engine": "torch", "infer.device": "cpu", "infer.threads": threads, "infer.cache-bytes": 1 << 30}
    service = Inference(settings, lambda _name, _task: Loadable(facts, folder))
    torch.set_num_threads(threads)
    model, tokenizer = (
        AutoModel.from_pretrained(folder, dtype=torch.float32).eval(),
        AutoTokenizer.from_pretrained(folder),
    )
    lowest = float("inf")
    for batch, tokens in SHAPES:
        count = max(batch * 2, 512 // tokens)
        texts = texts_of(tokenizer, count, tokens)
        ours: Callable[[], int] = lambda: sum(1 for _ in service.embed(texts, batch=batch))  # noqa: B023, E731
        plain: Callable[[], int] = lambda: plainly(model, tokenizer, texts, batch)  # noqa: B023, E731
        ours(), plain()
        timed = [paired(plain, ours, first=at % 2 == 0) for at in range(pairs)]
        ratios = statistics.quantiles((theirs / mine for theirs, mine in timed), n=4)
        lowest = min(lowest, ratios[1])
        rate = count / min(mine for _, mine in timed)
        print(
            f"infer embed  batch {batch:2}  tokens {tokens:3}  {rate:7.1f} texts/s  "
            f"{ratios[1]:.3f} of plain transformers (quartiles {ratios[0]:.3f}, {ratios[2]:.3f})"
        )
    service.close()
    return lowest


def main() -> None:
    """Run and say whether the wanted ratio was reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="folder of a sentence-transformers model")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as made:
        folder = asked.model or Path(made)
        if asked.model is None:
            make_model(folder)
        lowest = bench(folder, asked.threads, asked.pairs)
    verdict = "MISSED" if lowest < WANTED else "held"
    print(f"{verdict:7} the lowest of these ratios: {lowest:.3f}, wanted >= {WANTED}")
    sys.exit(lowest < WANTED)


if __name__ == "__main__":
    main()
