"""The reference in its four forms: each says the same, and each is sound in its own rules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ipfs_accel_cli.app import app
from ipfs_accel_cli.core.errors import error_kinds
from ipfs_accel_cli.core.settings import KEYS
from ipfs_accel_cli.surfaces.mcp.walk import Found, commands

DOCS = Path(__file__).resolve().parents[2] / "docs"
HTML = (DOCS / "reference" / "html" / "index.html").read_text(encoding="utf-8")
MAN = DOCS / "man" / "ipfs-accel.1"
VOID = {"meta", "input", "br", "link", "img", "hr"}


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DOCS / "reference" / "reference.json").read_text(encoding="utf-8"))
    return found


class Page(HTMLParser):
    """Checks the nesting of tags, and collects anchors, links to them, and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.anchors: list[str] = []
        self.links: set[str] = set()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        values = dict(attrs)
        if values.get("id"):
            self.anchors.append(str(values["id"]))
        if tag == "a":
            self.links.add(str(values["href"]))
        self.fetched += [str(value) for name, value in attrs if name == "src" or (name == "href" and tag != "a")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()


def test_the_data_fits_its_own_schema_and_holds_every_command_error_and_setting(reference: dict[str, Any]) -> None:
    schema = json.loads((DOCS / "reference" / reference["$schema"]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(reference, schema)
    listed = {tuple(command["path"]) for group in reference["groups"] for command in group["commands"]}
    assert listed == {command.path for command in commands(app)}
    assert {failure["code"] for failure in reference["failures"]} == set(error_kinds())
    assert {setting["name"] for setting in reference["settings"]} == set(KEYS)


def test_every_tag_of_the_page_closes_every_link_leads_somewhere_and_nothing_is_fetched() -> None:
    page = Page()
    page.feed(HTML)
    page.close()
    assert page.open == []
    assert len(page.anchors) == len(set(page.anchors))
    assert page.links <= {f"#{anchor}" for anchor in page.anchors}
    assert page.fetched == []


@pytest.mark.parametrize("command", commands(app), ids=lambda command: " ".join(command.path))
def test_a_command_stands_in_every_form_with_its_first_example(command: Found, reference: dict[str, Any]) -> None:
    (entry,) = (
        entry for group in reference["groups"] for entry in group["commands"] if tuple(entry["path"]) == command.path
    )
    name, anchor = " ".join(command.path), "-".join(command.path)
    markdown = "".join(path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
    assert f'id="{anchor}"' in HTML
    assert entry["examples"][0] in markdown
    heading = f".SS ipfs-accel {name}".replace("-", "\\-")
    assert any(line.startswith(heading) for line in MAN.read_text(encoding="utf-8").splitlines())


def test_every_link_between_the_written_pages_leads_to_a_file() -> None:
    broken = []
    for page in [*DOCS.rglob("*.md"), *DOCS.parent.glob("*.md")]:
        text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(DOCS.parent)}: {target}")
    assert broken == []


def test_the_manual_page_is_sound_roff() -> None:
    mandoc = shutil.which("mandoc") or pytest.skip("mandoc is not installed")
    done = subprocess.run([mandoc, "-T", "lint", "-W", "warning", MAN], capture_output=True, text=True)
    # The page has no date, so that it changes only when the commands do.
    told = [line for line in done.stdout.splitlines() if "missing date" not in line]
    assert told == []
    shown = subprocess.run([mandoc, "-T", "ascii", MAN], capture_output=True, text=True, check=True).stdout
    plain = re.sub(".\x08", "", shown)  # bold is a letter struck twice
    for heading in ("NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"):
        assert f"\n{heading}\n" in plain
