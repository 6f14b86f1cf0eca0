"""Times in a question: `yesterday`, `in the last 3 days`, `since October`, `older than a month`."""

from __future__ import annotations

import re
from datetime import date, timedelta

from ipfs_accel_cli.services.search.ask.lexicon import DAYS, MONTHS, NUMBERS
from ipfs_accel_cli.services.search.ask.scan import Scan

_DAYS_OF = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "year": 365}
_UNIT = "|".join(_DAYS_OF)
_COUNT = rf"(?P<count>\d{{1,4}}|an?|{'|'.join(NUMBERS)})"
_FEW = {"a": 1, "an": 1, **NUMBERS}
_DAY = (
    r"(?:(?P<iso>\d{4}-\d\d-\d\d)"
    rf"|(?:(?P<date>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?)?(?P<month>{'|'.join(MONTHS)})"
    r"(?: (?P<nth>\d{1,2})(?:st|nd|rd|th)?(?!\d))?(?:,? (?P<of>\d{4}))?"
    rf"|(?P<weekday>{'|'.join(DAYS)})|(?P<year>(?:19|20)\d\d))"
)
_ANY_DAY = re.sub(r"\(\?P<\w+>", "(?:", _DAY)
_ADDED = (
    r"(?:(?:that )?(?:were |was |i |have been |came )?"
    r"(?:added|kept|stored|put|pulled|saved|in|from|of|on|during|created) ?)*(?:here )?(?:the )?"
)


def read_dates(scan: Scan, today: date) -> None:
    """Read what is said of the time when something was added; whole days in UTC."""
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    fixed = {
        "today": (today, None),
        "yesterday": (today - timedelta(days=1), today),
        "this week": (monday, None),
        "last week": (monday - timedelta(days=7), monday),
        "this month": (first, None),
        "this year": (today.replace(month=1, day=1), None),
        "last year": (date(today.year - 1, 1, 1), date(today.year, 1, 1)),
        "(?<!most )(?:recent|recently|lately|of late)": (today - timedelta(days=7), None),
    }
    lasting = rf"{_ADDED}(?:in |within |during |over )?(?:the )?(?:last|past) (?:(?:{_COUNT}|few) )?(?P<unit>{_UNIT})s?"
    for match in scan.find(lasting):
        plain = match["count"] is None and "few" not in match[0]
        if plain and "past" not in match[0] and not re.search(r"\b(?:in|within|during|over) the last", match[0]):
            continue  # "last month" is the one in the calendar.
        few = _few(match["count"]) if match["count"] else 3 if "few" in match[0] else 1
        _since(scan, match, _back(today, few * _DAYS_OF[match["unit"]]))
    for match in scan.find(rf"{_ADDED}(?P<old>older|more|newer|less) than {_COUNT} (?P<unit>{_UNIT})s?(?: ago| old)?"):
        day = _back(today, _few(match["count"]) * _DAYS_OF[match["unit"]])
        older = match["old"] in ("older", "more")
        scan.take(match, "added", "<" if older else ">=", day.isoformat())
    for match in scan.find(rf"{_ADDED}{_COUNT} (?P<unit>{_UNIT})s? ago"):
        scan.take(match, "added", "=", _back(today, _few(match["count"]) * _DAYS_OF[match["unit"]]).isoformat())
    for words, (start, end) in {**fixed, "last month": (before, first)}.items():
        for match in scan.find(rf"{_ADDED}(?P<how>since|after|before|until|till) (?:{words})"):
            if match["how"] in ("before", "until", "till"):
                scan.take(match, "added", "<", start.isoformat())
            else:
                _since(scan, match, end if end and match["how"] == "after" else start)
        for match in scan.find(rf"{_ADDED}(?:{words})"):
            _span(scan, match, start, end)
    for match in scan.find(rf"{_ADDED}between (?P<one>{_ANY_DAY}) and (?P<other>{_ANY_DAY})"):
        ends = [re.fullmatch(_DAY, match[name]) for name in ("one", "other")]
        spans = [_named(end, today) for end in ends if end is not None]
        if len(spans) == 2 and spans[0] is not None and spans[1] is not None:
            _span(scan, match, spans[0][0], spans[1][1])
    for match in scan.find(rf"{_ADDED}(?P<how>since|after|before|until|till|from|in|on|of|during) {_DAY}"):
        if match["month"] == "may" and match["how"] == "of":
            continue
        span = _named(match, today)
        if span is None:
            continue
        start, end = span
        if match["how"] == "since":
            _since(scan, match, start)
        elif match["how"] == "after":
            _since(scan, match, end)
        elif match["how"] in ("before", "until", "till"):
            scan.take(match, "added", "<", start.isoformat())
        else:
            _span(scan, match, start, end)


def _named(match: re.Match[str], today: date) -> tuple[date, date] | None:
    """Return the first day that was named and the first one after it; of months and weekdays the last that was."""
    if match["iso"]:
        try:
            day = date.fromisoformat(match["iso"])
        except ValueError:
            return None
        return day, day + timedelta(days=1)
    if match["year"]:
        year = int(match["year"])
        return date(year, 1, 1), date(year + 1, 1, 1)
    if match["weekday"]:
        day = today - timedelta(days=(today.weekday() - DAYS.index(match["weekday"])) % 7)
        return day, day + timedelta(days=1)
    month = MONTHS.index(match["month"]) + 1
    year = int(match["of"]) if match["of"] else today.year - (month > today.month)
    if not 1 <= year < date.max.year:
        return None
    if number := match["date"] or match["nth"]:
        try:
            day = date(year, month, int(number))
        except ValueError:
            return None
        return day, day + timedelta(days=1)
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


def _span(scan: Scan, match: re.Match[str], start: date, end: date | None) -> None:
    if end is None:
        _since(scan, match, start)
    elif end - start == timedelta(days=1):
        scan.take(match, "added", "=", start.isoformat())
    else:
        scan.condition(match, f"added>={start.isoformat()} AND added<{end.isoformat()}")


def _since(scan: Scan, match: re.Match[str], day: date) -> None:
    scan.take(match, "added", ">=", day.isoformat())


def _few(count: str) -> int:
    return _FEW.get(count) or int(count)


def _back(today: date, days: int) -> date:
    return today - timedelta(days=min(days, (today - date.min).days))
