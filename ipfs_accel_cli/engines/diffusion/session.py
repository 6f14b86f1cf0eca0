"""Sessions that draw pictures: one step of the denoising for each wish."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from ipfs_accel_cli.core.errors import DoesNotFit, Invalid, MalformedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.diffusion.turns import Turns
from ipfs_accel_cli.engines.exchange.multimodal import Drawn, DrawOptions, Strokes, Wish
from ipfs_accel_cli.engines.torch.problems import computing

# What a decoder of pictures holds for each pixel while it works: two maps of 128 channels and their product, float32.
BYTES_A_PIXEL = 2048


@dataclass(slots=True)
class _Work:
    turns: Turns[Any]
    steps: int
    truncated: bool
    done: int = 0


class DrawSession:
    """One loaded pipeline. Wishes share its weights; each has a schedule of its own."""

    def __init__(self, pipeline: Any, device: torch.device, name: str, room_bytes: int | None) -> None:
        self._pipeline: Any = pipeline
        self._device, self._name, self._room_bytes = device, name, room_bytes
        self._takes = inspect.signature(type(pipeline).__call__).parameters
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Take a wish on; raise Invalid for a size that the model cannot draw, DoesNotFit for one beyond memory."""
        wish, options = request.payload, request.options
        if not isinstance(wish, Wish) or not isinstance(options, DrawOptions):
            raise Invalid(f"{self._name} was loaded to draw pictures, not to {request.kind}")
        pipeline = self._pipeline
        if pipeline is None:
            raise Invalid(f"{self._name} was closed")
        self._check_size(options)
        unknown = [name for name, used in (("--negative", bool(wish.without)),) if used and not self._guided()]
        if unknown:
            raise Invalid(f"{self._name} knows no {', '.join(unknown)}")
        own = copy.copy(pipeline)
        # The schedule counts steps; the weights do not change.
        own.scheduler = copy.deepcopy(pipeline.scheduler)
        turns = Turns(self._drawing(own, wish, options))
        self._active[request.id] = _Work(turns, options.steps, self._truncated(wish))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Take one step for each wish."""
        done = []
        for request, work in list(self._active.items()):
            with computing(self._name):
                picture = work.turns.turn()
            work.done += 1
            if not work.turns.finished:
                done.append((request, Chunk(Strokes(min(work.done, work.steps), work.steps))))
                continue
            del self._active[request]
            done.append((request, Chunk(self._drawn(picture, work), finished=True)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a wish, between two steps."""
        work = self._active.pop(request, None)
        if work is not None:
            work.turns.stop()

    def close(self) -> None:
        """Let go of the weights."""
        for request in list(self._active):
            self.abort(request)
        self._pipeline = None

    def _drawing(self, pipeline: Any, wish: Wish, options: DrawOptions) -> Callable[[Callable[[], None]], Any]:
        asked: dict[str, Any] = {
            "prompt": wish.text,
            "num_inference_steps": options.steps,
            "generator": torch.Generator().manual_seed(options.seed),
            "output_type": "np",
            "guidance_scale": options.guidance,
            "negative_prompt": wish.without or None,
            "height": options.height or None,
            "width": options.width or None,
        }
        asked = {name: value for name, value in asked.items() if name in self._takes}

        def draw(after_step: Callable[[], None]) -> Any:
            def told(_pipeline: Any, _step: int, _timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
                after_step()
                return given

            with torch.inference_mode():
                return pipeline(**asked, callback_on_step_end=told).images[0]

        return draw

    def _drawn(self, picture: Any, work: _Work) -> Drawn:
        values = numpy.asarray(picture)
        if not numpy.isfinite(values).all():
            raise MalformedContent(f"{self._name} draws values that are no numbers; its weights are damaged")
        pixels = numpy.clip(numpy.rint(values * 255), 0, 255).astype(numpy.uint8)
        return Drawn(pixels, work.steps, work.truncated)

    def _guided(self) -> bool:
        return "negative_prompt" in self._takes

    def _check_size(self, options: DrawOptions) -> None:
        own = self._own_side()
        width, height = options.width or own, options.height or own
        unit = int(getattr(self._pipeline, "vae_scale_factor", 8))
        if width % unit or height % unit:
            raise Invalid(
                f"{self._name} draws sides that are multiples of {unit} pixels, not {width} x {height}",
                suggestion=f"--size {max(unit, width // unit * unit)}x{max(unit, height // unit * unit)}",
            )
        needed = width * height * BYTES_A_PIXEL
        if self._room_bytes is not None and needed > self._room_bytes:
            raise DoesNotFit(
                f"{width} x {height} pixels take about {human_bytes(needed)} while they are drawn; "
                f"{human_bytes(max(0, self._room_bytes))} are free beside the model",
                needed_bytes=needed,
                available_bytes=self._room_bytes,
            )

    def _own_side(self) -> int:
        config = getattr(
            getattr(self._pipeline, "unet", None) or getattr(self._pipeline, "transformer", None), "config", None
        )
        side = getattr(config, "sample_size", None)
        return (side if isinstance(side, int) else 64) * int(getattr(self._pipeline, "vae_scale_factor", 8))

    def _truncated(self, wish: Wish) -> bool:
        tokenizer = getattr(self._pipeline, "tokenizer", None)
        limit = getattr(tokenizer, "model_max_length", None)
        if tokenizer is None or not isinstance(limit, int):
            return False
        return any(len(tokenizer(text)["input_ids"]) > limit for text in (wish.text, wish.without))
