"""Docker Compose: a file of the Compose specification that starts our own server or llama-server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.model.deploy.render import accel, llama_server
from ipfs_accel_cli.services.model.deploy.render.plan import FILE, Output, Plan, comments, heading
from ipfs_accel_cli.services.model.deploy.render.quoting import compose_value

IMAGE = "ghcr.io/ggml-org/llama.cpp:server"
CUDA_IMAGE = "ghcr.io/ggml-org/llama.cpp:server-cuda"
_MODELS = PurePosixPath("/models")
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - inside the container; only what `ports` says is reachable
_TIMES = {"interval": "10s", "timeout": "5s", "retries": 3, "start_period": "120s"}


def render(plan: Plan) -> Output:
    """Return a Compose file; raises as the server's `words`, and Invalid where an image has to be named."""
    import yaml

    ours = plan.config.server == "accel"
    service = _accel(plan) if ours else _llama_server(plan)
    notes = accel.told(plan, limits=True) if ours else llama_server.told(plan, limits=True)
    service = {**compose_value(service), **_common(plan)}
    key = plan.config.api_key_env
    if key:
        variable = accel.TOKEN_VARIABLE if ours else llama_server.KEY_VARIABLE
        # Compose takes it from the environment that it is run in.
        service["environment"] = {**service.get("environment", {}), variable: f"${{{key}:?{key} must hold the key}}"}
    document = {"name": f"ipfs-accel-{plan.name}".replace(".", "-"), "services": {"model": service}}
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    commands = [f"docker compose -f {FILE} up -d", f"docker compose -f {FILE} ps"]
    text = "\n".join([*comments(heading(plan, *notes)), body])
    return Output("compose.yaml", text, commands=commands, notes=notes)


def _llama_server(plan: Plan) -> dict[str, Any]:
    device = plan.config.device.partition(":")[0]
    image = plan.config.image or {"auto": IMAGE, "cpu": IMAGE, "cuda": CUDA_IMAGE}.get(device)
    if image is None:
        raise Invalid(
            f"there is no default image for {plan.config.device}",
            suggestion=f"ipfs-accel model deploy new {plan.name} --set image=ghcr.io/ggml-org/llama.cpp:server-…",
        )
    # An object of the store has no name that the server would know its parts by, so each gets its own in the container.
    files = [_bind(str(plan.files[path]), str(_MODELS / path), read_only=True) for path in llama_server.parts(plan)]
    # The container sees only the devices that it is given, and counts them from nought.
    inside = replace(plan, config=plan.config.model_copy(update={"device": device}))
    health = f"http://127.0.0.1:{plan.config.port}/health"
    return {
        "image": image,
        "command": [str(word) for word in llama_server.words(inside, _MODELS, _EVERYWHERE)],
        "user": f"{plan.owner[1]}:{plan.owner[2]}",
        "volumes": files,
        "healthcheck": {"test": ["CMD", "curl", "-fsS", health], **_TIMES},
    }


def _accel(plan: Plan) -> dict[str, Any]:
    if plan.config.image is None:
        raise Invalid(
            "name an image in which ipfs-accel is installed; docs/deploying.md shows how to build one",
            suggestion=f"ipfs-accel model deploy new {plan.name} --set image=NAME:TAG",
        )
    if plan.config.api_key_env is None:
        raise Invalid(
            "in a container the server listens beyond loopback, and then needs a token",
            suggestion=f"ipfs-accel model deploy new {plan.name} --api-key-env NAME_OF_A_VARIABLE",
        )
    _, user, group = plan.owner
    probe = f"import socket; socket.create_connection(('127.0.0.1', {plan.config.port}), 3).close()"
    return {
        "image": plan.config.image,
        "entrypoint": ["ipfs-accel"],
        "command": accel.words(plan, _EVERYWHERE, []),
        "user": f"{user}:{group}",
        # At the same place, since the store's links to files are absolute; and an empty folder over the keys.
        "volumes": [
            _bind(str(plan.home), str(plan.home), read_only=False),
            {"type": "tmpfs", "target": str(plan.home / "keys")},
        ],
        "environment": {**accel.environment(plan), "HOME": "/tmp"},  # noqa: S108 - a tmpfs of the container
        "healthcheck": {"test": ["CMD", "python3", "-c", probe], **_TIMES},
    }


def _common(plan: Plan) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    if plan.config.cpu_limit:
        limits["cpus"] = f"{plan.config.cpu_limit:g}"
    if plan.config.memory_limit_bytes:
        limits["memory"] = str(plan.config.memory_limit_bytes)
    resources: dict[str, Any] = {"limits": limits} if limits else {}
    if plan.config.device.startswith("cuda"):
        _, colon, number = plan.config.device.partition(":")
        which = {"device_ids": [number]} if colon else {"count": "all"}
        resources["reservations"] = {"devices": [{"driver": "nvidia", **which, "capabilities": ["gpu"]}]}
    address = f"{plan.config.address.replace('localhost', '127.0.0.1')}:{plan.config.port}"
    found: dict[str, Any] = {
        "ports": [address],
        "read_only": True,
        "tmpfs": ["/tmp"],  # noqa: S108 - of the container
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "restart": "unless-stopped",
    }
    return {**found, "deploy": {"resources": resources}} if resources else found


def _bind(source: str, target: str, *, read_only: bool) -> dict[str, Any]:
    return {
        "type": "bind",
        "source": source,
        "target": target,
        "read_only": read_only,
        "bind": {"create_host_path": False},
    }
