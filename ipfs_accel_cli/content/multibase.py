"""Bytes as text in the bases that CIDs are written in, each marked by its first letter."""

from __future__ import annotations

import base64

from .errors import Malformed, Unsupported

PREFIXES = {"base16": "f", "base32": "b", "base36": "k", "base58btc": "z"}
MAX_CHARACTERS = 512  # Decoding base 36 and 58 is quadratic in the length, so the length is bounded first.

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE16 = "0123456789abcdef"
_DIGITS_32 = str.maketrans(_BASE32, "0123456789abcdefghijklmnopqrstuv")
_NAMES = {prefix: name for name, prefix in PREFIXES.items()}
_KNOWN_ELSEWHERE = frozenset("079BCFKMTUVZcmtuvhR")  # The other bases of the multibase table.


def encode(data: bytes, base: str) -> str:
    """Write bytes in a named base (base16, base32, base36 or base58btc), with its prefix letter."""
    if base not in PREFIXES:
        raise Unsupported(f"no base named {base!r}; known are {', '.join(PREFIXES)}")
    if base == "base16":
        return "f" + data.hex()
    if base == "base32":
        return "b" + base64.b32encode(data).decode("ascii").rstrip("=").lower()
    if base == "base36":
        return "k" + _encode_digits(data, _BASE36)
    return "z" + encode_base58(data)


def decode(text: str) -> bytes:
    """Read text of at most 512 characters whose first letter names its base.

    Raises Malformed for a character outside the alphabet, padding or stray bits, Unsupported for another base.
    """
    _check_length(text)
    name = _NAMES.get(text[:1])
    body = text[1:]
    if name is None:
        if text[:1] in _KNOWN_ELSEWHERE and text:
            raise Unsupported(f"multibase prefix {text[0]!r} is not one of {', '.join(_NAMES)}")
        raise Malformed(f"{text[:1]!r} is not a multibase prefix")
    if name == "base16":
        return _decode_base16(body)
    if name == "base32":
        return _decode_base32(body)
    if name == "base36":
        return _decode_digits(body, _BASE36, "base36")
    return decode_base58(body)


def encode_base58(data: bytes) -> str:
    """Write bytes in bare base58btc, the form of CIDv0 and of peer ids."""
    return _encode_digits(data, _BASE58)


def decode_base58(text: str) -> bytes:
    """Read bare base58btc of at most 512 characters."""
    _check_length(text)
    return _decode_digits(text, _BASE58, "base58btc")


def _check_length(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise Malformed(f"{len(text)} characters are more than the {MAX_CHARACTERS} that an identifier may have")


def _check_alphabet(text: str, alphabet: str, name: str) -> None:
    stray = set(text).difference(alphabet)
    if stray:
        raise Malformed(f"{min(stray)!r} is not a {name} character")


def _encode_digits(data: bytes, alphabet: str) -> str:
    number, base, digits = int.from_bytes(data, "big"), len(alphabet), []
    while number:
        number, digit = divmod(number, base)
        digits.append(alphabet[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return alphabet[0] * zeros + "".join(reversed(digits))


def _decode_digits(text: str, alphabet: str, name: str) -> bytes:
    _check_alphabet(text, alphabet, name)
    values = {character: value for value, character in enumerate(alphabet)}
    number, base = 0, len(alphabet)
    for character in text:
        number = number * base + values[character]
    zeros = len(text) - len(text.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _decode_base32(text: str) -> bytes:
    _check_alphabet(text, _BASE32, "base32")
    size_bytes, stray = divmod(5 * len(text), 8)
    if stray >= 5:
        raise Malformed(f"{len(text)} characters are no whole number of base32 bytes")
    # As a number of that base it is read by the interpreter itself: `base64` does it letter by letter.
    number = int(text.translate(_DIGITS_32), 32) if text else 0
    if number & ((1 << stray) - 1):
        raise Malformed("base32 text has stray bits at its end")
    return (number >> stray).to_bytes(size_bytes, "big")


def _decode_base16(text: str) -> bytes:
    _check_alphabet(text, _BASE16, "base16")
    if len(text) % 2:
        raise Malformed("base16 text has an odd number of characters")
    return bytes.fromhex(text)
