#!/usr/bin/env python3
"""Train a toy that finds drawn shapes: real Conditional DETR and UperNet folders, whose weights are entirely our own.

    python scripts/train_shapes.py --task detect toy-shape-boxes [--seconds 80 | --steps N] [--seed 0]
    python scripts/train_shapes.py --task segment toy-shape-masks [--seconds 45 | --steps N] [--seed 0]

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
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import (
    ConditionalDetrConfig,
    ConditionalDetrForObjectDetection,
    ResNetConfig,
    UperNetConfig,
    UperNetForSemanticSegmentation,
)
from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).parent))
import shapes
from toy_shapes import Hint

SIDES, MOST, CELLS, WIDTH = {"detect": 48, "segment": 64}, 3, 6, 64
RATES, WARM_UP = {"detect": 3e-3, "segment": 4e-3}, 0.05
BATCH = {"detect": 24, "segment": 12}
HELD_OUT, HELD_OUT_SEED = 300, 1 << 20
NAMES = [f"{colour} {kind}" for colour in shapes.COLOURS for kind in shapes.KINDS]
GROUND = "ground"
# Of the processor, so that a busy machine trains as well as an idle one, only later.
SECONDS = {"detect": 80.0, "segment": 45.0}


def number(shape: shapes.Shape) -> int:
    """Return which of the names a shape has."""
    return NAMES.index(f"{shape.colour} {shape.kind}")


def scenes(rng: numpy.random.Generator, count: int, side: int) -> list[shapes.Scene]:
    """Return pictures of one to three shapes that do not touch."""
    return [shapes.scene(rng, count=int(rng.integers(1, MOST + 1)), side=side) for _ in range(count)]


def pixels(made: list[shapes.Scene]) -> torch.Tensor:
    """Return what the processors make of pictures, -1 to 1."""
    return torch.from_numpy(numpy.stack([one.pixels for one in made])).permute(0, 3, 1, 2).float() / 127.5 - 1


def detector() -> Any:
    """Return an untrained Conditional DETR with one query for each cell of a grid of 6 x 6."""
    seeing = ResNetConfig(
        embedding_size=32, hidden_sizes=[32, 64], depths=[1, 2], layer_type="basic", out_features=["stage2"]
    )
    config = ConditionalDetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=seeing, d_model=WIDTH,
        num_queries=CELLS * CELLS, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=2 * WIDTH,
        decoder_ffn_dim=2 * WIDTH, encoder_attention_heads=4, decoder_attention_heads=4, dropout=0.0,
        auxiliary_loss=False, id2label=dict(enumerate(NAMES)), label2id={name: at for at, name in enumerate(NAMES)},
    )  # fmt: skip
    model = ConditionalDetrForObjectDetection(config)
    # Each query begins knowing where its cell lies, and looks there: to find that out takes most steps.
    middles = (torch.arange(CELLS) + 0.5) / CELLS
    turns = middles[:, None] * torch.pi * torch.linspace(0.5, 4, WIDTH // 4)[None]
    waves = torch.cat([turns.sin(), turns.cos()], dim=1)
    model.model.query_position_embeddings.weight.data.copy_(
        torch.cat([waves.repeat_interleave(CELLS, 0), waves.repeat(CELLS, 1)], dim=1)
    )
    for layer in model.model.decoder.layers:
        for part in (layer.encoder_attn.q_pos_sine_proj, layer.encoder_attn.k_pos_proj):
            part.weight.data.copy_(1.5 * torch.eye(WIDTH))
    # At first nearly no cell holds a shape.
    torch.nn.init.constant_(model.class_labels_classifier.bias, -4.0)
    point = model.model.decoder.ref_point_head
    centres = torch.stack([middles.repeat(CELLS), middles.repeat_interleave(CELLS)], dim=1)
    optimizer = torch.optim.Adam(point.parameters(), lr=1e-2)
    for _ in range(300):
        optimizer.zero_grad()
        (point(model.model.query_position_embeddings.weight.detach()) - centres.logit()).square().mean().backward()
        optimizer.step()
    return model


def thawed(model: Any) -> Any:
    """Make the norms of a detector's backbone learn: the architecture has them fixed, for weights that are learned."""
    for part in list(model.modules()):
        for name, norm in list(part.named_children()):
            if type(norm).__name__.endswith("FrozenBatchNorm2d"):
                setattr(part, name, torch.nn.BatchNorm2d(len(norm.weight)))
    return model.requires_grad_(True)


def segmenter() -> Any:
    """Return an untrained UperNet on a small ResNet; it answers at a quarter of the picture's size, enlarged."""
    names = [GROUND, *NAMES]
    seeing = ResNetConfig(
        embedding_size=24, hidden_sizes=[32, 48, 64], depths=[1, 1, 1], layer_type="basic",
        out_features=["stage1", "stage2", "stage3"],
    )  # fmt: skip
    config = UperNetConfig(
        backbone_config=seeing, hidden_size=32, pool_scales=[1, 2, 3], use_auxiliary_head=False,
        id2label=dict(enumerate(names)), label2id={name: at for at, name in enumerate(names)},
    )  # fmt: skip
    return UperNetForSemanticSegmentation(config)


