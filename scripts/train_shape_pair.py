#!/usr/bin/env python3
"""Train a toy that puts drawn shapes and their captions into one space, in a minute and a quarter: a small CLIP.

    python scripts/train_shape_pair.py OUT [--seconds 75] [--seed 0]

The folder is one that `ipfs-accel infer multimodal embed` runs. It knows drawn shapes and nothing else: a toy.
"""

from __future__ import annotations

import numpy
import shapes
import torch
from torch import Tensor
from toy_shapes import (
    BEGIN,
    END,
    PAD,
    PATCH,
    SIDE,
    SPECIAL,
    WORDS,
    asked,
    make_tokenizer,
    pixels,
    train,
    write_card,
)  # fmt: skip
from transformers import CLIPConfig, CLIPModel, CLIPProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

BATCH, HELD_OUT, ROUNDS, WIDTH, RATE, LOOK = 64, 100, 3, 96, 1.5e-3, 0.5
PLACE_WORDS = ["at", "the", *shapes.DOWN, *shapes.ACROSS]
VOCABULARY = [*dict.fromkeys([*WORDS, *PLACE_WORDS])]


def words(shape: shapes.Shape) -> str:
    """Return a shape and its place in words; there are 324 such captions."""
    down, across = shape.place(SIDE)
    return f"{shapes.words(shape)} at the {down} {across}"


def make_model(vocabulary: int) -> CLIPModel:
    """Return an untrained model of about half a million parameters."""
    block = {"intermediate_size": 2 * WIDTH, "num_attention_heads": 4, "hidden_size": WIDTH}
    reading = block | {
        "vocab_size": vocabulary, "max_position_embeddings": 16, "num_hidden_layers": 2, "bos_token_id": BEGIN,
        "eos_token_id": END, "pad_token_id": PAD,
    }  # fmt: skip
    seeing = block | {"image_size": SIDE, "patch_size": PATCH, "num_hidden_layers": 3}
    return CLIPModel(CLIPConfig(text_config=reading, vision_config=seeing, projection_dim=64))


def main() -> None:
    """Train, measure and save."""
    told = asked(__doc__ or "", 75)
    rng, tokenizer = numpy.random.default_rng(told.seed), make_tokenizer(VOCABULARY, end=True)
    model = make_model(len(SPECIAL) + len(VOCABULARY))

    def distinct(count: int) -> tuple[Tensor, list[str]]:
        """Return new pictures of which no two have the same caption."""
        found: dict[str, shapes.Scene] = {}
        while len(found) < count:
            scene = shapes.scene(rng, side=SIDE)
            found.setdefault(words(scene.shapes[0]), scene)
        return pixels(list(found.values()), LOOK, LOOK), list(found)

    def loss_of() -> Tensor:
        pictures, captions = distinct(BATCH)
        read = tokenizer(captions, padding=True, return_tensors="pt")
        loss: Tensor = model(**read, pixel_values=pictures, return_loss=True).loss
        return loss

    steps = train(model, told, loss_of, rate=RATE, longest=1.0)
    hits: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        pictures, captions = distinct(HELD_OUT)
        with torch.no_grad():
            near = model(**tokenizer(captions, padding=True, return_tensors="pt"), pixel_values=pictures)
        own = torch.arange(HELD_OUT)
        to_text, to_picture = near.logits_per_image.argmax(-1), near.logits_per_text.argmax(-1)
        hits.append((float((to_text == own).float().mean()), float((to_picture == own).float().mean())))
    text, picture = (numpy.mean(side) for side in zip(*hits, strict=True))
    model.save_pretrained(told.out)
    CLIPProcessor(
        CLIPImageProcessorPil(
            size={"height": SIDE, "width": SIDE}, do_center_crop=False, image_mean=[LOOK] * 3, image_std=[LOOK] * 3
        ),
        tokenizer,
    ).save_pretrained(told.out)  # fmt: skip
    write_card(
        told.out, "train_shape_pair.py", "A toy that pairs drawn shapes with words", "zero-shot-image-classification",
        'It embeds one shape near its caption: "a large red circle at the top left".',
        f"retrieval@1 among {HELD_OUT} new drawings with distinct captions: text for a picture {text:.1%}, picture for "
        f"a text {picture:.1%}, after {steps} steps", model,
    )  # fmt: skip


if __name__ == "__main__":
    main()
