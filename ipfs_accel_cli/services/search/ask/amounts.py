"""Figures in a question: sizes, counts, lengths, and an order with how many."""

from __future__ import annotations

import re

from ipfs_accel_cli.services.search.ask.lexicon import ANYTHING, COMPARED, KINDS, MANY, NUMBERS, SIZES
from ipfs_accel_cli.services.search.ask.scan import Scan

_FIGURE = r"(?P<number>\d+(?:[.,]\d+)*)"
_MANY = "|".join(MANY)
_SOME = rf"(?P<number>\d+(?:[.,]\d+)?|an?|half an?|{'|'.join(NUMBERS)})"
_COUNT = rf"(?P<number>\d+(?:[.,]\d+)*|an?(?= (?:{_MANY}))|{'|'.join(NUMBERS)})"
_SIZE = "|".join(SIZES)
_THAN = "|".join(COMPARED)
_OR_MORE = {"more": ">=", "larger": ">=", "bigger": ">=", "longer": ">=", "less": "<=", "smaller": "<=", "fewer": "<="}
_SECONDS = {"second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600}
# What is counted, and the fact that counts it.
_COUNTED = {
    "pages?": "pages",
    "rows?|lines": "rows",
    "records?": "records",
    "columns?": "columns",
    "slides?": "slides",
    "sheets?": "sheets",
    "cells?": "cells",
    "layers?": "layers",
    "members?": "members",
}
_POWERS = {"b": "B", "bn": "B", "billion": "B", "m": "M", "million": "M", "k": "K", "thousand": "K"}
_ORDERS = {
    "largest|biggest|heaviest|huge|large|big": "-size",
    "smallest|tiniest|lightest|small|tiny": "size",
    "newest|latest|most recent|youngest": "-added",
    "oldest|earliest": "added",
    "longest": "-duration_s",
    "shortest": "duration_s",
}
_NOUN = rf"(?:{'|'.join(KINDS)}|{ANYTHING})"


def read_sizes(scan: Scan) -> None:
    """Read `smaller than 2 GB`, `between 10 MB and 20 MB`, `5 GB or more`."""
    between = rf"(?:between|from) {_FIGURE} ?(?P<one>{_SIZE})? (?:and|to) (?P<upper>\d+(?:[.,]\d+)?) ?(?P<unit>{_SIZE})"
    for match in scan.find(between):
        unit = _unit(match["unit"])
        lower = f"{_plain(match['number'])}{_unit(match['one']) if match['one'] else unit}"
        scan.condition(match, f"size>={lower} AND size<={_plain(match['upper'])}{unit}")
    for match in scan.find(rf"(?:that is |that are )?(?P<than>{_THAN}) ?{_SOME} ?(?P<unit>{_SIZE})"):
        if match["unit"] == "b" and _of_models(scan):
            continue  # People call seven billion parameters 7B.
        scan.take(match, "size", _operator(match["than"]), f"{_plain(match['number'])}{_unit(match['unit'])}")
    for match in scan.find(rf"{_FIGURE} ?(?P<unit>{_SIZE}) (?:or|and) (?P<more>{'|'.join(_OR_MORE)})"):
        scan.take(match, "size", _OR_MORE[match["more"]], f"{_plain(match['number'])}{_unit(match['unit'])}")


def read_counts(scan: Scan) -> None:
    """Read `more than 100 pages`, `7B parameters`, `longer than 5 minutes`, `wider than 1000 pixels`."""
    power = "|".join(_POWERS)
    span = (
        rf"(?:with )?(?:between|from) {_FIGURE} ?(?P<one>{power})? (?:and|to) (?P<upper>\d+(?:[.,]\d+)?)"
        rf" ?(?P<power>{power}) ?(?:parameters|params|weights)"
    )
    for match in scan.find(span):
        lower = _plain(match["number"]) + _power(match["one"] or match["power"])
        upper = _plain(match["upper"]) + _power(match["power"])
        scan.condition(match, f"parameters>={lower} AND parameters<={upper}")
    for pattern in (
        rf"(?:with |having )?(?P<than>{_THAN}) ?{_FIGURE} ?(?P<power>{power})? ?(?:parameters|params|weights)",
        rf"(?P<than>{_THAN}) ?{_FIGURE} ?(?P<power>b|bn|billion)",
        rf"(?:with |of |having )?(?P<than>){_FIGURE} ?(?P<power>{power})? ?(?:parameters|params)"
        rf"(?: (?:or|and) (?P<more>{'|'.join(_OR_MORE)}))?",
    ):
        for match in scan.find(pattern):
            more = match.groupdict().get("more")
            operator = _OR_MORE[more] if more else _operator(match["than"])
            scan.take(match, "parameters", operator, _plain(match["number"]) + _power(match["power"]))
    late = (
        rf"(?:with |having )?(?:a )?context(?: window| length)? (?:of )?(?P<than>{_THAN})? ?{_FIGURE} ?(?P<power>k)?"
        "(?: tokens?)?"
    )
    for match in scan.find(late):
        operator = _operator(match["than"]) if match["than"] else ">="
        scan.take(match, "context_tokens", operator, _plain(match["number"]) + (match["power"] or ""))
    context = (
        rf"(?:with |having )?(?:a )?(?P<than>{_THAN})? ?(?:a )?{_FIGURE} ?(?P<power>k)? ?(?:tokens? )?(?:of )?"
        "context(?: window| length)?(?: (?:or|and) (?P<more>more|longer|less|shorter))?"
    )
    for match in scan.find(context):
        operator = _operator(match["than"]) if match["than"] else "<=" if match["more"] in ("less", "shorter") else ">="
        scan.take(match, "context_tokens", operator, _plain(match["number"]) + (match["power"] or ""))
    for match in scan.find(rf"(?:of )?(?P<than>{_THAN}) ?{_SOME} ?(?P<unit>{'|'.join(_SECONDS)})s?(?: long)?"):
        seconds = float(_plain(match["number"])) * _SECONDS[match["unit"]]
        scan.take(match, "duration_s", _operator(match["than"]), f"{seconds:g}")
    for match in scan.find(rf"(?P<than>{_THAN}) ?{_FIGURE} ?(?:pixels?|px)(?: (?P<side>wide|high|tall))?"):
        high = match["side"] in ("high", "tall") or match["than"].startswith(("taller", "higher", "shorter", "lower"))
        scan.take(match, "height" if high else "width", _operator(match["than"]), _plain(match["number"]))
    for noun, name in _COUNTED.items():
        for match in scan.find(
            rf"(?:with |of |having )?(?P<than>{_THAN})? ?{_COUNT} ?(?P<many>{_MANY}|k)? (?:{noun})"
            r"(?: or (?P<more>more|less|fewer))?"
        ):
            operator = _OR_MORE[match["more"]] if match["more"] else _operator(match["than"])
            times = 1000 if match["many"] == "k" else MANY.get(match["many"] or "", 1)
            scan.take(match, name, operator, f"{float(_plain(match['number'])) * times:.12g}")


def read_order(scan: Scan) -> None:
    """Read `the five largest`, `newest`: in which order, and how many."""
    count = rf"(?:(?:the|top) )*(?:(?P<count>\d+|{'|'.join(NUMBERS)}) )?"
    for words, order in _ORDERS.items():
        for match in scan.find(
            rf"{count}(?:{words})(?: (?P<after>\d+|{'|'.join(NUMBERS)}))?"
            rf"(?=[ \x00]*(?P<noun>{_NOUN})(?!\w))?"
        ):
            if scan.order:
                return
            number = match["count"] or match["after"]
            scan.order, scan.ordered_by = order, " ".join(scan.original(match).split())
            if number:
                scan.most = max(1, min(1000, NUMBERS.get(number) or int(number)))
            elif match["noun"] and not match["noun"].endswith(("s", "stuff")) and re.search("est|most", match[0]):
                scan.most = 1  # "the largest model" is one.
            scan.blank(match.start(), match.end())
    _last(scan)
    _with_most(scan)


def _with_most(scan: Scan) -> None:
    """Read `the pdf with the most pages`: the order by what is counted."""
    for noun, name in _COUNTED.items():
        for match in scan.find(rf"with the (?P<how>most|fewest|least) (?:{noun})"):
            if not scan.order:
                scan.order = name if match["how"] != "most" else f"-{name}"
                scan.ordered_by = " ".join(scan.original(match).split())
                before = re.search(rf"(?P<noun>{_NOUN}) $", scan.low[: match.start()])
                if before is not None and not before["noun"].endswith("s"):
                    scan.most = 1
                scan.blank(match.start(), match.end())


def _last(scan: Scan) -> None:
    """Read `last 5 things I added`: the newest, where no span of time is meant."""
    for match in scan.find(rf"(?:the )?(?:last|most recently added) (?P<count>\d+|{'|'.join(NUMBERS)})"):
        if not scan.order:
            scan.order, scan.ordered_by = "-added", " ".join(scan.original(match).split())
            scan.most = max(1, min(1000, NUMBERS.get(match["count"]) or int(match["count"])))
            scan.blank(match.start(), match.end())


def _of_models(scan: Scan) -> bool:
    return re.search(r"\bmodels?\b|\bparameters\b", scan.low) is not None


def _operator(than: str | None) -> str:
    for words, operator in COMPARED.items():
        if than and re.fullmatch(words, than):
            return operator
    return "="


def _unit(text: str) -> str:
    return next(unit for words, unit in SIZES.items() if re.fullmatch(words, text))


def _power(text: str | None) -> str:
    return _POWERS[text] if text else ""


def _plain(number: str) -> str:
    spoken = {"a": "1", "an": "1", "half a": "0.5", "half an": "0.5"}
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", number):
        return number.replace(",", "")  # Thousands, as in 10,000.
    return spoken.get(number) or str(NUMBERS.get(number) or number.replace(",", "."))
