"""The heads of requests and answers of HTTP/1.1, written and read with little work for each of them."""

from __future__ import annotations

import http.client
from collections.abc import Iterable

PORTS = {"http": 80, "https": 443}
_MOST_LINES, _MAX_LINE_BYTES = 200, 64 << 10
_MOST_AHEAD = 100  # Answers of 1xx before the one that counts.


def written(
    method: str, target: str, host: tuple[str, str, int] | None, headers: Iterable[tuple[str | bytes, str | bytes]]
) -> bytes:
    """Return the head of a request (RFC 9112, section 3); the origin `host` is named unless it is None.

    Raises ValueError for what would break out of its line.
    """
    if " " in target:
        raise ValueError("an address has no spaces")
    lines = [f"{method} {target} HTTP/1.1"]
    if host is not None:
        scheme, name, port = host
        named = f"[{name}]" if ":" in name else name if name.isascii() else name.encode("idna").decode()
        lines.append(f"host: {named if port == PORTS.get(scheme) else f'{named}:{port}'}")
    if not all(line.isascii() for line in lines):
        raise ValueError("an address has letters of ASCII only")
    lines += [f"{_text(name)}: {_text(value)}" for name, value in headers]
    text = "\n".join(lines)
    if text.count("\n") >= len(lines) or "\r" in text or "\0" in text:
        raise ValueError("a header goes over the end of its line")
    return text.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n"


class Answered(http.client.HTTPResponse):
    """An answer whose head is read here; its headers, length and framing are told as http.client does."""

    def begin(self) -> None:
        """Read the head; raises HTTPException where it is none."""
        for _ in range(_MOST_AHEAD):
            version, status, reason = self._read_status()  # type: ignore[attr-defined]
            pairs = self._pairs()
            if status != http.client.CONTINUE and not 102 <= status <= 103:
                break
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self._told = pairs
        headers = {name.lower(): value for name, value in reversed(pairs)}  # The first of a name counts.
        self.chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None if self.chunked else _length(headers.get("content-length"))
        if status in (204, 304) or 100 <= status < 200 or self._method == "HEAD":  # type: ignore[attr-defined]
            self.length = 0
        keeps = headers.get("connection", "").lower()
        stays = "close" not in keeps if self.version == 11 else "keep-alive" in keeps
        self.will_close = not stays or (not self.chunked and self.length is None)

    def getheaders(self) -> list[tuple[str, str]]:
        """Return the headers, in their order; those of `email` take longer to make than all else of a head."""
        return list(self._told)

    def _pairs(self) -> list[tuple[str, str]]:
        pairs, name, value = list[tuple[str, str]](), "", ""
        for _ in range(_MOST_LINES):
            line = self.fp.readline(_MAX_LINE_BYTES + 1)
            if len(line) > _MAX_LINE_BYTES:
                raise http.client.LineTooLong("header line")
            text = line.decode("latin-1").rstrip("\r\n")
            if text[:1] in (" ", "\t") and name:
                value = f"{value} {text.strip()}"
                continue
            if name:
                pairs.append((name, value))
            if not text:
                return pairs
            name, colon, value = text.partition(":")
            if not colon:
                raise http.client.BadStatusLine(text[:80])
            name, value = name.rstrip(), value.strip()
        raise http.client.HTTPException(f"an answer has more than {_MOST_LINES} headers")


def _length(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _text(part: str | bytes) -> str:
    return part.decode("latin-1") if isinstance(part, bytes) else part