def detection_loss(model: Any, hint: Hint, made: list[shapes.Scene]) -> torch.Tensor:
    """Each query answers for the shape whose middle lies in its cell: nothing has to be matched, and it learns fast."""
    right = torch.zeros(len(made), CELLS * CELLS, len(NAMES))
    boxes = torch.zeros(len(made), CELLS * CELLS, 4)
    for at, one in enumerate(made):
        side = len(one.pixels)
        for shape in one.shapes:
            cell = int(shape.y * CELLS / side) * CELLS + int(shape.x * CELLS / side)
            right[at, cell, number(shape)] = 1
            boxes[at, cell] = torch.tensor([shape.x, shape.y, 2 * shape.half, 2 * shape.half]) / side
    answer = model(pixel_values=pixels(made))
    there = right.sum(-1) > 0
    likely = answer.logits.sigmoid().detach()
    # The focal loss: what is known already counts little, and most cells are empty.
    weight = torch.where(right > 0, (1 - likely) ** 2, 0.5 * likely**2)
    named = (weight * binary_cross_entropy_with_logits(answer.logits, right, reduction="none")).sum() / there.sum()
    placed = (answer.pred_boxes[there] - boxes[there]).abs().sum(-1).mean()
    told: torch.Tensor = 2 * named + 5 * placed + hint(answer.encoder_last_hidden_state, made)
    return told


def segmentation_loss(model: Any, made: list[shapes.Scene]) -> torch.Tensor:
    """Return the cross-entropy over all pixels; most are ground, which is learned first and then counts less."""
    weights = torch.tensor([0.1] + [1.0] * len(NAMES))
    right = torch.from_numpy(numpy.stack([truth(one) for one in made]))
    return cross_entropy(model(pixel_values=pixels(made)).logits, right, weights)


def truth(one: shapes.Scene) -> Any:
    """Return which name each pixel has; 0 is the ground."""
    table = numpy.array([0, *(number(shape) + 1 for shape in one.shapes)], dtype=numpy.int64)
    return table[one.numbers]


def train(
    model: Any,
    loss: Callable[[], torch.Tensor],
    peak: float,
    seconds: float,
    steps: int | None,
) -> int:
    """Train for so many steps, else for so much processor time, the rate falling to nothing; return the steps."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, weight_decay=0.01, fused=True)
    began, step, done = time.process_time(), 0, 0.0
    while done < 1:
        rate = peak * min(1.0, done / WARM_UP + 0.02) * (1 - done)
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        found = loss()
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
    chances = answer.logits.sigmoid().numpy()
    middles = answer.pred_boxes.numpy() * len(made[0].pixels)
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
    found = model(pixel_values=pixels(made)).logits.argmax(1).numpy()
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
    # The norms of a detector are fixed once more when it is loaded, and count no batches.
    counted = "num_batches_tracked" if task == "detect" else ()
    weights = {name: value for name, value in model.state_dict().items() if not name.endswith(counted)}
    model.save_pretrained(folder, state_dict=weights)
    seen = {
        "image_processor_type": processor,
        "do_resize": True,
        "size": {"height": SIDES[task], "width": SIDES[task]},
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
        "--seconds", type=float, help="train for so much processor time; 80 to detect and 45 to segment unless told"
    )
    budget.add_argument("--steps", type=int, help="train for exactly this many steps; the same weights each time")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.manual_seed(asked.seed)
    detects = asked.task == "detect"
    model = thawed(detector()) if detects else segmenter()
    rng, side, count = numpy.random.default_rng(asked.seed), SIDES[asked.task], BATCH[asked.task]
    hint = Hint(WIDTH)

    def loss() -> torch.Tensor:
        made = scenes(rng, count, side)
        return detection_loss(model, hint, made) if detects else segmentation_loss(model, made)

    learning = torch.nn.ModuleList([model, hint]) if detects else model
    steps = train(learning.train(), loss, RATES[asked.task], asked.seconds or SECONDS[asked.task], asked.steps)
    held_out = scenes(numpy.random.default_rng(HELD_OUT_SEED), HELD_OUT, side)
    model.eval()
    if detects:
        said = (
            f"Mean average precision at 0.5 on {HELD_OUT} new drawings: {mean_average_precision(model, held_out):.3f}."
        )
    else:
        said = f"Mean intersection over union on {HELD_OUT} new drawings: {mean_overlap(model, held_out):.3f}."
    processor = "ConditionalDetrImageProcessor" if detects else "SegformerImageProcessor"
    save(model, asked.folder, processor, said, asked.task)
    parameters = sum(tensor.numel() for tensor in model.parameters())
    print(f"a toy of {parameters / 1e6:.2f} M parameters, {steps} steps. {said}")


if __name__ == "__main__":
    main()
