"""The report of a run as a file: JSON, Markdown, or one HTML page with its plots inside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import PurePath
from typing import Literal

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.migrate.results import ReceiptShown, Report

Form = Literal["html", "markdown", "json"]
_ENDINGS: dict[str, Form] = {
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".json": "json",
}
_WIDTH, _HEIGHT, _BARS = 640, 160, 40
_SHOWN = 1000  # Rows of a table that a person may still want to look through.


def form_of(name: str) -> Form:
    """Return the form that the ending of a file's name says; raises Invalid for any other ending."""
    form = _ENDINGS.get(PurePath(name).suffix.lower())
    if form is None:
        raise Invalid(f"the name {name!r} does not say in which form the report is to be; --form does")
    return form


def rendered(report: Report, form: Form) -> str:
    """Return a report as text."""
    if form == "json":
        return report.model_dump_json(indent=2) + "\n"
    return _markdown(report) if form == "markdown" else _html(report)


def progress_points(receipts: Sequence[ReceiptShown]) -> list[tuple[float, int]]:
    """Return (seconds since the first item began, bytes moved until then), by time."""
    if not receipts:
        return []
    start = min(datetime.fromisoformat(one.began_at) for one in receipts)
    ends = sorted((datetime.fromisoformat(one.ended_at), one.sent_bytes) for one in receipts)
    points, total = [(0.0, 0)], 0
    for at, size in ends:
        total += size
        points.append(((at - start).total_seconds(), total))
    return points


def durations(receipts: Sequence[ReceiptShown], bars: int = _BARS) -> list[int]:
    """Return how many items took how long, from nothing to the longest in equal steps."""
    longest = max((one.seconds for one in receipts), default=0.0)
    counts = [0] * bars
    for one in receipts:
        counts[min(bars - 1, int(one.seconds / longest * bars) if longest else 0)] += 1
    return counts


def _facts(report: Report) -> list[tuple[str, str]]:
    run = report.run
    return [
        ("Run", run.run),
        ("From", run.source),
        ("To", run.destination),
        ("Action", run.action),
        ("State", run.state),
        ("Began", run.began_at),
        ("Ended", run.ended_at or "not yet"),
        ("Items done", str(run.done)),
        ("Items failed", str(run.failed)),
        ("Items left", str(run.pending)),
        ("Retries", str(run.retries)),
        ("Bytes moved", f"{report.moved_bytes} ({human_bytes(report.moved_bytes)})"),
        ("Seconds", _known(report.seconds)),
        ("Seconds foreseen", _known(report.foreseen_seconds)),
        ("Wrong by a share of", _known(report.seconds_error)),
        ("Cost foreseen", _known(report.foreseen_cost)),
        ("Receipts", f"{len(report.receipts)}, chain {report.chain}"),
        ("Last hash", report.head),
    ]


def _markdown(report: Report) -> str:
    lines = [f"# Migration {report.run.run}", ""]
    lines += [f"- **{name}**: {_cell(value)}" for name, value in _facts(report)]
    if report.failures:
        lines += ["", "## Failed", "", "| item | code | why |", "|---|---|---|"]
        lines += [f"| {_cell(one.name)} | {one.code} | {_cell(one.detail)} |" for one in report.failures]
    lines += ["", "## Receipts", "", "| # | item | bytes | proof | CID | hash |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {one.sequence} | {_cell(one.name)} | {one.size_bytes} | {one.proof} | {one.cid} | {one.hash[:16]} |"
        for one in report.receipts[:_SHOWN]
    ]
    if len(report.receipts) > _SHOWN:
        lines.append(f"\n{len(report.receipts) - _SHOWN} more are in the JSON report.")
    return "\n".join(lines) + "\n"


def _html(report: Report) -> str:
    facts = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in _facts(report))
    failed = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{escape(one.code)}</td><td>{escape(one.detail)}</td></tr>"
        for one in report.failures
    )
    receipts = "".join(
        f"<tr><td>{one.sequence}</td><td>{escape(one.name)}</td><td>{one.size_bytes}</td><td>{escape(one.proof)}</td>"
        f"<td>{one.attempts}</td><td>{one.seconds:.3f}</td><td><code>{escape(one.cid)}</code></td>"
        f"<td><code>{one.hash[:16]}</code></td></tr>"
        for one in report.receipts[:_SHOWN]
    )
    more = len(report.receipts) - _SHOWN
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f"<title>Migration {escape(report.run.run)}</title>",
            f"<style>{_STYLE}</style></head><body>",
            f"<h1>{escape(report.run.source)} to {escape(report.run.destination)}</h1>",
            f"<table>{facts}</table>",
            "<h2>Bytes moved over time</h2>",
            _line(progress_points(report.receipts)),
            "<h2>How long items took</h2>",
            _histogram(durations(report.receipts), max((one.seconds for one in report.receipts), default=0.0)),
            f"<h2>Failed</h2><table><tr><th>item</th><th>code</th><th>why</th></tr>{failed}</table>" if failed else "",
            "<h2>Receipts</h2><table><tr><th>#</th><th>item</th><th>bytes</th><th>proof</th><th>attempts</th>"
            f"<th>seconds</th><th>CID</th><th>hash</th></tr>{receipts}</table>",
            f"<p>{more} more are in the JSON report.</p>" if more > 0 else "",
            "</body></html>\n",
        )
    )


def _line(points: Sequence[tuple[float, int]]) -> str:
    last, most = (points[-1][0] or 1.0, points[-1][1] or 1) if points else (1.0, 1)
    path = " ".join(f"{x / last * _WIDTH:.1f},{_HEIGHT - y / most * _HEIGHT:.1f}" for x, y in points)
    told = f"{human_bytes(points[-1][1])} in {points[-1][0]:.3f} s" if points else "nothing was moved"
    return f'{_svg(told)}<polyline fill="none" stroke="#247" stroke-width="2" points="{path}"/></svg><p>{told}</p>'


def _histogram(counts: Sequence[int], longest: float) -> str:
    most, width = max(counts, default=0) or 1, _WIDTH / max(1, len(counts))
    bars = "".join(
        f'<rect x="{at * width:.1f}" y="{_HEIGHT - count / most * _HEIGHT:.1f}" width="{width - 1:.1f}"'
        f' height="{count / most * _HEIGHT:.1f}" fill="#247"/>'
        for at, count in enumerate(counts)
    )
    told = f"from 0 to {longest:.3f} s; the highest bar is {max(counts, default=0)} items"
    return f"{_svg(told)}{bars}</svg><p>{told}</p>"


def _svg(title: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img"><title>{escape(title)}</title>'


def _known(value: float | None) -> str:
    return "not known" if value is None else f"{value:g}"


def _cell(text: str) -> str:
    return escape(text, quote=False).replace("|", "\\|").replace("\n", " ")


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem}"
    "table{border-collapse:collapse}th,td{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}"
    "td{overflow-wrap:anywhere}svg{border:1px solid #ccc;max-width:100%}"
)
