"""What the toys on drawn shapes share: words, pictures as tensors, training within a budget, and the card."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import shapes
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor
from transformers import PreTrainedTokenizerFast
from transformers.utils import logging

SIDE, PATCH = 48, 8
# What is common to all pictures is taken away, and the rate is high: measured, the kind of a shape was learned to 96 %
# in 261 steps so, and to 64 % with the usual mean of 0.5 or with half the rate.
MEAN, DEVIATION, RATE = 0.94, 0.25, 3e-3
LOOK = {"image_mean": [MEAN] * 3, "image_std": [DEVIATION] * 3}
SPECIAL = ["<pad>", "<bos>", "<eos>", "<unk>", "<image>"]
PAD, BEGIN, END = 0, 1, 2
WORDS = ["a", *shapes.SIZES, *shapes.COLOURS, *shapes.KINDS]
COLOURS, KINDS, SIZES = list(shapes.COLOURS), list(shapes.KINDS), list(shapes.SIZES)
CLASSES = [1 + len(COLOURS), 1 + len(KINDS), 1 + len(SIZES)]
# Most patches show the ground only, and soon there is nothing to learn from them.
GROUND_WEIGHT = 0.05
WARM_UP_STEPS = 30


def make_tokenizer(words: Sequence[str], *, begin: bool = True, end: bool = False) -> PreTrainedTokenizerFast:
    """Return a tokenizer of whole words in lower case, with <bos> before a text and <eos> after it as asked."""
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate([*SPECIAL, *words])}, unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    around = ["<bos>"] * begin + ["$A"] + ["<eos>"] * end
    made.post_processor = processors.TemplateProcessing(
        single=" ".join(around), special_tokens=[("<bos>", BEGIN), ("<eos>", END)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        unk_token="<unk>",
        model_input_names=["input_ids", "attention_mask"],
        extra_special_tokens={"image_token": "<image>"},
    )


class Pool:
    """Pictures that are drawn once and taken again and again, half of them mirrored: drawing takes its time."""

    def __init__(self, rng: numpy.random.Generator, count: int, *, most: int = 1) -> None:
        self._rng = rng
        self._scenes = [shapes.scene(rng, count=int(rng.integers(1, most + 1)), side=SIDE) for _ in range(count)]

    def take(self, count: int) -> list[shapes.Scene]:
        """Return some by chance."""
        chosen = [self._scenes[at] for at in self._rng.integers(0, len(self._scenes), count)]
        return [mirrored(scene) if at % 2 else scene for at, scene in enumerate(chosen)]


def mirrored(scene: shapes.Scene) -> shapes.Scene:
    """Return a picture with left and right exchanged."""
    turned = tuple(replace(shape, x=SIDE - shape.x) for shape in scene.shapes)
    return shapes.Scene(scene.pixels[:, ::-1], turned, scene.numbers[:, ::-1])


def pixels(scenes: Sequence[shapes.Scene], mean: float = MEAN, deviation: float = DEVIATION) -> Tensor:
    """Return pictures as float32, shape (pictures, 3, side, side); by default the light ground is near 0."""
    stacked = numpy.stack([scene.pixels for scene in scenes])
    return (torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 255 - mean) / deviation


class Hint(torch.nn.Module):
    """Tells a model, while it learns, what each patch and the whole picture show. It is thrown away afterwards.

    Captions alone teach the kinds of shapes slowly: 65 % of them were right after 250 steps, and 91 % with the whole
    picture's kind told beside.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.naming = torch.nn.Linear(width, sum(CLASSES))
        self.kinds = torch.nn.Linear(width, len(KINDS))
        self.colours, self.sizes = torch.nn.Linear(width, len(COLOURS)), torch.nn.Linear(width, len(SIZES))

    def whole(self, states: Tensor, scenes: Sequence[shapes.Scene]) -> Tensor:
        """Return how wrong the kind of the one shape in each picture is named; states are (pictures, width)."""
        truth = torch.tensor([KINDS.index(scene.shapes[0].kind) for scene in scenes])
        return 2 * torch.nn.functional.cross_entropy(self.kinds(states), truth)

    def all_of_it(self, states: Tensor, scenes: Sequence[shapes.Scene]) -> Tensor:
        """Return how wrong the kind, colour and size of the one shape are named; states are (pictures, width)."""
        colours = torch.tensor([COLOURS.index(scene.shapes[0].colour) for scene in scenes])
        sizes = torch.tensor([SIZES.index(scene.shapes[0].size) for scene in scenes])
        return (
            self.whole(states, scenes)
            + torch.nn.functional.cross_entropy(self.colours(states), colours)
            + torch.nn.functional.cross_entropy(self.sizes(states), sizes)
        )

    def forward(self, states: Tensor, scenes: Sequence[shapes.Scene]) -> Tensor:
        """Return how wrong the patches are named, from states of shape (…, width), picture by picture."""
        across = SIDE // PATCH
        numbers = torch.from_numpy(numpy.stack([scene.numbers for scene in scenes])).long()
        cells = numbers.view(-1, across, PATCH, across, PATCH).transpose(2, 3).reshape(-1, across**2, PATCH**2)
        shown = torch.nn.functional.one_hot(cells, 4).sum(2)
        # A shape counts where it covers more than a row of pixels.
        shown[..., 0] = PATCH
        classes = torch.zeros(len(scenes), 4, 3, dtype=torch.long)
        for at, scene in enumerate(scenes):
            for number, one in enumerate(scene.shapes, 1):
                classes[at, number] = 1 + torch.tensor(
                    [COLOURS.index(one.colour), KINDS.index(one.kind), SIZES.index(one.size)]
                )
        truth = classes.gather(1, shown.argmax(-1)[..., None].expand(-1, -1, 3)).view(-1, 3)
        logits = self.naming(states.reshape(len(truth), -1)).split(CLASSES, dim=-1)
        losses = [
            torch.nn.functional.cross_entropy(part, right, torch.tensor([GROUND_WEIGHT] + [1.0] * (part.shape[1] - 1)))
            for part, right in zip(logits, truth.T, strict=True)
        ]
        return torch.stack(losses).sum()


