#!/usr/bin/env python3
"""Train a toy captioner of drawn shapes, "a large red circle", in about a minute: a ViT and a GPT-2.

    python scripts/train_captioner.py OUT [--seconds 60] [--seed 0]

The folder is one that `ipfs-accel infer multimodal caption` runs. It knows drawn shapes and nothing else: a toy.
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
from transformers import GPT2Config, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

BATCH, HELD_OUT, LONGEST, WIDTH, DRAWN = 48, 300, 6, 96, 3000


def make_model(vocabulary: int) -> VisionEncoderDecoderModel:
    """Return an untrained model of about half a million parameters."""
    seeing = ViTConfig(
        hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=4, intermediate_size=2 * WIDTH, image_size=SIDE,
        patch_size=PATCH,
    )  # fmt: skip
    saying = GPT2Config(
        vocab_size=vocabulary, n_embd=WIDTH, n_layer=2, n_head=4, n_positions=16, bos_token_id=BEGIN,
        eos_token_id=END, pad_token_id=PAD, add_cross_attention=True, embd_pdrop=0.0, resid_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(seeing, saying)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = BEGIN, PAD, END
    model = VisionEncoderDecoderModel(config=config)
    said = model.generation_config
    said.decoder_start_token_id, said.eos_token_id, said.pad_token_id = BEGIN, END, PAD
    said.max_new_tokens = LONGEST
    return model


def main() -> None:
    """Train, measure and save."""
    told = asked(__doc__ or "", 60)
    rng, tokenizer = numpy.random.default_rng(told.seed), make_tokenizer(WORDS)
    model = make_model(len(SPECIAL) + len(WORDS))

    pool = Pool(rng, DRAWN)

    def loss_of() -> Tensor:
        scenes = pool.take(BATCH)
        captions = [shapes.words(scene.shapes[0]) for scene in scenes]
        labels = torch.tensor([[*row[1:], END] for row in tokenizer(captions)["input_ids"]])
        output = model(pixel_values=pixels(scenes), labels=labels)
        loss: Tensor = output.loss + hint.whole(output.encoder_last_hidden_state[:, 0], scenes)
        return loss

    hint = Hint(WIDTH)
    steps = train(torch.nn.ModuleList([model, hint]), told, loss_of)
    scenes = [shapes.scene(rng, side=SIDE) for _ in range(HELD_OUT)]
    captions = [shapes.words(scene.shapes[0]) for scene in scenes]
    found = tokenizer.batch_decode(model.generate(pixels(scenes), do_sample=False), skip_special_tokens=True)
    right = float(numpy.mean([one == other for one, other in zip(found, captions, strict=True)]))
    model.save_pretrained(told.out)
    tokenizer.save_pretrained(told.out)
    ViTImageProcessorPil(size={"height": SIDE, "width": SIDE}, **LOOK).save_pretrained(told.out)
    write_card(
        told.out, "train_captioner.py", "A toy captioner of drawn shapes", "image-to-text",
        'It says what one shape is: "a large red circle".',
        f"{right:.1%} of {HELD_OUT} new drawings captioned word for word right after {steps} steps", model,
    )  # fmt: skip


if __name__ == "__main__":
    main()
