"""From a model on torch to an ONNX graph that answers alike, with its pooling or its head inside."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import torch

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MissingExtra, UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts, Plan
from ipfs_accel_cli.engines.onnx.agreement import answers, checked
from ipfs_accel_cli.engines.onnx.graph import OUTPUT
from ipfs_accel_cli.engines.onnx.note import KEY
from ipfs_accel_cli.engines.onnx.sessions import loader
from ipfs_accel_cli.engines.onnx.subjects import Subject, subject
from ipfs_accel_cli.engines.tokenizing import quiet
from ipfs_accel_cli.engines.torch.problems import loading

OPSET = 20


def export(model: ModelFacts, files: Path, task: str, target: Path) -> dict[str, str | int | float]:
    """Write the graph to `target` and return what it was made with and how well it agrees.

    Raises VerificationFailed when vectors turn by more than a cosine of 0.999, or scores differ by more than 0.001.
    """
    current().progress(0, None, f"exporting {model.name} to ONNX, once")
    with loading(model.name, ", ".join(model.architectures)), quiet():
        made = subject(model, files, task)
        _write(model, made, target)
    current().check()
    plain = answers(made.session, task)
    graph = answers(loader(task)(model, files, Plan(task, threads=1, derived=target)), task)
    said: dict[str, str | int | float] = {
        "exporter": f"torch.onnx {torch.__version__.partition('+')[0]}",
        "opset": OPSET,
        "task": task,
    }
    return {**said, **checked(model.name, task, plain, graph)}


def _write(model: ModelFacts, made: Subject, target: Path) -> None:
    names = list(made.examples)
    try:
        with _silent():
            program = torch.onnx.export(
                made.module,
                (),
                kwargs=dict(made.examples),
                input_names=names,
                output_names=[OUTPUT],
                dynamo=True,
                dynamic_shapes=dict.fromkeys(names, made.sizes),
                opset_version=OPSET,
                verbose=False,
            )
            program.model.metadata_props[KEY] = made.note.encode()
            program.save(str(target), external_data=False)
    except ImportError as error:
        raise MissingExtra(
            f"exporting to ONNX needs {error.name or error}, which is not installed",
            suggestion="pip install 'ipfs-accel[onnx]'",
        ) from error
    except Exception as error:  # The exporter raises classes of its own for every operation it has no form for.
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise UnsupportedContent(f"{model.name} cannot be exported to ONNX: {first}") from error


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep the exporter's progress and warnings to itself; what goes wrong is raised."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
