#!/usr/bin/env python3
"""Train a toy that finds drawn shapes: real YOLOS and SegFormer folders, whose weights are entirely our own.

    python scripts/train_shapes.py --task detect toy-shape-boxes [--seconds 300 | --steps N] [--seed 0]
    python scripts/train_shapes.py --task segment toy-shape-masks [--seconds 150 | --steps N] [--seed 0]

It knows circles, squares and triangles of six colours on a light ground, as shapes.py draws them, and nothing else;
call it a toy. What it prints was measured on drawings that it never saw.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import torch
from torch.nn.functional import cross_entropy, interpolate
from transformers import (
    SegformerConfig,
    SegformerForSemanticSegmentation,
    YolosConfig,
    YolosForObjectDetection,
)
from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).parent))
import shapes

SIDE, MOST, CELLS = 48, 3, 3
RATE, WARM_UP = 2e-3, 0.05
BATCH = {"detect": 24, "segment": 10}
HELD_OUT, HELD_OUT_SEED = 300, 1 << 20
NAMES = [f"{colour} {kind}" for colour in shapes.COLOURS for kind in shapes.KINDS]
GROUND = "ground"
# Of the processor, so that a busy machine trains as well as an idle one, only later.
SECONDS = {"detect": 300.0, "segment": 150.0}


def number(shape: shapes.Shape) -> int:
    """Return which of the names a shape has."""
    return NAMES.index(f"{shape.colour} {shape.kind}")


def scenes(rng: numpy.random.Generator, count: int) -> list[shapes.Scene]:
    """Return pictures of one to three shapes that do not touch."""
    return [shapes.scene(rng, count=int(rng.integers(1, MOST + 1)), side=SIDE) for _ in range(count)]


def pixels(made: list[shapes.Scene]) -> torch.Tensor:
    """Return what the processors make of pictures, -1 to 1."""
    return torch.from_numpy(numpy.stack([one.pixels for one in made])).permute(0, 3, 1, 2).float() / 127.5 - 1


def detector() -> Any:
    """Return an untrained YOLOS with one place for each cell of a grid of 3 x 3."""
    config = YolosConfig(
        hidden_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        image_size=[SIDE, SIDE],
        patch_size=8,
        num_detection_tokens=CELLS * CELLS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        id2label=dict(enumerate(NAMES)),
        label2id={name: at for at, name in enumerate(NAMES)},
    )
    model = YolosForObjectDetection(config)
    # Each place begins knowing where its cell lies, and each patch where it lies: to find that out takes most steps.
    cells, patches = (_waves(count, config.hidden_size) for count in (CELLS, SIDE // config.patch_size))
    with torch.no_grad():
        places = torch.cat([torch.zeros(1, config.hidden_size), patches, cells])
        model.vit.embeddings.position_embeddings.copy_(places[None])
        for layer in model.vit.encoder.layer:
            attention = layer.attention.attention
            attention.query.weight.copy_(attention.query.weight + torch.eye(config.hidden_size))
            attention.key.weight.copy_(attention.key.weight + torch.eye(config.hidden_size))
    return model


def _waves(count: int, width: int) -> torch.Tensor:
    """Return sines and cosines of where the middles of a grid's cells lie, (count * count, width)."""
    middles = (torch.arange(count) + 0.5) / count
    turns = middles[:, None] * torch.pi * torch.linspace(0.5, 4, width // 4)[None]
    waves = torch.cat([turns.sin(), turns.cos()], dim=1)
    down, across = (waves.repeat_interleave(count, 0), waves.repeat(count, 1))
    return torch.cat([down, across], dim=1)


def segmenter() -> Any:
    """Return an untrained SegFormer that answers at half of the picture's size."""
    names = [GROUND, *NAMES]
    config = SegformerConfig(
        depths=[1, 1, 1, 1],
        hidden_sizes=[16, 32, 48, 64],
        num_attention_heads=[1, 2, 2, 4],
        sr_ratios=[8, 4, 2, 1],
        strides=[2, 2, 2, 2],
        patch_sizes=[5, 3, 3, 3],
        mlp_ratios=[2, 2, 2, 2],
        decoder_hidden_size=64,
        classifier_dropout_prob=0.0,
        drop_path_rate=0.0,
        id2label=dict(enumerate(names)),
        label2id={name: at for at, name in enumerate(names)},
    )
    return SegformerForSemanticSegmentation(config)


def detection_loss(model: Any, made: list[shapes.Scene]) -> torch.Tensor:
    """Each place answers for the shape whose middle lies in its cell: nothing has to be matched, and it learns fast."""
    labels = torch.full((len(made), CELLS * CELLS), len(NAMES))
    boxes = torch.zeros(len(made), CELLS * CELLS, 4)
    for at, one in enumerate(made):
        for shape in one.shapes:
            cell = int(shape.y * CELLS / SIDE) * CELLS + int(shape.x * CELLS / SIDE)
            labels[at, cell] = number(shape)
            boxes[at, cell] = torch.tensor([shape.x, shape.y, 2 * shape.half, 2 * shape.half]) / SIDE
    answer = model(pixel_values=pixels(made))
    there = labels != len(NAMES)
    named = cross_entropy(answer.logits.flatten(0, 1), labels.flatten())
    return named * 4 + 5 * (answer.pred_boxes[there] - boxes[there]).abs().mean() * 4


def segmentation_loss(model: Any, made: list[shapes.Scene]) -> torch.Tensor:
    """Return the cross-entropy over all pixels; most are ground, which is learned first and then counts less."""
    logits = model(pixel_values=pixels(made)).logits
    whole = interpolate(logits, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
    weights = torch.tensor([0.1] + [1.0] * len(NAMES))
    return cross_entropy(whole, torch.from_numpy(numpy.stack([truth(one) for one in made])), weights)


def truth(one: shapes.Scene) -> Any:
    """Return which name each pixel has; 0 is the ground."""
    table = numpy.array([0, *(number(shape) + 1 for shape in one.shapes)], dtype=numpy.int64)
    return table[one.numbers]


def train(
    model: Any,
    loss: Callable[[Any, list[shapes.Scene]], torch.Tensor],
    draw: Callable[[], Any],
    seconds: float,
    steps: int | None,
) -> int:
    """Train for so many steps, else for so much processor time, the rate falling to nothing; return the steps."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    began, step, done = time.process_time(), 0, 0.0
    while done < 1:
        rate = RATE * min(1.0, done / WARM_UP + 0.02) * (1 - done)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        found = loss(model, draw())
        found.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        done = step / steps if steps else (time.process_time() - began) / seconds
        if step % 100 == 0:
            print(f"step {step}, {done:.0%}, loss {found.item():.3f}", file=sys.stderr)
    return step


@torch.no_grad()
def mean_average_precision(model: Any, made: list[shapes.Scene], least: float = 0.5) -> float:
    """Return the mean over the names of the average precision at an overlap of at least a half."""
    answer = model(pixel_values=pixels(made))
    chances = answer.logits.softmax(-1)[..., :-1].numpy()
    middles = answer.pred_boxes.numpy() * SIDE
    every = []
    for name in range(len(NAMES)):
        truths = {at: [s.box for s in one.shapes if number(s) == name] for at, one in enumerate(made)}
        found = [(chances[at, place, name], at, place) for at in range(len(made)) for place in range(CELLS * CELLS)]
        hits, taken = [], set()
        for _, at, place in sorted(found, reverse=True):
            x, y, wide, high = middles[at, place]
            box = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
            overlaps = [(overlap(box, other), at, which) for which, other in enumerate(truths[at])]
            best = max(overlaps, default=(0.0, at, 0))
            hits.append(best[0] >= least and best[1:] not in taken)
            if hits[-1]:
                taken.add(best[1:])
        total = sum(map(len, truths.values()))
        right = numpy.cumsum(hits)
        precision = right / numpy.arange(1, len(hits) + 1)
        every.append(float((precision * hits).sum() / max(1, total)))
    return float(numpy.mean(every))


def overlap(one: Any, other: Any) -> float:
    """Return the intersection of two boxes over their union."""
    wide = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    high = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return float(wide * high / (both - wide * high))


@torch.no_grad()
def mean_overlap(model: Any, made: list[shapes.Scene]) -> float:
    """Return the mean over the names, the ground among them, of intersection over union, all pictures together."""
    logits = model(pixel_values=pixels(made)).logits
    found = interpolate(logits, size=(SIDE, SIDE), mode="bilinear", align_corners=False).argmax(1).numpy()
    right = numpy.stack([truth(one) for one in made])
    return float(
        numpy.mean(
            [
                ((found == name) & (right == name)).sum() / max(1, ((found == name) | (right == name)).sum())
                for name in range(len(NAMES) + 1)
            ]
        )
    )


def save(model: Any, folder: Path, processor: str, said: str, task: str) -> None:
    """Write weights, configuration, what is done to pictures, and a card that says what this is."""
    model.save_pretrained(folder)
    seen = {
        "image_processor_type": processor,
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "resample": 2,
        "do_rescale": True,
        "do_normalize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "do_pad": False,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(seen, indent=2) + "\n")
    (folder / "README.md").write_text(
        f"---\nlicense: Apache-2.0\n---\n\n# A toy\n\nTrained by `scripts/train_shapes.py --task {task}` "
        f"on drawings of circles, squares and triangles of six colours. It knows\nnothing else. {said}\n"
    )


def main() -> None:
    """Train, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=list(SECONDS), required=True)
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument(
        "--seconds", type=float, help="train for so much processor time; 300 to detect and 150 to segment unless told"
    )
    budget.add_argument("--steps", type=int, help="train for exactly this many steps; the same weights each time")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(asked.seed)
    detects = asked.task == "detect"
    model = detector() if detects else segmenter()
    loss = detection_loss if detects else segmentation_loss
    seconds = asked.seconds or SECONDS[asked.task]
    rng = numpy.random.default_rng(asked.seed)
    steps = train(model.train(), loss, lambda: scenes(rng, BATCH[asked.task]), seconds, asked.steps)
    held_out = scenes(numpy.random.default_rng(HELD_OUT_SEED), HELD_OUT)
    model.eval()
    if detects:
        said = (
            f"Mean average precision at 0.5 on {HELD_OUT} new drawings: {mean_average_precision(model, held_out):.3f}."
        )
    else:
        said = f"Mean intersection over union on {HELD_OUT} new drawings: {mean_overlap(model, held_out):.3f}."
    save(model, asked.folder, "YolosImageProcessor" if detects else "SegformerImageProcessor", said, asked.task)
    parameters = sum(tensor.numel() for tensor in model.parameters())
    print(f"a toy of {parameters / 1e6:.2f} M parameters, {steps} steps. {said}")


if __name__ == "__main__":
    main()
