"""Captions of many pictures, a window at a time."""

from __future__ import annotations

from collections.abc import Iterator

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.engines.exchange.image import Images
from ipfs_accel_cli.engines.exchange.multimodal import CaptionOptions
from ipfs_accel_cli.services.infer.multimodal.results import Caption
from ipfs_accel_cli.services.infer.multimodal.windows import Windows
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.services.infer.toys import is_toy
from ipfs_accel_cli.tasks.caption import Caption as CaptionTask


def captioned(opened: Opened, windows: Windows, options: CaptionOptions, seed: int | None) -> Iterator[Caption]:
    """Yield the captions in the order of the pictures; a picture's chance does not depend on its company."""
    facts, task, done = opened.model.facts, CaptionTask(), 0
    toy = is_toy(opened.model.folder)
    for pictures in windows:
        of_these = CaptionOptions(
            options.batch, options.max_tokens, options.temperature, options.seed + done, options.begin
        )
        images = Images(tuple(picture.pixels for picture in pictures))
        found = opened.answer(task, task.prepare(images, of_these))
        done += len(pictures)
        current().progress(done, None, "pictures captioned")
        for picture, text, tokens in zip(pictures, found.texts, found.tokens, strict=True):
            yield Caption(
                file=picture.name,
                caption=text,
                tokens=tokens,
                model=facts.name,
                model_cid=facts.manifest,
                toy=toy,
                engine=opened.warm.key.engine,
                seed=seed,
            )
    windows.end()
