"""Pipelines as files: their form, the references in them, and bombs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.infer.pipeline.spec import Reference, filled, parse, references, whole

NAMES = st.builds(str.__add__, st.sampled_from("az"), st.text("az09_-", max_size=8))
PARTS = st.just("*") | st.text("aZ09_-", min_size=1, max_size=8)
REFERENCES = st.builds(Reference, NAMES, st.lists(PARTS, max_size=4).map(tuple))
STEP = '[steps.a]\nrun = "generate"\n'


@given(REFERENCES)
def test_a_reference_that_is_written_is_read_as_the_same(reference: Reference) -> None:
    assert whole(str(reference)) == reference
    inside = f"before ${{{str(reference)[1:]}}} after"
    assert list(references(inside)) == [reference]
    assert whole(inside) is None
    assert filled(inside, {str(reference)[1:]: "x"}) == "before x after"


@given(st.lists(REFERENCES, max_size=4))
def test_references_are_found_in_lists_and_tables(found: list[Reference]) -> None:
    value = [{"join": [str(one) for one in found]}, "no reference", 7, True]
    assert list(references(value)) == found


@given(st.text())
def test_no_text_makes_the_search_for_references_fail(text: str) -> None:
    list(references(text))


def test_steps_come_after_what_they_need() -> None:
    spec = parse('[steps.b]\nrun = "generate"\nprompt = "$a.text"\n' + STEP + 'prompt = "x"\n')
    assert [step.name for step in spec.steps] == ["a", "b"]
    assert spec.name == "pipeline"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps = 1", "a pipeline has tables"),
        ("", "a pipeline has tables"),
        ("not toml", "is not TOML"),
        ("x = " + "9" * 5000, "is not TOML"),
        ("x = " + "[" * 100_000, "is not TOML"),
        (STEP + "deep." + "x." * 2000 + "y = 1\n", "deep"),
        (STEP + "[other]\n", "not other"),
        ('[steps.a]\nprompt = "x"\n', "needs run"),
        ('[steps.inputs]\nrun = "embed"\n', "no name of a step"),
        ('[steps.A]\nrun = "embed"\n', "no name of a step"),
        ('[inputs]\nx = "picture"\n' + STEP, "one of the types"),
        (STEP + 'prompt = "$b.text"\n', "no such step"),
        (STEP + 'prompt = "$a.text"\n', "wait for each other: a -> a"),
        (STEP + '[outputs]\n"../../escaped" = "$a.text"\n', "no name of an output"),
    ],
)
def test_what_is_no_pipeline_is_said(text: str, said: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(text)
    assert said in raised.value.detail
