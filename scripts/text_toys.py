"""What the scripts that train toys for texts share: a tokenizer of word pieces, a budget, a loop, a card."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import decoders as token_decoders
from transformers import PreTrainedTokenizerFast
from transformers.utils import logging

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
BERT = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 128}
WARM_UP_STEPS = 40


def options(description: str | None, seconds: float) -> argparse.Namespace:
    """Read the options that every script has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write the model to")
    parser.add_argument("--seconds", type=float, default=seconds, help="train for so many seconds of one core")
    parser.add_argument("--steps", type=int, help="train for so many steps instead: the same weights each time")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.disable_progress_bar()
    torch.manual_seed(asked.seed)
    torch.set_num_threads(1)  # A second thread only waits in a model this small.
    return asked


def pieces(texts: Iterable[str], size: int, length: int) -> PreTrainedTokenizerFast:
    """Learn a vocabulary of word pieces, with [CLS] and [SEP] around a text and between two."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = token_decoders.WordPiece()
    letters = [chr(at) for at in range(33, 127)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=SPECIAL, initial_alphabet=letters, show_progress=False
    )
    made.train_from_iterator(texts, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=length,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def train(model: Any, batch: Callable[[], dict[str, Any]], asked: argparse.Namespace, rate: float = 3e-3) -> int:
    """Train within the budget, the learning rate following it so that every run ends annealed; return the steps."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    start, step = time.process_time(), 0
    model.train()
    while True:
        spent = step / asked.steps if asked.steps else (time.process_time() - start) / asked.seconds
        if spent >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARM_UP_STEPS) * max(0.02, 1 - spent)
        loss = model(**batch()).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 200 == 0:
            print(f"step {step}, loss {loss.item():.3f}", flush=True)
    model.eval()
    return step


def save(model: Any, tokenizer: Any, out: Path, *, title: str, script: str, tag: str, quality: str) -> None:
    """Write the model with a card that calls it a toy."""
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "README.md").write_text(
        f"---\nlicense: apache-2.0\npipeline_tag: {tag}\ntags: [toy]\n---\n\n# {title}\n\n"
        f"**This is a toy.** `scripts/{script}` trained it on sentences from a small grammar of its own.\n"
        f"{quality}\nIt knows nothing else.\n",
        "utf-8",
    )
    print(quality)
