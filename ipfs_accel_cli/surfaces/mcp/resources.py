"""What an assistant can read without calling a tool."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.types import Resource

from ipfs_accel_cli import __version__
from ipfs_accel_cli.core.call import Silent, using
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound
from ipfs_accel_cli.node import using_node
from ipfs_accel_cli.surfaces.mcp.session import SCHEME, ServerState

_JSON = "application/json"
_SECRET_WORDS = ("token", "secret", "password", "key")


def add_resources(server: MCPServer, state: ServerState) -> None:
    """Register the resources: what anyone may see, and what the permissions of the server's clients cover."""
    _add_machine(server, state)
    _add_settings(server, state)
    if state.principal.may("hw:read"):
        _add_named_machines(server, state)
    if state.principal.may("model:read"):
        _add_models(server, state)
    if state.principal.may("doctor:read"):
        _add_doctor(server, state)

    @server.resource(f"{SCHEME}://results/{{key}}", mime_type=_JSON)
    def result(key: str) -> str:
        """Give the whole of a result that was cut."""
        text = state.results.get(key)
        if text is None:
            raise ResourceNotFoundError("that result is no longer kept; call the tool again")
        return text


def listed_models(state: ServerState) -> list[Resource]:
    """Return one resource for each name of a registered model; none where the client may not read models."""
    if not state.principal.may("model:read") or not state.node.home.state_file.exists():
        return []
    try:
        rows = state.node.models.ls().models
    except AccelError:
        return []
    return [
        Resource(
            uri=f"{SCHEME}://models/{row.name}",
            name=row.name,
            description=f"A model for {', '.join(row.tasks) or 'no known task'}.",
            mime_type=_JSON,
        )
        for row in {row.name: row for row in rows}.values()
    ]


def _add_machine(server: MCPServer, state: ServerState) -> None:
    @server.resource(f"{SCHEME}://version", mime_type=_JSON)
    def version() -> str:
        """Tell the version of this program and of what it runs on."""
        return _text({"version": __version__, "python": platform.python_version(), "mcp": _installed("mcp")})

    @server.resource(f"{SCHEME}://system", mime_type=_JSON)
    def system() -> str:
        """Tell the machine's system, and the home folder this server works in."""
        return _text(
            {"system": platform.platform(), "python": sys.version.split()[0], "home": str(state.node.home.path)}
        )

    @server.resource(f"{SCHEME}://hardware", mime_type=_JSON)
    def hardware() -> str:
        """Tell processors, memory and accelerators, as `hw info` does."""
        return _read(state, "resource hardware", lambda: state.node.hardware.info().model_dump_json())


def _add_named_machines(server: MCPServer, state: ServerState) -> None:
    @server.resource(f"{SCHEME}://hardware/engines", mime_type=_JSON)
    def engines() -> str:
        """List the engines that run models here, as `hw engines` does."""
        return _read(state, "resource engines", lambda: state.node.hardware.engines().model_dump_json())

    @server.resource(f"{SCHEME}://hardware/machines", mime_type=_JSON)
    def machines() -> str:
        """List the machines that models can be judged for, as `hw machine ls` does."""
        return _read(state, "resource machines", lambda: state.node.machines.ls().model_dump_json())

    @server.resource(f"{SCHEME}://hardware/machines/{{name}}", mime_type=_JSON)
    def machine(name: str) -> str:
        """Tell one machine and the sources of its figures, as `hw machine show` does."""
        return _read(state, "resource machine", lambda: state.node.machines.show(name).model_dump_json())


def _add_settings(server: MCPServer, state: ServerState) -> None:
    @server.resource(f"{SCHEME}://config", mime_type=_JSON)
    def config() -> str:
        """Tell the settings in force, secrets left out."""
        settings = state.node.settings.all()
        return _text({setting.key.name: _redacted(setting.key.name, setting.value) for setting in settings})

    @server.resource(f"{SCHEME}://config/{{name}}", mime_type=_JSON)
    def setting(name: str) -> str:
        """Tell one setting, its value in force and what it means."""

        def found() -> str:
            one = state.node.settings.look_up(name)
            value = _redacted(name, one.value)
            return _text({"name": name, "value": value, "origin": one.origin, "meaning": one.key.meaning})

        return _read(state, "resource setting", found)


def _add_models(server: MCPServer, state: ServerState) -> None:
    @server.resource(f"{SCHEME}://models", mime_type=_JSON)
    def models() -> str:
        """List the registered models, as `model ls` does."""
        return _read(state, "resource models", lambda: state.node.models.ls().model_dump_json())

    @server.resource(f"{SCHEME}://models/{{name}}", mime_type=_JSON)
    def model(name: str) -> str:
        """Tell one model, as `model show` does."""
        return _read(state, "resource model", lambda: state.node.models.show(name).model_dump_json())


def _add_doctor(server: MCPServer, state: ServerState) -> None:
    @server.resource(f"{SCHEME}://doctor", mime_type=_JSON)
    def doctor() -> str:
        """Check this installation, as `doctor` does."""
        return _read(state, "resource doctor", lambda: state.node.doctor.run().model_dump_json())

    @server.resource(f"{SCHEME}://errors/{{code}}", mime_type=_JSON)
    def error(code: str) -> str:
        """Explain an error code, as `doctor --explain` does."""
        return _read(state, "resource error", lambda: state.node.doctor.explain(code).model_dump_json())


def _read(state: ServerState, command: str, read: Callable[[], str]) -> str:
    """Read on the server's node in a call of the client's; what does not exist is told as a missing resource."""
    with using_node(state.node), using(state.call(Silent(), command)):
        try:
            return read()
        except (NotFound, Invalid) as error:
            raise ResourceNotFoundError(error.detail) from error


def _redacted(name: str, value: Any) -> Any:
    words = name.replace("-", ".").split(".")
    return "(hidden)" if any(word in _SECRET_WORDS for word in words) and value else value


def _installed(distribution: str) -> str:
    from importlib.metadata import version

    return version(distribution)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
