"""The commands of the tutorials run as they stand, in order, and answer what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.warm import warm

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
PAGES = [DOCS / "getting-started.md", *sorted((DOCS / "tutorials").glob("*.md"))]
MARK = "<!-- output -->"
BLOCK = re.compile(
    rf"^```bash\n(?P<commands>.*?)^```\n(?:\n{MARK}\n```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """Commands of a page, the line they begin at, and what the page says that they print, if it does."""

    line: int
    commands: str
    output: str | None


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(text[: found.start()].count("\n") + 2, found["commands"], found["output"])
        for found in BLOCK.finditer(text)
    ]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an `ipfs-accel` in it that has imported what it needs."""
    with warm(tmp_path_factory.mktemp("warm")) as folder:
        yield folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_shown_output_stands_below_the_commands_that_print_it(page: Path) -> None:
    assert len(blocks(page)) >= 3
    assert sum(block.output is not None for block in blocks(page)) == page.read_text(encoding="utf-8").count(MARK)


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_the_page_does_in_order_what_the_page_shows(
    page: Path, programs: Path, tmp_path: Path
) -> None:
    work, printed = tmp_path / "work", tmp_path / "printed"
    work.mkdir()
    printed.mkdir()
    found = blocks(page)
    script = "set -euo pipefail\n"
    for block in found:
        script += f"echo 'line {block.line} of {page.name}:' >&2\n{{\n{block.commands}}} > {printed}/{block.line}\n"
    path = f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=work, env=os.environ | {"PATH": path}, stdin=subprocess.DEVNULL, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    for block in found:
        if block.output is not None:
            assert (printed / str(block.line)).read_text(encoding="utf-8") == block.output, f"line {block.line}"
