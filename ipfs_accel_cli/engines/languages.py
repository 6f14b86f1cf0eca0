"""Which languages a model translates between, and how it is told which: prefixes, language tokens, or one fixed pair.

Each family has a way of its own: T5 states prefixes by pair in `task_specific_params`, M2M-100, NLLB and mBART have a
special token for each language, Marian has one pair or target tokens such as `>>fra<<`. People say `en`, `pt-BR`; what
a model itself calls a language (`eng_Latn`) is understood too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.errors import Invalid

# ISO 639-1, ISO 639-3, English name.
_KNOWN = """af afr Afrikaans|am amh Amharic|ar arb Arabic|az azj Azerbaijani|be bel Belarusian|bg bul Bulgarian
bn ben Bengali|bs bos Bosnian|ca cat Catalan|cs ces Czech|cy cym Welsh|da dan Danish|de deu German|el ell Greek
en eng English|es spa Spanish|et est Estonian|eu eus Basque|fa pes Persian|fi fin Finnish|fr fra French|ga gle Irish
gl glg Galician|gu guj Gujarati|he heb Hebrew|hi hin Hindi|hr hrv Croatian|hu hun Hungarian|hy hye Armenian
id ind Indonesian|is isl Icelandic|it ita Italian|ja jpn Japanese|ka kat Georgian|kk kaz Kazakh|km khm Khmer
kn kan Kannada|ko kor Korean|lt lit Lithuanian|lv lvs Latvian|mk mkd Macedonian|ml mal Malayalam|mn khk Mongolian
mr mar Marathi|ms zsm Malay|mt mlt Maltese|my mya Burmese|nb nob Norwegian|ne npi Nepali|nl nld Dutch|no nob Norwegian
pa pan Punjabi|pl pol Polish|ps pbt Pashto|pt por Portuguese|ro ron Romanian|ru rus Russian|si sin Sinhala
sk slk Slovak|sl slv Slovenian|so som Somali|sq als Albanian|sr srp Serbian|sv swe Swedish|sw swh Swahili
ta tam Tamil|te tel Telugu|th tha Thai|tl tgl Tagalog|tr tur Turkish|uk ukr Ukrainian|ur urd Urdu|uz uzn Uzbek
vi vie Vietnamese|xh xho Xhosa|yo yor Yoruba|zh zho Chinese|zu zul Zulu"""
_ROWS = [tuple(row.split(" ", 2)) for row in re.split(r"[|\n]", _KNOWN)]
_BY_LONG = {long: short for short, long, _ in reversed(_ROWS)} | {"ara": "ar", "msa": "ms", "nor": "no", "fas": "fa"}
_NAMES = {short: name for short, _, name in _ROWS}
_BY_NAME = {name.lower(): short for short, _, name in reversed(_ROWS)}
# `__en__` of M2M-100, `eng_Latn` of NLLB, `en_XX` of mBART, `>>fra<<` of Marian.
_TOKEN = re.compile(r"__([a-z]{2,3})__|([a-z]{3}_[A-Z][a-z]{3})|([a-z]{2}_[A-Z]{2})|>>([A-Za-z_-]{2,12})<<")
_STATED_PREFIX = re.compile(r"translation_([A-Za-z-]+)_to_([A-Za-z-]+)")


@dataclass(frozen=True, slots=True)
class Way:
    """How a model is told what to do with a text.

    `prefix` goes before the text, `source` is what the tokenizer's `src_lang` is to be, `first` is the token that the
    translation has to begin with. Each is empty where the model needs none.
    """

    prefix: str = ""
    source: str = ""
    first: str = ""


@dataclass(frozen=True, slots=True)
class Languages:
    """What a model has: ways by pair of codes, or tokens by code; `free` takes any pair that has a name."""

    pairs: Mapping[tuple[str, str], Way] = field(default_factory=dict)
    tokens: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    free: bool = False

    def way(self, name: str, source: str, target: str) -> Way:
        """Return how the model `name` is told to translate; either code may be empty where that leaves one choice.

        Raises Invalid naming the languages that the model has.
        """
        wanted, goal = code_of(source), code_of(target)
        if self.tokens:
            return self._by_tokens(name, wanted, goal)
        if self.free and not self.pairs:
            return _free(name, wanted, goal)
        if not self.pairs:
            if wanted or goal:
                raise Invalid(f"{name} does not say which languages it has: leave out --from and --to")
            return Way()
        ways = [way for pair, way in self.pairs.items() if _fits(wanted, pair[0]) and _fits(goal, pair[1])]
        if not ways:
            asked = f"{source or 'any language'} to {target or 'any'}"
            raise Invalid(f"{name} does not translate {asked}; it has {self.said()}")
        if len(ways) > 1:
            raise Invalid(f"{name} has several languages, {self.said()}: say which with --from and --to")
        return ways[0]

    def said(self) -> str:
        """Return what there is, for people."""
        if self.pairs:
            return ", ".join(f"{one} to {other}" for one, other in sorted(self.pairs))
        return ", ".join(sorted(self.tokens))

    def _by_tokens(self, name: str, source: str, target: str) -> Way:
        if not source or not target:
            raise Invalid(f"{name} has many languages: say which with --from and --to; it has {self.said()}")
        found = []
        for code in (source, target):
            match = next((held for held in self.tokens if held == code), None) or next(
                (held for held in sorted(self.tokens) if _fits(code, held)), None
            )
            if match is None:
                raise Invalid(f"{name} has no language {code!r}; it has {self.said()}")
            found.append(self.tokens[match])
        return Way(source=found[0][0], first=found[1][1])


def read_languages(folder: Path, special: Iterable[str] = ()) -> Languages:
    """Read what the files of a model say; `special` are the special and added tokens of its tokenizer."""
    config, tokenizer = _json(folder / "config.json"), _json(folder / "tokenizer_config.json")
    stated = config.get("task_specific_params")
    prefixes = {
        (code_of(match[1]), code_of(match[2])): Way(prefix=str(body.get("prefix") or ""))
        for key, body in (stated if isinstance(stated, dict) else {}).items()
        if (match := _STATED_PREFIX.fullmatch(key)) and isinstance(body, dict)
    }
    if prefixes:
        return Languages(pairs=prefixes)
    source, target = code_of(str(tokenizer.get("source_lang") or "")), code_of(str(tokenizer.get("target_lang") or ""))
    tokens = [match for token in special if (match := _TOKEN.fullmatch(token))]
    goals = [match[4] for match in tokens if match[4]]
    if goals:
        # With one target token to a text, the source may be anything that the model was trained on.
        return Languages(pairs={(source or "*", code_of(goal)): Way(prefix=f">>{goal}<< ") for goal in goals})
    if len(tokens) > 1:
        return Languages(tokens={code_of(_own(match)): (_own(match), match[0]) for match in tokens})
    if source and target:
        return Languages(pairs={(source, target): Way()})
    return Languages(free=config.get("model_type") in ("t5", "mt5", "umt5"))


def summary_prefix(folder: Path) -> str:
    """Return what a model wants put before a text to summarize it; T5 says so for itself."""
    stated = _json(folder / "config.json").get("task_specific_params")
    said = stated.get("summarization") if isinstance(stated, dict) else None
    return str(said.get("prefix") or "") if isinstance(said, dict) else ""


def code_of(text: str) -> str:
    """Return a language's code as people write it: `en` for `eng`, `en_XX` or `English`; a script stays with it."""
    plain = text.strip().replace("_", "-")
    head, _, rest = plain.partition("-")
    short = _BY_NAME.get(plain.lower()) or _BY_LONG.get(head.lower()) or head.lower()
    # A country is said; a script only where a language has several in use.
    telling = rest not in ("XX", "Latn", "Cyrl", "Arab", "Deva") and len(rest) in (2, 4)
    return f"{short}-{rest}" if telling else short


def _own(match: re.Match[str]) -> str:
    """Return what a tokenizer itself calls a language."""
    return next(group for group in match.groups() if group)


def _fits(wanted: str, held: str) -> bool:
    return (
        not wanted or held == "*" or wanted == held or wanted.partition("-")[0] == held or held.startswith(f"{wanted}-")
    )


def _free(name: str, source: str, target: str) -> Way:
    names = [_NAMES.get(code) for code in (source, target)]
    if None in names:
        unknown = ", ".join(repr(code) for code, found in zip((source, target), names, strict=True) if not found)
        raise Invalid(f"{name} is told languages by their English names, and there is none for {unknown} here")
    return Way(prefix=f"translate {names[0]} to {names[1]}: ")


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
