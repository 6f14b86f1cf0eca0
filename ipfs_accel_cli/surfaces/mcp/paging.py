"""Lists in pages: the SDK answers every list whole, and this cuts it."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS

# Many clients never ask for a second page, so a page holds more than all tools and prompts: only models fill several.
PAGE_ITEMS = 250
_LISTS = {
    "tools/list": ("tools", "name"),
    "prompts/list": ("prompts", "name"),
    "resources/list": ("resources", "uri"),
    "resources/templates/list": ("resourceTemplates", "uriTemplate"),
}


async def paged(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Answer a list request with the page that its cursor names."""
    result = await call_next(ctx)
    if ctx.method not in _LISTS or not isinstance(result, dict):
        return result
    field, key = _LISTS[ctx.method]
    items, following = page(result[field], key, (ctx.params or {}).get("cursor"))
    return {**result, field: items} | ({"nextCursor": following} if following else {})


def page(
    items: list[dict[str, Any]], key: str, cursor: str | None, size: int = PAGE_ITEMS
) -> tuple[list[dict[str, Any]], str | None]:
    """Return one page and the cursor of the next; None when there is none.

    A cursor names the last item of the page before, so that what is added meanwhile shifts nothing. Raises MCPError
    when that item is gone, or the cursor was not made here.
    """
    start = 0
    if cursor is not None:
        last = _decoded(cursor)
        start = next((index for index, item in enumerate(items, 1) if item[key] == last), 0)
        if not start:
            raise MCPError(code=INVALID_PARAMS, message="unknown cursor; begin the list again")
    shown = items[start : start + size]
    more = start + size < len(items)
    return shown, base64.urlsafe_b64encode(str(shown[-1][key]).encode()).decode() if more else None


def _decoded(cursor: str) -> str | None:
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
