"""Which models are registered, and telling the clients that want to know when that changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus
from mcp.shared.subscriptions import ResourcesListChanged, ResourceUpdated, ServerEvent
from mcp.types import EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.node import Node


class Changes:
    """A bus of change events for clients of both protocol eras.

    The 2026-07-28 era listens through `subscriptions/listen`, which the SDK serves from `subscribe`. A client of the
    era before hears of changed lists once it finished the handshake, and of a resource when it subscribed to that one.
    """

    def __init__(self) -> None:
        self._listeners = InMemorySubscriptionBus()
        self._clients: dict[Connection, set[str]] = {}
        self._listening = 0

    @property
    def heard(self) -> bool:
        """Whether any client would be told of a change."""
        return bool(self._clients or self._listening)

    async def publish(self, event: ServerEvent) -> None:
        """Tell every client that wants to know."""
        await self._listeners.publish(event)
        for connection, uris in list(self._clients.items()):
            if isinstance(event, ResourcesListChanged):
                await connection.notify("notifications/resources/list_changed", None)
            elif isinstance(event, ResourceUpdated) and event.uri in uris:
                await connection.notify("notifications/resources/updated", {"uri": event.uri})

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Hand every event to a listener until the function that this returns is called."""
        unsubscribe = self._listeners.subscribe(listener)
        self._listening += 1
        waiting = [unsubscribe]

        def stop() -> None:
            if waiting:
                waiting.pop()()
                self._listening -= 1

        return stop

    async def middleware(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Say in the handshake that lists may change, and remember who finished it."""
        result = await call_next(ctx)
        if ctx.method == "initialize" and isinstance(result, dict):
            result["capabilities"].setdefault("resources", {})["listChanged"] = True
        if ctx.method == "notifications/initialized":
            self._uris(ctx)
        return result

    async def on_subscribe(
        self, context: ServerRequestContext[Any, Any], parameters: SubscribeRequestParams
    ) -> EmptyResult:
        """Serve `resources/subscribe`."""
        self._uris(context).add(str(parameters.uri))
        return EmptyResult()

    async def on_unsubscribe(
        self, context: ServerRequestContext[Any, Any], parameters: UnsubscribeRequestParams
    ) -> EmptyResult:
        """Serve `resources/unsubscribe`."""
        self._uris(context).discard(str(parameters.uri))
        return EmptyResult()

    def _uris(self, context: ServerRequestContext[Any, Any]) -> set[str]:
        connection = connection_of(context)
        if connection not in self._clients:
            self._clients[connection] = set()
            connection.exit_stack.callback(self._clients.pop, connection, None)
        return self._clients[connection]


def connection_of(context: ServerRequestContext[Any, Any]) -> Connection:
    """Return the connection of a request; the SDK has no public way to it yet."""
    return context.session._connection


def registered(node: Node) -> dict[str, str]:
    """Return what is registered: each model's name and alias with the versions it stands for."""
    if not node.home.state_file.exists():
        return {}
    found: dict[str, str] = {}
    try:
        for row in node.models.ls().models:
            for name in (row.name, *row.aliases):
                found[name] = found.get(name, "") + row.model_dump_json()
    except AccelError:
        return {}
    return found


def events(before: Mapping[str, str], after: Mapping[str, str], scheme: str) -> list[ServerEvent]:
    """Return the events that tell of the difference between two states of the registry."""
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    told: list[ServerEvent] = [ResourceUpdated(uri=f"{scheme}://models/{name}") for name in changed]
    if changed:
        told.append(ResourceUpdated(uri=f"{scheme}://models"))
    return [ResourcesListChanged(), *told] if set(before) != set(after) else told
