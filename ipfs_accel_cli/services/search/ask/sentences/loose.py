"""Sentences that are told by a few of their words, wherever those stand; a question about a matter is none of them."""

from __future__ import annotations

import re

from ipfs_accel_cli.services.search.ask.lexicon import NUMBERS
from ipfs_accel_cli.services.search.ask.sentences.form import (
    CID,
    FOR_TASK,
    MODEL,
    ONE,
    PICTURES,
    PLACE,
    TO,
    Sentence,
    between,
    task,
)

# What is looked for in texts is no command, whatever its words are.
_NO_MATTER = r"(?!.*\b(?:about|regarding|mention\w*|contain\w*|titled|tagged|named)\b)"
_ANY = rf"{_NO_MATTER}.*\b"
_ALL = r"(?:all|everything|every|whole|entire|my (?:files|store|content))"
_ALIVE = r"(?:reach(?:able|ed)?|online|offline|up|down|alive|working|respond(?:s|ing)?|answer(?:s|ing)?)"
_SPACE = r"(?:(?:disk )?space|room|disk|storage)"
_LACKING = r"(?:full|free|freed|reclaim|low|running out|thrown? away|get back|clear(?:ed)?|delete[d]?)"


def _copies(match: re.Match[str]) -> str:
    count = match["count"].lower()
    return f"store heal --min {NUMBERS.get(count) or int(count)} --dry-run"


LOOSE: tuple[Sentence, ...] = (
    Sentence(
        between("plan"),
        rf"{_ANY}(?:plan|how long|how much|costs?|estimate|takes?)\b.*\b(?P<verb>copy|copying|move|moving|sync|syncing"
        rf"|mirror|mirroring)\b (?:everything |all )?(?:(?:in|from|of) )?(?P<source>{PLACE}) (?:to|into|with)"
        rf" (?P<destination>{PLACE})\b.*",
    ),
    Sentence(
        "migrate rescue {one} --to {destination}: --dry-run",
        rf"{_ANY}backend (?P<one>[\w.-]+)\b.*\brescue\b.*? (?:to|into|onto) (?P<destination>[\w.-]+):?",
        rf"{_ANY}rescue\b.* (?:from|of|on) (?:the )?(?:backend )?(?P<one>[\w.-]+?):?"
        r" (?:to|into|onto) (?P<destination>[\w.-]+):?",
    ),
    Sentence(
        "store backend test {one}",
        rf"{_ANY}{_ALIVE}\b.*\bbackend (?P<one>[\w.-]+)",
        rf"{_ANY}{_ALIVE} (?:the |my )?(?P<one>[\w.-]+) backend",
        rf"(?:is|does) (?:the |my )?(?P<one>[\w.-]+) backend (?:still )?{_ALIVE}.*",
        rf"(?:is|does) (?:the |my )?backend (?P<one>[\w.-]+) (?:still )?{_ALIVE}.*",
    ),
    Sentence(
        "store scrub",
        rf"{_ANY}(?:check|verify|look|scan|test|prove)\b.*\b{_ALL}\b"
        r".*\b(?:damage\w*|corrupt\w*|bit ?rot|errors?|integrity|intact|sound)\b.*",
    ),
    Sentence(
        "store gc --dry-run",
        rf"{_ANY}{_SPACE}\b.*\b{_LACKING}\b.*",
        rf"{_ANY}{_LACKING}\b.*\b{_SPACE}\b.*",
        rf"{_ANY}garbage\b.*",
    ),
    Sentence(
        "store pin ls",
        rf"{_NO_MATTER}(?:what|which|show|list)\b(?!.*\b(?:bafy|bafk|Qm)).*\bpin(?:s|ned)\b.*",
    ),
    Sentence(
        "hw fit {one}",
        rf"{_ANY}(?:enough|sufficient)\b.*\b(?:memory|ram|vram|space)\b.* (?:for|to run|to load|to use) {ONE}",
    ),
    Sentence(
        "model rollback {one}",
        rf"(?:roll|take|bring|put|set) {MODEL}(?P<one>\S+) back(?: to .*version)?",
        rf"go back to the (?:previous|last|earlier|old) version of {ONE}",
    ),
    Sentence(
        "infer image ocr {one}",
        rf"(?:ocr|run ocr on|do ocr on|recogni[sz]e) (?:the )?(?P<one>{PICTURES})",
        rf"what (?:does it say|is written|text is) (?:in|on) (?:the )?(?P<one>{PICTURES})",
        rf"what does (?:the )?(?:picture |image |scan )?(?P<one>{PICTURES}) say",
    ),
    Sentence(
        "search saved run {one}",
        r"(?:run|ask|show|repeat|open|use)(?: me)? (?:my |the )?saved search (?:called |named )?(?P<one>\S+)",
    ),
    Sentence(
        "search saved ls",
        r"(?:what|which|show|list)(?: me)?(?: are)?(?: my| the| all)* saved searches.*",
    ),
    Sentence(
        "search duplicates",
        rf"{_ANY}(?:more than once|twice|duplicates?|duplicated|doubles|several times)\b.*",
    ),
    Sentence(
        "doctor --explain {one}",
        r"(?:what does|what is|explain|what means)\b.*?\b(?P<one>[a-z]+(?:-[a-z]+)+)(?: mean| error)*",
    ),
    Sentence(
        task,
        rf"(?:what(?: is)?|which(?: is)?)? ?(?:the )?(?:best|good|right|fastest) models?{FOR_TASK}"
        r"(?: (?:here|on (?:this|my) (?:machine|computer|laptop)))",
    ),
    Sentence(
        "infer summarize --file {one}",
        rf"{_ANY}summary (?:of|for) (?:the )?(?:file )?(?P<one>\S+\.\w+)",
    ),
    Sentence(
        "model lineage {one}",
        rf"where (?:does|did|do) {ONE} (?:come|came) from",
        rf"(?:what|which) (?:is|are) {ONE} (?:based on|derived from|made from)",
        rf"(?:show(?: me)? )?(?:the )?(?:lineage|origin|history|provenance) of {ONE}",
    ),
    Sentence(
        _copies,
        rf"(?:keep|have|make|hold|store) (?:at least )?(?P<count>\d+|{'|'.join(NUMBERS)}) copies of"
        r" (?:everything|all)(?: .*)?",
        rf"{_ANY}everything\b.*\b(?:at|in) (?:at least )?(?P<count>\d+|{'|'.join(NUMBERS)}) places.*",
    ),
    Sentence(
        "search similar {one}",
        rf"{_ANY}(?:similar to|like|related to|resembl\w+) (?P<one>{CID})",
    ),
    Sentence(
        "job ls",
        r"(?:is |are )?(?:there )?(?:anything|something|what|which|any)\b.*\b(?:running|in the queue|queued|waiting)"
        r"(?: (?:in the background|right now|now|at the moment|still))*",
        r"(?:what|which|show|list)\b.*\b(?:jobs?|background)\b(?! \w+-?\d).*",
    ),
    Sentence(
        "model push {one} {destination}",
        rf"(?:hand|give|bring|send) (?:the |my )?model (?P<one>\S+) {TO}",
    ),
)
