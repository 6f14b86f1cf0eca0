"""Words as the index sees them: what the tokenizer cannot find by itself is split and written beside the text.

The tokenizer splits at everything that is neither letter nor digit, so `gpt-neo-x2` is the phrase gpt, neo, x2. It
cannot split `GPTNeoModel`, nor scripts that put no spaces between words; for those, pairs of neighbours are indexed.
"""

from __future__ import annotations

import re

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3031-\u3035\u3040-\u30ff\u3105-\u312f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_UNSPACED}]+")
# Less exact and ten times as fast: most texts that are not ASCII have but a dash or an accent.
_MAYBE_UNSPACED = re.compile("[\u0e00-\u1fff\u2e80-\U0003ffff]")
_MIXED = re.compile(rf"\w*[{_UNSPACED}]\w*")
_HUMPED = re.compile(r"\b[A-Za-z]*[a-z][A-Z]\w*|\b[A-Z]{2,}[a-z]\w+")
_HUMPS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# A letter for each kind of character, so that a hump is two or three bytes wherever it stands.
_KINDS = (
    bytes(
        ord(
            "a"
            if chr(one).islower()
            else "A"
            if chr(one).isupper()
            else "0"
            if chr(one).isdigit() or one == 95
            else " "
        )
        for one in range(128)
    )
    + b" " * 128
)
_JOINTS = frozenset("-_./")
_COMPOUND = re.compile(r"\w+(?:[-_./]\w+)+")
_MOST_SPLIT = 4096
_STOP = """
    a about am an and any are as at be been but by can could did do does for from has have how i if in into is it its
    me my of on or our should so such than that the their them then there these they this to us was we were what when
    where which who will with would you your
"""
STOP_WORDS = frozenset(_STOP.split())


def beside(text: str) -> str:
    """Return what is indexed beside a text: the humps of its CamelCase, and its unspaced scripts in pairs."""
    humped = _humped(text)
    parts = [humps(word) for word in sorted(humped)[:_MOST_SPLIT]] if humped else []
    if text.isascii():
        return " ".join(parts)
    for word in _MIXED.findall(text) if _MAYBE_UNSPACED.search(text) else ():
        parts += pieces(word)
    return " ".join(parts)


def _humped(text: str) -> set[str]:
    """Return the words that have capitals inside: what `_HUMPED` finds, looked for only where a hump is."""
    found: set[str] = set()
    kinds = text.encode("ascii", "replace").translate(_KINDS)
    for hump in (b"aA", b"AAa"):
        at = kinds.find(hump)
        while at >= 0:
            start = kinds.rfind(b" ", 0, at) + 1
            while start and text[start - 1].isalnum():
                start = kinds.rfind(b" ", 0, start - 1) + 1
            word = _HUMPED.match(text, start)
            if word:
                found.add(word[0])
            end = word.end() if word else kinds.find(b" ", at)
            at = kinds.find(hump, end) if end >= 0 else -1
    return found


def of_name(text: str) -> str:
    """Return what is indexed beside a name or a path: as a text's, and compounds written together."""
    if _JOINTS.isdisjoint(text):
        return beside(text)
    joined = [re.sub(r"[-_./]", "", word) for word in _COMPOUND.findall(text)]
    last = text.rpartition("/")[2]
    shorter = [re.sub(r"\W|_", "", last)] if len(joined) and last != text else []
    return " ".join(dict.fromkeys([*filter(None, [beside(text)]), *joined, *shorter]))


def humps(word: str) -> str:
    """Return `GPTNeoModel` as `GPT Neo Model`."""
    return " ".join(_HUMPS.findall(word))


def is_humped(word: str) -> bool:
    """Say whether a word has capitals inside."""
    return _HUMPED.fullmatch(word) is not None


def pieces(word: str) -> list[str]:
    """Return the parts of a word of unspaced script: each run in pairs and its last character, and what is between."""
    found: list[str] = []
    end = 0
    for run in _RUN.finditer(word):
        found += [word[end : run.start()]] if run.start() > end else []
        text, end = run[0], run.end()
        found += [text[at : at + 2] for at in range(len(text))]
    return found + ([word[end:]] if end < len(word) else [])


def unspaced(word: str) -> bool:
    """Say whether a word has characters of a script without spaces."""
    return not word.isascii() and _RUN.search(word) is not None


def phrase_of(word: str) -> list[str]:
    """Return phrases that together find a word of unspaced script wherever it stands within a longer run."""
    found: list[str] = []
    end = 0
    for run in _RUN.finditer(word):
        found += [word[end : run.start()]] if run.start() > end else []
        text, end = run[0], run.end()
        found.append(" ".join(text[at : at + 2] for at in range(max(1, len(text) - 1))))
    return found + ([word[end:]] if end < len(word) else [])
