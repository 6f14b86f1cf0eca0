"""Text that others wrote, as a terminal may be given it."""

from __future__ import annotations

import re

# Control characters but tab and line feed, and what turns the direction of text, which hides what a line says.
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return a text whose characters can be read but not steer a terminal: an escape is shown as backslash, x, 1b."""
    return _STEERING.sub(lambda found: repr(found[0])[1:-1], text)
