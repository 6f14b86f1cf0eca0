"""Our own server: the commands of this program over MCP and HTTP, `ipfs-accel serve-mcp --http`."""

from __future__ import annotations

import shlex

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.services.model.deploy.config import Deployment
from ipfs_accel_cli.services.model.deploy.render.plan import FILE, Output, Plan, comments, heading, unused
from ipfs_accel_cli.services.model.deploy.render.quoting import shell_line

USED = ("engine", "device", "threads", "host", "port", "api_key_env", "extra_args")
TOKEN_VARIABLE = "IPFS_ACCEL_MCP_TOKEN"  # noqa: S105 - the name of a variable


def render(plan: Plan) -> Output:
    """Return a script that starts the server in the foreground; raises as `words`."""
    command = "exec " + shell_line([*words(plan)])
    exports = [f"export {name}={shlex.quote(value)}" for name, value in environment(plan).items()]
    key = plan.config.api_key_env
    if key:
        exports.append(f'export {TOKEN_VARIABLE}="${{{key}:?{key} must hold the token, 16 characters or more}}"')
    notes = told(plan)
    lines = ["#!/bin/sh", *comments(heading(plan, *notes)), "set -eu", *exports, command]
    text, commands = "\n".join(lines) + "\n", [FILE, _call(plan)]
    return Output(f"{plan.name}.sh", text, executable=True, commands=commands, notes=notes)


def words(plan: Plan, host: str | None = None, program: list[str] | None = None) -> list[str]:
    """Return the command line, with options that `serve-mcp --help` lists.

    Raises UnsupportedContent for a model that none of our engines runs.
    """
    if not any(path.endswith((".safetensors", ".onnx", ".bin")) for path in plan.files):
        other = f"ipfs-accel model deploy render {plan.title} --for llama-server"
        if plan.config.server == "accel":
            other = f"ipfs-accel model deploy new {plan.name} --set server=llama-server"
        raise UnsupportedContent(f"no engine of ours runs the files of {plan.config.model}", suggestion=other)
    address = ["--host", host or plan.config.host, "--port", str(plan.config.port)]
    started = list(plan.program) if program is None else program
    served = ["serve-mcp", "--http", *address, "--toolsets", "infer", "--read-only"]
    return [*started, *served, *plan.config.extra_args]


def environment(plan: Plan) -> dict[str, str]:
    """Return the settings that the server reads from its environment; nothing secret is among them."""
    return {"IPFS_ACCEL_HOME": str(plan.home), **_settings(plan.config)}


def told(plan: Plan, target: str = "serve-mcp", *, limits: bool = False) -> list[str]:
    """Return what the server does not take from the configuration, and how the model is named there."""
    return [
        f"clients call tools over MCP and name the model {plan.config.manifest}",
        *unused(plan, USED, target, limits=limits),
    ]


def _settings(config: Deployment) -> dict[str, str]:
    found = {"IPFS_ACCEL_INFER_ENGINE": config.engine, "IPFS_ACCEL_INFER_DEVICE": config.device}
    if config.threads:
        found["IPFS_ACCEL_INFER_THREADS"] = str(config.threads)
    return found


def _call(plan: Plan) -> str:
    return f"ipfs-accel mcp ls --server http://{plan.config.address}/mcp"
