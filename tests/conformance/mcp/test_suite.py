"""The MCP project's own conformance suite, on our server with its fixtures, and on our server as it is.

The suite speaks HTTP only (`server --url`). What it checks in general is asked over stdio by test_inspector.py, a
client in another language, and by tests/flows/test_mcp_stdio.py, whose answers are compared with those over HTTP.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.servers.mcp_http import OURS, serving
from tests.servers.npm import installed, node_binary

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
STABLE, NEWEST = "0.1.16", "0.2.0-alpha.12"
FIXTURES = ("-m", "tests.conformance.mcp.fixture_server")
# What the fixture server may fail at in the era that is not finished yet. This number only ever shrinks.
MOST_EXPECTED_FAILURES = 0


def run_suite(version: str, url: str, folder: Path, *options: str) -> tuple[int, int, int, str]:
    """Run every scenario and return the exit status, how many checks passed and failed, and the whole output."""
    suite = installed({"@modelcontextprotocol/conformance": version}) / "@modelcontextprotocol/conformance"
    done = subprocess.run(
        [node_binary(), suite / "dist" / "index.js", "server", "--url", url, "--suite", "all", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
    )
    output = done.stdout + done.stderr
    totals = re.findall(r"Total: (\d+) passed, (\d+) failed", output)
    assert totals, output
    return done.returncode, int(totals[-1][0]), int(totals[-1][1]), output


@pytest.mark.parametrize(
    ("version", "options", "at_least"),
    [(STABLE, (), 44), (NEWEST, ("--spec-version", "2025-11-25"), 78)],
)
def test_our_server_with_the_fixtures_passes_whole(
    tmp_path: Path, version: str, options: tuple[str, ...], at_least: int
) -> None:
    with serving(FIXTURES) as server:
        status, passed, failed, output = run_suite(version, server.url, tmp_path, *options)
    assert (status, failed) == (0, 0), output
    assert passed >= at_least, output


def test_the_stateless_era_fails_at_nothing_but_the_baseline(tmp_path: Path) -> None:
    baseline = HERE / "baseline-2026-07-28.yml"
    assert len(yaml.safe_load(baseline.read_text())["server"]) <= MOST_EXPECTED_FAILURES
    with serving(FIXTURES) as server:
        options = ("--spec-version", "2026-07-28", "--expected-failures", str(baseline))
        status, passed, failed, output = run_suite(NEWEST, server.url, tmp_path, *options)
    assert status == 0, output
    assert failed <= MOST_EXPECTED_FAILURES
    assert passed >= 140, output


@pytest.mark.parametrize(
    ("version", "revision", "options"),
    [(STABLE, "2025-11-25", ()), (NEWEST, "2026-07-28", ("--spec-version", "2026-07-28"))],
)
def test_our_server_as_it_is_fails_only_where_a_fixture_is_missing(
    tmp_path: Path, version: str, revision: str, options: tuple[str, ...]
) -> None:
    # A scenario of the list that passes is an error too, so the list cannot hide what works.
    missing = HERE / f"fixtures-missing-{revision}.yml"
    with serving((*OURS, "--toolsets", "all")) as server:
        status, _, _, output = run_suite(version, server.url, tmp_path, *options, "--expected-failures", str(missing))
    assert status == 0, output
