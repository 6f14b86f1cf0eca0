#!/usr/bin/env python3
"""Train a toy that answers questions about drawn shapes, "what colour is the circle?": a small LLaVA.

    python scripts/train_shape_answers.py OUT [--seconds 90] [--seed 0]

The folder is one that `ipfs-accel infer multimodal ask` runs. It knows drawn shapes and the five kinds of questions
below and nothing else: a toy.
"""

from __future__ import annotations

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
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

BATCH, HELD_OUT, WIDTH, QUESTIONS, SLOT, DRAWN = 24, 400, 96, 5, 8, 4000
COUNTS = ("one", "two", "three")
ASKING = ["what", "colour", "is", "the", "shape", "thing", "how", "many", "shapes", "are", "there", "large", "?"]
VOCABULARY = [*dict.fromkeys([*WORDS, *ASKING, *COUNTS, "yes", "no"])]
# The picture comes first, then the words, as they are.
TEMPLATE = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}"
)


def question(rng: numpy.random.Generator, found: tuple[shapes.Shape, ...]) -> tuple[str, str]:
    """Return a question that the picture answers, and the answer."""
    kinds, colours = [shape.kind for shape in found], [shape.colour for shape in found]
    choices = [("how many shapes are there?", COUNTS[len(found) - 1])]
    for shape in found:
        if kinds.count(shape.kind) == 1:
            choices.append((f"what colour is the {shape.kind}?", shape.colour))
            choices.append((f"how large is the {shape.kind}?", shape.size))
        if colours.count(shape.colour) == 1:
            choices.append((f"what shape is {shape.colour}?", shape.kind))
    truth = found[rng.integers(len(found))]
    choices.append((f"is there a {truth.colour} {truth.kind}?", "yes"))
    other = str(rng.choice(list(shapes.COLOURS))), str(rng.choice(shapes.KINDS))
    if other not in zip(colours, kinds, strict=True):
        choices.append((f"is there a {other[0]} {other[1]}?", "no"))
    return choices[rng.integers(len(choices))]


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
    seeing = CLIPVisionConfig(
        hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=3, num_attention_heads=4, image_size=SIDE,
        patch_size=PATCH, projection_dim=WIDTH,
    )  # fmt: skip
    saying = LlamaConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=128, tie_word_embeddings=True,
        pad_token_id=PAD, bos_token_id=BEGIN, eos_token_id=END,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=seeing, text_config=saying, image_token_index=SPECIAL.index("<image>"), vision_feature_layer=-1,
        tie_word_embeddings=True,
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = END, PAD
    return model


def main() -> None:
    """Train, measure and save."""
    told = asked(__doc__ or "", 90)
    rng, tokenizer = numpy.random.default_rng(told.seed), make_tokenizer(VOCABULARY)
    model = make_model(len(SPECIAL) + len(VOCABULARY))
    tokenizer.padding_side = "left"
    shown, cells = " ".join(["<image>"] * (SIDE // PATCH) ** 2), (SIDE // PATCH) ** 2 + 1
    visible, places = layout(cells)

    pool = Pool(rng, DRAWN, most=3)

    def loss_of() -> Tensor:
        scenes = pool.take(BATCH)
        pairs = [question(rng, scene.shapes) for scene in scenes for _ in range(QUESTIONS)]
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
        seen = output.image_hidden_states.view(BATCH, -1, WIDTH)
        loss: Tensor = output.loss + hint(seen, scenes) + hint.present(seen.mean(1), scenes)
        return loss

    hint = Hint(WIDTH)
    steps = train(torch.nn.ModuleList([model, hint]), told, loss_of)
    scenes = [shapes.scene(rng, count=int(rng.integers(1, 4)), side=SIDE) for _ in range(HELD_OUT)]
    pairs = [question(rng, scene.shapes) for scene in scenes]
    questions, answers = zip(*pairs, strict=True)
    encoded = tokenizer([f"{shown} {ask}" for ask in questions], padding=True, return_tensors="pt")
    made = model.generate(**encoded, pixel_values=pixels(scenes), max_new_tokens=3, do_sample=False)
    found = tokenizer.batch_decode(made[:, encoded["input_ids"].shape[1] :], skip_special_tokens=True)
    right = [one == other for one, other in zip(found, answers, strict=True)]
    kinds: dict[str, list[bool]] = {}
    for ask, good in zip(questions, right, strict=True):
        kinds.setdefault(" ".join(ask.split()[:2]), []).append(good)
    print(", ".join(f"{kind} {numpy.mean(good):.0%}" for kind, good in sorted(kinds.items())))
    model.save_pretrained(told.out)
    LlavaProcessor(
        CLIPImageProcessorPil(
            size={"height": SIDE, "width": SIDE}, do_center_crop=False, **LOOK
        ),
        tokenizer, patch_size=PATCH, vision_feature_select_strategy="default", image_token="<image>",
        num_additional_image_tokens=1, chat_template=TEMPLATE,
    ).save_pretrained(told.out)  # fmt: skip
    write_card(
        told.out, "train_shape_answers.py", "A toy that answers questions about drawn shapes", "image-text-to-text",
        'Of one to three shapes it tells the colour, kind, size and number, and whether there is "a red circle".',
        f"{numpy.mean(right):.1%} of {HELD_OUT} questions about new drawings answered right after {steps} steps", model,
    )  # fmt: skip


if __name__ == "__main__":
    main()
