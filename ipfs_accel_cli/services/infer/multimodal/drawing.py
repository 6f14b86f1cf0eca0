"""Pictures drawn from words, into files."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ipfs_accel_cli.core.call import Call, current
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk
from ipfs_accel_cli.engines.exchange.multimodal import DrawOptions, Strokes, Wish
from ipfs_accel_cli.services.infer.image.writing import format_of, refuse_existing, write
from ipfs_accel_cli.services.infer.multimodal.results import Drawing
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.texts import read_prompt
from ipfs_accel_cli.services.infer.toys import is_toy
from ipfs_accel_cli.services.infer.worker import Answer
from ipfs_accel_cli.tasks.image_generate import ImageGenerate

_LARGEST_CHOSEN_SEED = 1 << 31
log = logging.getLogger("ipfs_accel_cli")


def draw(
    opener: Opener,
    prompt: str | None,
    output: Path,
    *,
    model: str | None = None,
    steps: int = 30,
    guidance: float = 7.5,
    seed: int | None = None,
    size: str | None = None,
    negative: str = "",
    force: bool = False,
    engine: str | None = None,
    device: str | None = None,
) -> Drawing:
    """Draw what a prompt says, from the argument or the caller's input, into a file that appears whole or not at all.

    Raises Invalid for options that make no sense, Conflict for a file that exists, DoesNotFit for a size beyond the
    memory, and what finding, choosing and loading a model raise.
    """
    call = current()
    path = call.path(output)
    format_ = format_of(path)
    refuse_existing(path, force=force)
    chance = secrets.randbelow(_LARGEST_CHOSEN_SEED) if seed is None else seed
    options = DrawOptions(steps, guidance, chance, *_sides(size))
    task = ImageGenerate()
    request = task.prepare(Wish(read_prompt(prompt, call), negative), options)
    found = opener.find(model, task.name)
    with opener.open(found, task.name, engine, device) as opened:
        with closing(opened.warm.worker.ask(request)) as answer:
            drawn = task.collect(_told(answer, call))
        key = opened.warm.key
    if drawn.truncated:
        log.warning("the prompt is longer than the model reads; its end was left out")
    from PIL import Image

    image = Image.fromarray(drawn.pixels)
    return Drawing(
        file=str(path),
        width=image.width,
        height=image.height,
        size_bytes=write(image, path, format_),
        steps=drawn.steps,
        guidance=guidance,
        seed=chance,
        truncated=drawn.truncated,
        model=found.facts.name,
        model_cid=found.facts.manifest,
        toy=is_toy(found.folder),
        engine=key.engine,
        device=key.device,
    )


def _sides(size: str | None) -> tuple[int, int]:
    """Return width and height, 0 for the model's own."""
    if size is None:
        return 0, 0
    found = re.fullmatch(r"(\d{1,6})(?:[xX](\d{1,6}))?", size.strip())
    if found is None or "0" in (found[1], found[2]):
        raise Invalid(f"--size is WIDTHxHEIGHT in pixels, such as 512x512, not {size!r}")
    return int(found[1]), int(found[2] or found[1])


def _told(answer: Answer, call: Call) -> Iterator[Chunk]:
    """Pass chunks on, telling the caller how far the picture has come."""
    for chunk in answer:
        if isinstance(chunk.data, Strokes):
            call.progress(chunk.data.done, chunk.data.total, "steps")
        yield chunk
