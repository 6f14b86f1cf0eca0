"""Prompt templates: kept as content, filled in, compared with what is expected."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound, NotGoodEnough
from ipfs_accel_cli.services.infer.prompts.cases import read_cases
from ipfs_accel_cli.services.infer.prompts.tables import Version
from ipfs_accel_cli.services.infer.writing.templating import parse
from ipfs_accel_cli.services.infer.writing.wish import Wish
from tests.unit.services.infer.serving import from_input

TRANSLATE = """---
description: Translate a text
variables: {input: , language: German}
system: You translate into {{ language }}.
examples:
  - {input: one, output: eins}
---
Translate: {{ input }}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "translate.md").write_text(TRANSLATE)
    return tmp_path / "translate.md"


def test_versions_are_content_that_gc_keeps_until_they_are_removed(node: Node, file: Path) -> None:
    prompts = node.inference.prompts
    first = prompts.add("translate", file)
    assert (first.version, first.needs, first.defaults) == (1, ["input"], {"language": "German"})
    assert node.store.stat(first.cid).size_bytes == len(TRANSLATE)
    assert prompts.add("translate", file) == first
    with using(from_input(b"Say {{ input }}")):
        second = prompts.add("translate", Path("-"))
    assert (second.version, second.text) == (2, "Say {{ input }}")
    node.store.gc()
    assert prompts.show("translate@1") == first
    assert prompts.show("translate") == second
    assert [one.version for one in prompts.ls()] == [2]
    assert [one.version for one in prompts.ls(all_versions=True)] == [2, 1]
    prompts.remove("translate@1")
    with pytest.raises(NotFound):
        prompts.show("translate@1")
    prompts.remove("translate")
    with pytest.raises(NotFound):
        prompts.remove("translate")
    node.store.gc()
    assert not list(node.store.ls().entries)


def test_a_template_is_filled_in_with_its_examples(node: Node, file: Path) -> None:
    prompts = node.inference.prompts
    prompts.add("translate", file)
    made = prompts.render("translate", "two", Wish(var=["language=French"]))
    assert made.system == "You translate into French."
    assert made.text == "Input: one\nOutput: eins\n\nInput: Translate: two\nOutput:"
    assert made.examples is not None
    with using(from_input(b"piped\n")):
        assert "Translate: piped" in prompts.render("translate", None, Wish()).text


def test_a_template_may_place_its_examples_itself(node: Node, tmp_path: Path) -> None:
    (tmp_path / "t").write_text(
        "---\nexamples: [{input: a, output: b}]\n---\n"
        "{% for e in examples %}{{ e.input }}={{ e.output }}; {% endfor %}x="
    )
    node.inference.prompts.add("t", tmp_path / "t")
    assert node.inference.prompts.render("t", None, Wish()).text == "a=b; x="


@pytest.mark.parametrize(
    ("wish", "given", "detail"),
    [
        (Wish(var=["frob=1"]), "x", "no variable 'frob'"),
        (Wish(var=["language"]), "x", "name=value"),
        (Wish(var=["input=a"]), None, None),
    ],
)
def test_variables_are_all_given_and_all_known(
    node: Node, file: Path, wish: Wish, given: str | None, detail: str | None
) -> None:
    node.inference.prompts.add("translate", file)
    if detail is None:
        assert "Translate: a" in node.inference.prompts.render("translate", given, wish).text
        return
    with pytest.raises(Invalid, match=detail):
        node.inference.prompts.render("translate", given, wish)


