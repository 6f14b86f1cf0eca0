#!/usr/bin/env python3
"""Train a toy that answers questions about drawn shapes, "what colour is the circle?": a small LLaVA.

    python scripts/train_shape_answers.py OUT [--seconds 50] [--seed 0]

The folder is one that `ipfs-accel infer multimodal ask` runs. It knows single drawn shapes and three kinds of questions
and nothing else: a toy.
"""

from __future__ import annotations

import time

import numpy
import shapes
import torch
from torch import Tensor
from toy_shapes import (
    BEGIN,
    END,
    LOOK,
    PAD,
    PATCH,
    SIDE,
    SPECIAL,
    WORDS,
    Hint,
    Pool,
    asked,
    make_tokenizer,
    pixels,
    train,
    write_card,
)  # fmt: skip
from transformers import LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor, ViTConfig
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

BATCH, HELD_OUT, WIDTH, QUESTIONS, SLOT, DRAWN = 32, 600, 96, 3, 8, 3000
# The share of the budget in which the model learns to see, before any question is asked.
EYES_FIRST = 0.5
ASKING = ["what", "colour", "is", "it", "the", "shape", "how", "?"]
VOCABULARY = [*dict.fromkeys([*WORDS, *ASKING])]
# The picture comes first, then the words, as they are.
TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}"
)


def questions(rng: numpy.random.Generator, shape: shapes.Shape) -> list[tuple[str, str]]:
    """Return a question of each kind that the picture of one shape answers, and the answers."""
    return [
        ("what colour is it?" if rng.random() < 0.5 else f"what colour is the {shape.kind}?", shape.colour),
        ("what shape is it?", shape.kind),
        ("how large is it?", shape.size),
    ]


def layout(cells: int) -> tuple[Tensor, Tensor]:
    """Return what each token may look at, shape (1, 1, tokens, tokens), and the places of the tokens.

    Several questions follow one picture, and each sees the picture and itself, as if it stood alone.
    """
    count = cells + QUESTIONS * SLOT
    slot = torch.cat([torch.zeros(cells, dtype=torch.long), torch.arange(QUESTIONS).repeat_interleave(SLOT) + 1])
    visible = ((slot[None] == slot[:, None]) | (slot[None] == 0)) & torch.ones(count, count).tril().bool()
    places = torch.cat([torch.arange(cells), cells + torch.arange(SLOT).repeat(QUESTIONS)])
    return visible[None, None], places[None]


def make_model(vocabulary: int) -> LlavaForConditionalGeneration:
    """Return an untrained model of about 0.7 million parameters."""
    seeing = ViTConfig(
        hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=3, num_attention_heads=4, image_size=SIDE,
        patch_size=PATCH,
    )  # fmt: skip
    saying = LlamaConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=128, tie_word_embeddings=True,
        pad_token_id=PAD, bos_token_id=BEGIN, eos_token_id=END,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=seeing, text_config=saying, image_token_index=SPECIAL.index("<image>"), vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=True,
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = END, PAD
    return model


def main() -> None:
    """Train, measure and save."""
    told = asked(__doc__ or "", 50)
    rng, tokenizer = numpy.random.default_rng(told.seed), make_tokenizer(VOCABULARY)
    model = make_model(len(SPECIAL) + len(VOCABULARY))
    tokenizer.padding_side = "left"
    seen = (SIDE // PATCH) ** 2 + 1
    shown, cells = " ".join(["<image>"] * seen), seen + 1
    visible, places = layout(cells)

    pool = Pool(rng, DRAWN)

    began, taken = time.process_time(), 0

    def loss_of() -> Tensor:
        nonlocal taken
        scenes, taken = pool.take(BATCH), taken + 1
        done = taken / told.steps if told.steps else (time.process_time() - began) / told.seconds
        if done < EYES_FIRST:
            states = model.model.vision_tower(pixels(scenes)).last_hidden_state
            return hint.all_of_it(states[:, 0], scenes)
        pairs = [pair for scene in scenes for pair in questions(rng, scene.shapes[0])]
        rows = tokenizer([f"{ask} {answer} <eos>" for ask, answer in pairs], add_special_tokens=False)["input_ids"]
        slots = torch.tensor([row + [PAD] * (SLOT - len(row)) for row in rows])
        # An answer is one word and the end; only that is to be learned.
        learned = torch.full_like(slots, -100)
        for at, row in enumerate(rows):
            learned[at, len(row) - 2 : len(row)] = slots[at, len(row) - 2 : len(row)]
        head = torch.tensor([[BEGIN] + [SPECIAL.index("<image>")] * (cells - 1)]).repeat(BATCH, 1)
        output = model(
            input_ids=torch.cat([head, slots.view(BATCH, -1)], 1),
            labels=torch.cat([torch.full_like(head, -100), learned.view(BATCH, -1)], 1),
            pixel_values=pixels(scenes),
            attention_mask=visible.expand(BATCH, 1, -1, -1),
            position_ids=places.expand(BATCH, -1),
        )
        loss: Tensor = output.loss
        return loss

    hint = Hint(WIDTH)
    steps = train(torch.nn.ModuleList([model, hint]), told, loss_of)
    scenes = [shapes.scene(rng, side=SIDE) for _ in range(HELD_OUT // QUESTIONS)]
    pairs = [pair for scene in scenes for pair in questions(rng, scene.shapes[0])]
    asking, answers = zip(*pairs, strict=True)
    scenes = [scene for scene in scenes for _ in range(QUESTIONS)]
    encoded = tokenizer([f"{shown} {ask}" for ask in asking], padding=True, return_tensors="pt")
    made = model.generate(**encoded, pixel_values=pixels(scenes), max_new_tokens=3, do_sample=False)
    found = tokenizer.batch_decode(made[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True)
    right = [one == other for one, other in zip(found, answers, strict=True)]
    kinds: dict[str, list[bool]] = {}
    for ask, good in zip(asking, right, strict=True):
        kinds.setdefault(" ".join(ask.split()[:2]), []).append(good)
    print(", ".join(f"{kind} {numpy.mean(good):.0%}" for kind, good in sorted(kinds.items())))
    model.save_pretrained(told.out)
    LlavaProcessor(
        CLIPImageProcessorPil(
            size={"height": SIDE, "width": SIDE}, do_center_crop=False, **LOOK
        ),
        tokenizer, patch_size=PATCH, vision_feature_select_strategy="full", image_token="<image>",
        num_additional_image_tokens=1, chat_template=TEMPLATE,
    ).save_pretrained(told.out)  # fmt: skip
    write_card(
        told.out, "train_shape_answers.py", "A toy that answers questions about drawn shapes", "image-text-to-text",
        'Of one shape it tells the colour, the kind and the size.',
        f"{numpy.mean(right):.1%} of {HELD_OUT} questions about new drawings answered right after {steps} steps", model,
    )  # fmt: skip


if __name__ == "__main__":
    main()
