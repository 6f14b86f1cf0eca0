"""Ollama: a Modelfile, and the command that makes a model of it."""

from __future__ import annotations

import json
import shlex
from typing import Any

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.model.deploy.render import llama_server
from ipfs_accel_cli.services.model.deploy.render.plan import FILE, Output, Plan, comments, heading, unused
from ipfs_accel_cli.services.model.deploy.render.quoting import modelfile_text, modelfile_value

USED = ("context", "batch", "threads", "gpu_layers", "alias")
_NAME = "Modelfile"
_LARGEST_BYTES = 1 << 20


def render(plan: Plan) -> Output:
    """Return a Modelfile; raises as `llama_server.weights`, and Invalid for a path that a Modelfile cannot hold."""
    notes: list[str] = ["Ollama copies the files into its own store when the model is created"]
    body = [f"FROM {_path(str(plan.folder / path))}" for path in llama_server.parts(plan)]
    own: dict[str, Any] = {
        "num_ctx": plan.config.context,
        "num_batch": plan.config.batch,
        "num_thread": plan.config.threads,
        "num_gpu": _layers(plan),
    }
    options = {**_shipped(plan), **{name: value for name, value in own.items() if value is not None}}
    for name, value in options.items():
        body += _parameter(name, value, notes)
    body += _template(plan, notes)
    notes += unused(plan, USED if plan.config.device != "cpu" else (*USED, "device"), "a Modelfile")
    name = plan.alias
    create = f"ollama create {shlex.quote(name)} -f {FILE}"
    text = "\n".join([*comments(heading(plan, *notes, f"Create it with: {create.replace(FILE, _NAME)}")), *body]) + "\n"
    return Output(_NAME, text, commands=[create, f"ollama run {shlex.quote(name)}"], notes=notes)


def _path(path: str) -> str:
    value = modelfile_value(path)
    if value is None:
        raise Invalid(f"a Modelfile cannot name {path!r}", suggestion="move the home folder")
    return value


def _layers(plan: Plan) -> int | None:
    chosen = plan.config.gpu_layers
    if plan.config.device == "cpu":
        return 0
    return int(chosen) if chosen and chosen.isdecimal() else 999 if chosen == "all" else None


def _shipped(plan: Plan) -> dict[str, Any]:
    """Return the parameters that came with a model of Ollama's registry."""
    data = _read(plan, "params")
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        return {}
    return (
        {name: value for name, value in found.items() if name.isascii() and name.isidentifier()}
        if isinstance(found, dict)
        else {}
    )


def _parameter(name: str, value: Any, notes: list[str]) -> list[str]:
    lines = []
    for one in value if isinstance(value, list) else [value]:
        if one is None or isinstance(one, dict | list):
            continue
        written = modelfile_value(one) if isinstance(one, str) else json.dumps(one)
        if written is None:
            notes.append(f"the parameter {name} that came with the model cannot be written")
            continue
        lines.append(f"PARAMETER {name} {written}")
    return lines


def _template(plan: Plan, notes: list[str]) -> list[str]:
    text = _read(plan, "template")
    if text is None:
        return []
    written = modelfile_text(text)
    if written is None:
        notes.append("the template that came with the model cannot be written; Ollama takes the GGUF file's")
        return []
    return [f"TEMPLATE {written}"]


def _read(plan: Plan, path: str) -> str | None:
    place = plan.files.get(path)
    if place is None or place.stat().st_size > _LARGEST_BYTES:
        return None
    try:
        return place.read_text("utf-8")
    except UnicodeDecodeError:
        return None