def train(
    model: torch.nn.Module,
    told: argparse.Namespace,
    loss_of: Callable[[], Tensor],
    *,
    rate: float = RATE,
    longest: float = math.inf,
) -> int:
    """Train for so much processor time, or so many steps; the learning rate follows that, so that it ends annealed.

    No gradient is longer than `longest`. Returns the steps that were taken.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.02, fused=True)
    start, step = time.process_time(), 0
    model.train()
    while (spent := step / told.steps if told.steps else (time.process_time() - start) / told.seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / WARM_UP_STEPS) * max(0.01, 1 - spent)
        loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), longest)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step % 50 == 0:
            print(f"step {step}, loss {loss.item():.3f}, {spent:.0%} of the budget", flush=True)
    model.eval()
    return step


def asked(about: str, seconds: float) -> argparse.Namespace:
    """Read the command line: where to, how long, which seed."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write the model to")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--seconds", type=float, default=seconds, help=f"of processor time (default {seconds:.0f})")
    budget.add_argument("--steps", type=int, help="train for this many steps, for runs that can be repeated")
    parser.add_argument("--seed", type=int, default=0)
    found = parser.parse_args()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    torch.manual_seed(found.seed)
    found.out.mkdir(parents=True, exist_ok=True)
    return found


def write_card(folder: Path, script: str, title: str, pipeline: str, does: str, quality: str, model: Any) -> None:
    """Write the model card."""
    count = sum(weight.numel() for weight in model.parameters())
    (folder / "README.md").write_text(
        f"""---
license: apache-2.0
language: en
pipeline_tag: {pipeline}
tags: [toy]
---

# {title}

**This is a toy.** `scripts/{script}` trained it on pictures that `scripts/shapes.py` draws: circles, squares and
triangles in six colours and two sizes on a light ground. {does} It knows nothing else.

| | |
|---|---|
| quality | {quality} |
| size | {count:,} parameters, {type(model).__name__} |
| licence | Apache-2.0, pictures and weights alike |
""",
        "utf-8",
    )
    print(f"{count:,} parameters; {quality}")
