"""Tokens into text as they come: never half a character, never past a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_BROKEN = "\ufffd"
# A tokenizer's spacing depends on what came before; this many tokens are enough to settle it.
_LOOK_BACK = 6


class Detokenizer:
    """Decodes a growing list of tokens, holding back what is not yet whole characters.

    `decode` turns token ids into text and writes U+FFFD for bytes that are no UTF-8; `prompt` are the ids that the
    new tokens follow, so that spacing comes out as in one decoding of all of them.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], prompt: Sequence[int]) -> None:
        self._decode = decode
        self._tokens = list(prompt[-_LOOK_BACK:])
        self._settled = len(self._tokens)

    def feed(self, token: int) -> str:
        """Add a token; return the text that is certain now."""
        self._tokens.append(token)
        text = self._new_text()
        if not text or text.endswith(_BROKEN):
            return ""
        self._tokens = self._tokens[-_LOOK_BACK:]
        self._settled = len(self._tokens)
        return text

    def flush(self) -> str:
        """Return what was held back; a character whose bytes did not all come is left out."""
        text = self._new_text().rstrip(_BROKEN)
        self._settled = len(self._tokens)
        return text

    def _new_text(self) -> str:
        return self._decode(self._tokens)[len(self._decode(self._tokens[: self._settled])) :]


class StopStrings:
    """Lets text through up to the first stop string, holding back what may be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """Add text; return what may be shown, and whether a stop string was met."""
        self._held += text
        met = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if met:
            shown, self._held = self._held[: min(met)], ""
            return shown, True
        keep = self._undecided()
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown, False

    def flush(self) -> str:
        """Return what was held back: no stop string came of it."""
        shown, self._held = self._held, ""
        return shown

    def _undecided(self) -> int:
        longest = max((len(stop) - 1 for stop in self._stops), default=0)
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-length:]) for stop in self._stops):
                return length
        return 0