def test_a_variable_that_is_missing_is_named(node: Node, tmp_path: Path) -> None:
    (tmp_path / "t").write_text("{{ first }} {{ second }}")
    node.inference.prompts.add("t", tmp_path / "t")
    with pytest.raises(Invalid, match="needs second") as raised:
        node.inference.prompts.render("t", None, Wish(var=["first=1"]))
    assert raised.value.suggestion == "--var second=VALUE"
    with pytest.raises(Invalid, match="no place for a text"):
        node.inference.prompts.render("t", "text", Wish(var=["first=1", "second=2"]))


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "empty"),
        ("---\nfoo: 1\n---\nx", "'foo'"),
        ("---\nx", "no end"),
        ("---\n[\n---\nx", "no YAML"),
        ("---\nsystem: 3\n---\nx", "must be a text"),
        ("---\nvariables: [a b]\n---\nx", "variables"),
        ("---\nvariables: [a]\n---\n{{ b }}", "uses b"),
        ("---\nexamples: [{input: a}]\n---\nx", "example 1"),
        ("a\n{% if %}", "line 2"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused(text: str, detail: str) -> None:
    with pytest.raises(Invalid, match=detail):
        parse(text)


def test_a_template_reaches_nothing_of_the_program() -> None:
    with pytest.raises(Invalid, match="cannot be filled in"):
        parse("{{ x.__class__.__mro__ }}").render({"x": "a"})
    with pytest.raises(LimitReached):
        parse("{% for i in range(9999) %}{{ 'a' * 9999 }}{% endfor %}").render({})


def cases(tmp_path: Path, *values: object) -> Path:
    (tmp_path / "cases.jsonl").write_text("\n".join(json.dumps(value) for value in values))
    return tmp_path / "cases.jsonl"


def test_a_set_passes_or_names_the_cases_that_fail(node: Node, tmp_path: Path) -> None:
    (tmp_path / "t").write_text('{"name": "{{ name }}"}')
    node.inference.prompts.add("t", tmp_path / "t")
    good = {"vars": {"name": "Ada"}, "expect": {"contains": ["Ada"], "equals": '{"name": "Ada"}', "regex": "A.a"}}
    schema = {
        "vars": {"name": "Bo"},
        "expect": {"schema": {"properties": {"name": {"type": "string", "minLength": 3}}}},
    }
    passed = node.inference.prompts.test("t", cases(tmp_path, good), Wish())
    assert (passed.passed, passed.model) == (1, None)
    with pytest.raises(NotGoodEnough, match="1 of 2 cases of t@1") as raised:
        node.inference.prompts.test("t", cases(tmp_path, good, schema), Wish())
    assert [one["pointer"] for one in raised.value.errors] == ["line 2"]
    assert "breaks the schema" in raised.value.errors[0]["detail"]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ({"vars": {}}, "must be a case"),
        ({"expect": {"startswith": "x"}}, "'startswith'"),
        ({"expect": {"regex": "("}}, "regular expression"),
        ({"expect": {"contains": 3}}, "contains"),
        ({"expect": {"schema": {"not": {}}}}, "'not'"),
    ],
)
def test_a_set_that_cannot_be_read_is_refused(node: Node, tmp_path: Path, value: object, detail: str) -> None:
    (tmp_path / "t").write_text("x")
    node.inference.prompts.add("t", tmp_path / "t")
    with pytest.raises(Invalid, match=detail):
        node.inference.prompts.test("t", cases(tmp_path, value), Wish())


def test_two_that_add_at_once_get_a_version_each_and_both_are_kept(
    node: Node, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = node.inference.prompts
    looked = prompts._tables.of

    def overtaken(name: str) -> list[Version]:
        found = looked(name)
        monkeypatch.undo()
        with using(from_input(b"the other text {{ input }}")):
            prompts.add("translate", Path("-"))
        return found

    monkeypatch.setattr(prompts._tables, "of", overtaken)
    prompts.add("translate", file)
    node.store.gc()
    assert prompts.show("translate@1").text == "the other text {{ input }}"
    assert prompts.show("translate@2").text == TRANSLATE.removesuffix("\n")


@pytest.mark.parametrize(
    "text",
    [
        "---\nvariables:\n  a: &a [x, x]\n  b: [*a, *a]\n---\n{{ a }}",
        "---\nvariables: {a: " + "9" * 5000 + "}\n---\n{{ a }}",
        "---\nvariables: " + "[" * 5000 + "\n---\n{{ a }}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    ],
)
def test_bombs_are_no_templates(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


def test_a_template_that_calls_itself_for_ever_is_refused() -> None:
    with pytest.raises(Invalid, match="cannot be filled in"):
        parse("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}").render({})


def test_lines_of_json_end_at_line_feeds_only(tmp_path: Path) -> None:
    (tmp_path / "set.jsonl").write_text('{"vars": {"input": "a\u2028b\u0085c"}, "expect": {"contains": "b"}}\r\n\n')
    (case,) = read_cases(tmp_path / "set.jsonl", Call())
    assert case.values == {"input": "a\u2028b\u0085c"}
    (tmp_path / "set.jsonl").write_text("9" * 5000)
    with pytest.raises(Invalid, match="line 1"):
        read_cases(tmp_path / "set.jsonl", Call())
