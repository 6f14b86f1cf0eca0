"""What an assistant can read without calling a tool."""

from __future__ import annotations

import json
import platform
import sys
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError

from ipfs_accel_cli import __version__
from ipfs_accel_cli.core.call import Silent, using
from ipfs_accel_cli.core.errors import NotAuthorised, NotFound
from ipfs_accel_cli.node import using_node
from ipfs_accel_cli.surfaces.mcp.session import SCHEME, ServerState

_JSON = "application/json"
_SECRET_WORDS = ("token", "secret", "password", "key")


def add_resources(server: MCPServer, state: ServerState) -> None:
    """Register every resource; each needs the permission of the command that shows the same."""

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

    @server.resource(f"{SCHEME}://config", mime_type=_JSON)
    def config() -> str:
        """Tell the settings in force, secrets left out."""
        settings = state.node.settings.all()
        return _text({setting.key.name: _redacted(setting.key.name, setting.value) for setting in settings})

    @server.resource(f"{SCHEME}://hardware", mime_type=_JSON)
    def hardware() -> str:
        """Tell processors, memory and accelerators, as `hw info` does."""
        with using_node(state.node), using(state.call(Silent(), "resource hardware")):
            text: str = state.node.hardware.info().model_dump_json()
            return text

    @server.resource(f"{SCHEME}://models/{{name}}", mime_type=_JSON)
    def model(name: str) -> str:
        """Tell one model, as `model show` does."""
        if not state.principal.may("model:read"):
            raise ResourceNotFoundError(NotAuthorised("this server does not offer models").detail)
        with using_node(state.node), using(state.call(Silent(), "resource model")):
            try:
                return state.node.models.show(name).model_dump_json()
            except NotFound as error:
                raise ResourceNotFoundError(error.detail) from error

    @server.resource(f"{SCHEME}://results/{{key}}", mime_type=_JSON)
    def result(key: str) -> str:
        """Give the whole of a result that was cut."""
        text = state.results.get(key)
        if text is None:
            raise ResourceNotFoundError("that result is no longer kept; call the tool again")
        return text


def _redacted(name: str, value: Any) -> Any:
    words = name.replace("-", ".").split(".")
    return "(hidden)" if any(word in _SECRET_WORDS for word in words) and value else value


def _installed(distribution: str) -> str:
    from importlib.metadata import version

    return version(distribution)


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
