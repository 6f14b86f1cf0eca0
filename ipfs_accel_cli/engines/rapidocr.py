"""The rapidocr engine: PP-OCR graphs (find lines, turn them, read them) through rapidocr, on ONNX Runtime."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
from rapidocr_onnxruntime import RapidOCR

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.exchange.image import FindOptions, Line, Lines
from ipfs_accel_cli.engines.threads import threads
from ipfs_accel_cli.engines.vision import Options, VisionSession

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

MODEL_TYPE = "pp-ocr"
# The graphs of a model, by what rapidocr calls them.
_GRAPHS = {"det": "det.onnx", "cls": "cls.onnx", "rec": "rec.onnx"}
# Graphs of 16 MiB took so much more while they read a page.
_WORKING_BYTES = 512 << 20


class RapidOcrEngine:
    """Reads lines of text with the graphs of a model, never with those that come with the library."""

    name = "rapidocr"

    def devices(self) -> tuple[Device, ...]:
        """Return the processor, the only device that is offered here."""
        return (Device("cpu"),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 0.7 in memory, else 0."""
        if model.model_type != MODEL_TYPE:
            return Fit(0, 0, f"{model.model_type or model.name} is not of the kind {MODEL_TYPE}", supported=False)
        needed = model.weight_bytes + _WORKING_BYTES
        reason = f"{human_bytes(needed)} are needed, {human_bytes(machine.memory_available_bytes)} are free"
        score = 0.7 if needed <= machine.memory_available_bytes else 0.0
        return Fit(score, needed, reason, threads=threads(machine.cores, machine.busy_cores))

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Load the three graphs; raises MalformedContent for damaged ones."""
        choose_device(plan.device, self.devices())
        count = plan.threads or -1
        paths = {f"{part}_model_path": str(files / file) for part, file in _GRAPHS.items()}
        try:
            reader = RapidOCR(**paths, intra_op_num_threads=count, inter_op_num_threads=1, print_verbose=False)
        except Exception as error:  # The library and the runtime below raise what they like for a damaged graph.
            raise MalformedContent(f"{model.name}: {str(error).splitlines()[0][:300]}") from error
        # It speaks up for every picture without text.
        logging.getLogger("rapidocr").setLevel(logging.ERROR)

        def look(positions: tuple[int, ...], images: Sequence[Pixels], options: Options) -> Lines:
            least = options.threshold if isinstance(options, FindOptions) else 0.5
            return Lines(positions, tuple(tuple(_lines(reader, image, least)) for image in images))

        return VisionSession(model.name, plan.task, look)


def _lines(reader: Any, image: Pixels, least: float) -> Iterator[Line]:
    # It takes blue first, as OpenCV does.
    found, _ = reader(numpy.ascontiguousarray(image[..., ::-1]), text_score=least)
    for corners, text, score in found or ():
        yield Line(text, float(score), tuple((float(x), float(y)) for x, y in corners))
