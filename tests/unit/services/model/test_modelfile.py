"""Whatever came with a model, its Modelfile holds the instructions that we wrote and no other."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.services.model.deploy.config import checked
from ipfs_accel_cli.services.model.deploy.render import ollama
from ipfs_accel_cli.services.model.deploy.render.plan import Output, Plan
from ipfs_accel_cli.services.model.deploy.render.quoting import modelfile_value

CONFIG = checked({"model": "a@1", "manifest": str(CID.of(b"")), "server": "llama-server"})
MARKS = st.text("\r\n\t\v\f\x00\x85\u2028\u00a0\ud800\"'# aFROM", max_size=16)
EVIL = st.tuples(MARKS, st.just("\rFROM evil\n"), MARKS).map("".join)
TEXTS = st.one_of(st.text(max_size=12), MARKS, EVIL)
VALUES = st.one_of(TEXTS, st.lists(TEXTS, max_size=3), st.integers(), st.floats(), st.booleans(), st.none())


@given(st.dictionaries(st.one_of(st.just("stop"), TEXTS), VALUES, max_size=4), TEXTS)
def test_nothing_that_came_with_a_model_begins_an_instruction(params: dict[str, Any], template: str) -> None:
    made = rendered(params, template)

    found = instructions(made.text)
    texts = [one for value in params.values() for one in (value if isinstance(value, list) else [value])]
    assert [name for name, _ in found if name not in ("PARAMETER", "TEMPLATE")] == ["FROM"]
    assert sum(name == "PARAMETER" for name, _ in found) <= len(texts)
    assert [name for name, _ in found].count("TEMPLATE") <= 1
    assert not [value for name, value in found if name == "FROM" and "evil" in value]
    made.text.encode()


@pytest.mark.parametrize("text", ["x\rFROM evil", "x\nFROM evil", "\ud800", "\x00", "x\x85", "a\vb"])
def test_what_no_modelfile_can_hold_is_told(text: str) -> None:
    made = rendered({"stop": [text, "kept"]}, text)

    assert ("FROM", "evil") not in instructions(made.text)
    assert ("PARAMETER", "stop kept") in instructions(made.text)
    if "\n" not in text:
        assert "the parameter stop that came with the model cannot be written" in made.notes


def test_line_ends_and_tabs_lie_within_quotes() -> None:
    assert modelfile_value("a\n\tb") == '"a\n\tb"'
    assert modelfile_value("a\tb") == '"a\tb"'
    assert modelfile_value("a\u00a0b") == '"a\u00a0b"'
    assert modelfile_value('a"\nb') == '"""a"\nb"""'
    assert modelfile_value("a\rb") is None


def rendered(params: dict[str, Any], template: str) -> Output:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = {"model.gguf": b"GGUF", "params": json.dumps(params).encode()}
        files["template"] = template.encode("utf-8", "surrogatepass")
        for name, data in files.items():
            (folder / name).write_bytes(data)
        paths = {name: folder / name for name in files}
        plan = Plan("a", 1, "cid", CONFIG, folder, Path("/models"), paths, ("me", 1, 1), ["x"], "llama-server")
        return ollama.render(plan)


def instructions(text: str) -> list[tuple[str, str]]:
    """Read a Modelfile as Ollama does: a value ends at a carriage return or a line feed, unless quotes are open."""
    found: list[tuple[str, str]] = []
    line = ""
    for sign in f"{text}\n":
        value = line.lstrip().partition(" ")[2].strip()
        words = value.partition(" ")[2].strip() if line.lstrip().startswith("PARAMETER ") else value
        if sign not in "\r\n" or (not line.lstrip().startswith("#") and _open(words)):
            line += sign
            continue
        name = line.strip().partition(" ")[0]
        if name and not name.startswith("#"):
            found.append((name, value))
        line = ""
    return found


def _open(value: str) -> bool:
    for quote in ('"""', '"'):
        if value.startswith(quote):
            return len(value) < 2 * len(quote) or not value.endswith(quote)
    return False
