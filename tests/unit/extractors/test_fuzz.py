"""Our own readers, given anything: each makes a document or refuses with its own error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import LimitReached, MalformedContent, UnsupportedContent
from ipfs_accel_cli.extractors.base import Extractor, Limits
from ipfs_accel_cli.extractors.contents import BytesContent
from ipfs_accel_cli.extractors.registry import APART, EXTRACTORS, recognise
from tests.conformance.extractor_samples import SAMPLES, sample
from tests.conformance.extractor_suite import check

OURS = sorted({kind for kind, _ in SAMPLES.values()} - (set(APART) - {"html", "archive"}))
LIMITS = Limits(text_chars=10_000, items=50, seconds=10.0)
MARKS = st.sampled_from(
    ["---\n", "- ", "a: ", "[", "]", "{", "}", '"', "'", "# ", "```\n", "](", "<!--", "-->", "<b", "</", ">", "&#", ";"]
) | st.sampled_from(
    [",", "\t", "\n", "/*", "*/", '"""', "//", "&a", "*a", "!!", "? ", "|\n", "1", "é", "\0", "\ud7ff", "\u2028"]
)


@pytest.mark.parametrize("name", OURS)
@settings(max_examples=60, deadline=None)
@given(data=st.one_of(st.binary(max_size=300), st.lists(MARKS, max_size=80).map(lambda marks: "".join(marks).encode())))
def test_anything(name: str, data: bytes) -> None:
    attempt(name, data)


@pytest.mark.parametrize("file", [file for file in SAMPLES if SAMPLES[file][0] in OURS])
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_changed_sample(file: str, data: st.DataObject) -> None:
    found = bytearray(sample(file))
    start = data.draw(st.integers(0, min(len(found), 3000)))
    found[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    attempt(SAMPLES[file][0], bytes(found))


def attempt(name: str, data: bytes) -> None:
    extractor: Extractor = EXTRACTORS.load(name)()
    content = BytesContent(data, "file")
    recognise(content)
    try:
        document = extractor.extract(content, LIMITS)
    except (MalformedContent, UnsupportedContent, LimitReached):
        return
    check(document.within(LIMITS), data)
