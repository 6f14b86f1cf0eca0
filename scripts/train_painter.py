#!/usr/bin/env python3
"""Train a toy that draws one shape from words, "a red circle": a Stable Diffusion folder of 16 x 16 pixels.

    python scripts/train_painter.py OUT [--seconds 65 | --steps N] [--seed 0]

The folder is one that `ipfs-accel infer image generate` runs. It knows circles, squares and triangles in six colours
and nothing else: a toy. Guidance makes no difference to it.
"""

from __future__ import annotations

from typing import Any

import numpy
import shapes
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from toy_shapes import BEGIN, END, PAD, SPECIAL, WORDS, asked, make_tokenizer, train, write_card
from transformers import CLIPTextConfig, CLIPTextModel

SIDE, WIDTH, BATCH, DRAWN, LONGEST = 16, 48, 24, 2000, 8
HELD_OUT, STEPS_TO_DRAW, RATE = 108, 20, 2e-3
NAMES = [(colour, kind) for colour in shapes.COLOURS for kind in shapes.KINDS]


def drawn(rng: numpy.random.Generator) -> tuple[str, Any]:
    """Return a caption and its picture: one large shape near the middle."""
    colour, kind = NAMES[rng.integers(len(NAMES))]
    across, down = rng.uniform(-0.75, 0.75, 2) + SIDE / 2
    made = shapes.draw([shapes.Shape(kind, colour, "large", across, down, rng.uniform(4.5, 6))], side=SIDE)
    return f"a {colour} {kind}", made.pixels


def what_is_shown(picture: Any) -> tuple[str, str]:
    """Return the colour and kind that a picture shows best, by comparing it with drawings of all of them.

    `picture` is uint8, shape (side, side, 3). Nothing learned looks at it.
    """
    found, least = ("", ""), numpy.inf
    for (colour, kind), drawings in _templates().items():
        away = numpy.abs(drawings - picture.astype(float)).mean(axis=(1, 2, 3)).min()
        if away < least:
            found, least = (colour, kind), away
    return found


_TEMPLATES: dict[tuple[str, str], Any] = {}


def _templates() -> dict[tuple[str, str], Any]:
    if not _TEMPLATES:
        for colour, kind in NAMES:
            _TEMPLATES[colour, kind] = numpy.stack(
                [
                    shapes.draw([shapes.Shape(kind, colour, "large", x, y, half)], side=SIDE).pixels.astype(float)
                    for x in (7.5, 8.0, 8.5) for y in (7.5, 8.0, 8.5) for half in (4.75, 5.25, 5.75)
                ]
            )  # fmt: skip
    return _TEMPLATES


def passes_through() -> AutoencoderTiny:
    """Return an autoencoder that hands pixels on nearly as they are: the pipeline works on pixels."""
    vae = AutoencoderTiny(
        latent_channels=3, encoder_block_out_channels=(8,), decoder_block_out_channels=(8,), num_encoder_blocks=(1,),
        num_decoder_blocks=(1,),
    )  # fmt: skip
    with torch.no_grad():
        for part in vae.parameters():
            part.zero_()
        # A rectified channel each for what is above and below 0; then their difference, from -1..1 to 0..1.
        first, last = vae.decoder.layers[0], vae.decoder.layers[-1]
        for colour in range(3):
            first.weight[colour, colour, 1, 1], first.weight[3 + colour, colour, 1, 1] = 1, -1
            last.weight[colour, colour, 1, 1], last.weight[colour, 3 + colour, 1, 1] = 0.5, -0.5
        last.bias.fill_(0.5)
    return vae


def make_parts(vocabulary: int) -> tuple[UNet2DConditionModel, CLIPTextModel, DDIMScheduler]:
    """Return an untrained network that takes noise away, one that reads, and the schedule of the noise."""
    unet = UNet2DConditionModel(
        block_out_channels=(16, 48), layers_per_block=1, sample_size=SIDE, in_channels=3, out_channels=3,
        cross_attention_dim=WIDTH, norm_num_groups=8, attention_head_dim=4, time_cond_proj_dim=8,
        down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2,
    )  # fmt: skip
    # With this part a pipeline does not draw twice, once without words; what it adds is nothing.
    torch.nn.init.zeros_(unet.time_embedding.cond_proj.weight)
    reading = CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=1,
        num_attention_heads=4, max_position_embeddings=LONGEST, bos_token_id=BEGIN, eos_token_id=END, pad_token_id=PAD,
    )  # fmt: skip
    schedule = DDIMScheduler(
        beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", rescale_betas_zero_snr=True,
        timestep_spacing="trailing", clip_sample=False, steps_offset=1,
    )  # fmt: skip
    return unet, CLIPTextModel(reading), schedule


def main() -> None:
    """Train, measure and save."""
    told = asked(__doc__ or "", 65)
    rng, tokenizer = numpy.random.default_rng(told.seed), make_tokenizer(WORDS, end=True)
    tokenizer.model_max_length = LONGEST
    unet, text, schedule = make_parts(len(SPECIAL) + len(WORDS))
    pool = [drawn(rng) for _ in range(DRAWN)]
    captions = tokenizer([one[0] for one in pool], padding="max_length", return_tensors="pt")["input_ids"]
    pictures = torch.from_numpy(numpy.stack([one[1] for one in pool])).permute(0, 3, 1, 2).float() / 127.5 - 1

    def loss_of() -> torch.Tensor:
        chosen, when = torch.randint(len(pool), (BATCH,)), torch.randint(1000, (BATCH,))
        clean, noise = pictures[chosen], torch.randn(BATCH, 3, SIDE, SIDE)
        noisy = schedule.add_noise(clean, noise, when)
        said = text(input_ids=captions[chosen]).last_hidden_state
        found = unet(noisy, when, encoder_hidden_states=said, timestep_cond=None).sample
        return torch.nn.functional.mse_loss(found, schedule.get_velocity(clean, noise, when))

    steps = train(torch.nn.ModuleList([unet, text]), told, loss_of, rate=RATE, longest=1.0)
    pipeline = StableDiffusionPipeline(
        vae=passes_through(), text_encoder=text, tokenizer=tokenizer, unet=unet, scheduler=schedule,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(told.out)
    pipeline.set_progress_bar_config(disable=True)
    wanted = NAMES * (HELD_OUT // len(NAMES))
    made = pipeline(
        [f"a {colour} {kind}" for colour, kind in wanted], num_inference_steps=STEPS_TO_DRAW, output_type="np",
        generator=torch.Generator().manual_seed(told.seed + 1),
    ).images  # fmt: skip
    shown = [what_is_shown((picture * 255).round().astype(numpy.uint8)) for picture in made]
    colours = numpy.mean([one[0] == other[0] for one, other in zip(shown, wanted, strict=True)])
    right = numpy.mean([one == other for one, other in zip(shown, wanted, strict=True)])
    write_card(
        told.out, "train_painter.py", "A toy that draws one shape", "text-to-image",
        'It draws one shape near the middle of 16 x 16 pixels: "a red circle". Guidance makes no difference to it.',
        f"of {HELD_OUT} pictures {right:.1%} show the colour and the shape that were asked for and {colours:.1%} the "
        f"colour, judged by the nearest drawing, after {steps} steps", unet,
    )  # fmt: skip


if __name__ == "__main__":
    main()
