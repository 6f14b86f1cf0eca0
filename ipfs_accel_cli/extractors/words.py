"""Bytes to characters, and characters to what an index can keep."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.extractors.base import Content, Limits

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHARACTER_BYTES = 4
# These mean nothing to an index and upset terminals.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Words:
    """The characters of a file, in which encoding they lay, and whether there are more."""

    text: str
    encoding: str
    truncated: bool


def read(content: Content, limits: Limits) -> Words:
    """Read a file of text within the limits; raises UnsupportedContent for what is no text.

    What is neither UTF-8 nor marked as anything else is taken for Windows-1252, which gives every byte a meaning.
    """
    wanted = min(limits.read_bytes, limits.text_chars * _CHARACTER_BYTES)
    with content.open() as file:
        data = file.read(wanted)
    encoding = encoding_of(data)
    if encoding is None:
        raise UnsupportedContent(f"{content.name} is no text")
    text = data.decode(encoding, "replace")
    return Words(
        cut(clean(text), limits),
        encoding.removesuffix("-sig"),
        content.size_bytes > len(data) or len(text) > limits.text_chars,
    )


def encoding_of(data: bytes) -> str | None:
    """Return how bytes spell characters, or None where they do not look like text at all."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if b"\0" in data:
        return None
    try:
        # The end may lie within a character.
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        odd = sum(byte < 9 or 13 < byte < 27 or byte == 127 for byte in data[: 1 << 16])
        return None if odd * 50 > min(len(data), 1 << 16) else "cp1252"
    return "utf-8"


def clean(text: str) -> str:
    """Return text with plain line ends, without control characters and halves of surrogate pairs."""
    return _CONTROL.sub("", _BREAK.sub("\n", text))


def cut(text: str, limits: Limits) -> str:
    """Return as much of a text as the limits let through."""
    return text[: limits.text_chars]


def line(text: object, longest: int = 200) -> str:
    """Return a text as one short line, for titles and facts."""
    flat = _SPACE.sub(" ", clean(str(text)[: longest * 8])).strip()
    return flat if len(flat) <= longest else flat[: longest - 1].rstrip() + "…"
