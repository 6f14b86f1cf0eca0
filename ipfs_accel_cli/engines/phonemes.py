"""How text is pronounced, in the International Phonetic Alphabet, by the library of eSpeak NG."""

from __future__ import annotations

import ctypes
import re
import threading
from functools import cache
from typing import Any

from ipfs_accel_cli.core.errors import Invalid, MissingExtra

TIE = "^"
_SYNCHRONOUS = 1
_DONT_EXIT = 0x8000
_UTF8 = 1
_IPA = 0x02
_TIED = 0x80 | ord(TIE) << 8
# Marks that end a clause where a space follows, and those that stand anywhere.
_MARKS = re.compile(r"([;:,.!?…—]+(?=\s|$)|[\"“”()—…])")
_lock = threading.Lock()


def phonemes(text: str, language: str) -> str:
    """Return the phonemes of a text with its punctuation; letters of one phoneme are tied together with `^`.

    `language` is a voice of eSpeak NG, such as `en-us`. Raises MissingExtra without the library, and Invalid for a
    language that it does not have.
    """
    library = _library()
    # The library has one voice at a time, for the whole process.
    with _lock:
        if library.espeak_SetVoiceByName(language.encode()):
            raise Invalid(f"eSpeak NG has no voice {language!r}")
        parts = [part if _MARKS.fullmatch(part) else _clause(library, part) for part in _MARKS.split(text)]
    return " ".join("".join(parts).split())


def _clause(library: Any, text: str) -> str:
    """Return the phonemes of a text without marks, with the spaces around it."""
    if not text.strip():
        return " " if text else ""
    held = ctypes.create_string_buffer(text.encode())
    rest = ctypes.c_void_p(ctypes.addressof(held))
    found = []
    while rest.value:
        said = library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA | _TIED)
        found.append((said or b"").decode("utf-8", "replace").strip())
    # A foreign word is marked with its language: (fr)mˈo(en-us).
    plain = re.sub(r"\([a-z-]+\)", "", " ".join(found))
    return f"{' ' if text[0].isspace() else ''}{plain}{' ' if text[-1].isspace() else ''}"


@cache
def _library() -> Any:
    try:
        import espeakng_loader

        library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
    except (ImportError, OSError) as error:
        raise MissingExtra(
            "speaking needs the pronunciation of eSpeak NG, which is not installed",
            suggestion="pip install 'ipfs-accel[speech]'",
        ) from error
    library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    if library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), _DONT_EXIT) < 0:
        raise MissingExtra("eSpeak NG has no data", suggestion="pip install --force-reinstall espeakng-loader")
    return library
