"""llama-server of llama.cpp: a command line with the options of its `tools/server/README.md`."""

from __future__ import annotations

import re
from pathlib import PurePath

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.services.model.deploy.render.plan import FILE, Output, Plan, comments, heading, unused
from ipfs_accel_cli.services.model.deploy.render.quoting import shell_line

USED = (
    *("device", "threads", "gpu_layers", "context", "batch", "parallel", "kv_dtype", "host", "port", "alias"),
    *("api_key_env", "extra_args"),
)
KEY_VARIABLE = "LLAMA_API_KEY"
_DEVICES = {"cuda": "CUDA", "rocm": "ROCm", "vulkan": "Vulkan"}
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")


def render(plan: Plan) -> Output:
    """Return a script that starts the server in the foreground; raises as `weights`."""
    key = plan.config.api_key_env
    exports = [f'export {KEY_VARIABLE}="${{{key}:?{key} must hold the key}}"'] if key else []
    command = "exec " + shell_line([plan.llama_server, *words(plan, plan.folder)])
    notes = told(plan)
    lines = ["#!/bin/sh", *comments(heading(plan, *notes)), "set -eu", *exports, command]
    health = f"curl http://{plan.config.address}/health"
    text = "\n".join(lines) + "\n"
    return Output(f"{plan.name}.sh", text, executable=True, commands=[FILE, health], notes=notes)


def words(plan: Plan, folder: PurePath, host: str | None = None) -> list[str]:
    """Return the options of the server for a model that lies in `folder`; raises as `weights`."""
    config = plan.config
    model, projector = weights(plan)
    found = ["--model", str(folder / model)]
    if projector is not None:
        found += ["--mmproj", str(folder / projector)]
    found += ["--alias", plan.alias, "--host", host or config.host, "--port", str(config.port)]
    slots = config.parallel or 1
    if config.context:
        # The server divides the context among its slots.
        found += ["--ctx-size", str(config.context * slots)]
    options = {
        "--parallel": config.parallel or (1 if config.context else None),
        "--batch-size": config.batch,
        "--threads": config.threads,
        "--n-gpu-layers": config.gpu_layers,
        "--cache-type-k": config.kv_dtype,
        "--cache-type-v": config.kv_dtype,
        "--device": _device(config.device),
    }
    for name, value in options.items():
        found += [name, str(value)] if value is not None else []
    return [*found, *config.extra_args]


def weights(plan: Plan) -> tuple[str, str | None]:
    """Return the GGUF file to start with, the first of its parts, and the projector of a model that sees, if any.

    Raises UnsupportedContent where there is none, Invalid where there are several and none was chosen.
    """
    files = [path for path in plan.files if path.endswith(".gguf")]
    projectors = [path for path in files if path.rpartition("/")[2].startswith("mmproj")]
    heads = [path for path in files if path not in projectors and _is_head(path)]
    if plan.config.file is not None:
        if plan.config.file not in files:
            raise Invalid(f"{plan.config.model} has no GGUF file {plan.config.file!r}; it has: {', '.join(heads)}")
        heads = [plan.config.file]
    if not heads:
        raise UnsupportedContent(
            f"llama.cpp and Ollama run GGUF files, and {plan.config.model} has none",
            suggestion="pull the model as GGUF (hf://…-GGUF, ollama://…), then: ipfs-accel model deploy new"
            f" {plan.name} --model NAME",
        )
    if len(heads) > 1:
        raise Invalid(
            f"{plan.config.model} has several GGUF files: {', '.join(heads)}",
            suggestion=f"ipfs-accel model deploy new {plan.name} --set file={heads[0]}",
        )
    return heads[0], projectors[0] if projectors else None


def parts(plan: Plan) -> list[str]:
    """Return all files that the server opens."""
    model, projector = weights(plan)
    match = _PART.search(model)
    count = int(match[2]) if match else 1
    found = [_PART.sub(f"-{number:05d}-of-{count:05d}.gguf", model) for number in range(1, count + 1)]
    missing = next((path for path in found if path not in plan.files), None)
    if missing is not None:
        raise Invalid(f"{plan.config.model} lacks {missing}", suggestion="pull the model again without --exclude")
    return [*found, *([projector] if projector else [])]


def told(plan: Plan, target: str = "llama-server", *, limits: bool = False) -> list[str]:
    """Return what the server has no words for, and what it does with the context."""
    kind, slots = plan.config.device.partition(":")[0], plan.config.parallel or 1
    used = USED if kind in ("cpu", *_DEVICES) else tuple(name for name in USED if name != "device")
    shared = [f"--ctx-size is {plan.config.context} tokens for each of {slots} requests at once"]
    return [*(shared if plan.config.context and slots > 1 else []), *unused(plan, used, target, limits=limits)]


def _device(device: str) -> str | None:
    """Return what the server calls a device; without a number it takes all that it finds."""
    kind, _, number = device.partition(":")
    if kind == "cpu":
        return "none"
    return f"{_DEVICES[kind]}{number}" if number and kind in _DEVICES else None


def _is_head(path: str) -> bool:
    match = _PART.search(path)
    return match is None or int(match[1]) == 1
