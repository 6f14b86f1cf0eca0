"""Reading files by whichever extractor knows them."""

from __future__ import annotations

import sys

import pytest

from ipfs_accel_cli.core.errors import Invalid, MissingExtra
from ipfs_accel_cli.extractors import registry
from ipfs_accel_cli.extractors.base import Limits
from ipfs_accel_cli.extractors.contents import BytesContent
from tests.conformance.extractor_samples import SAMPLES, sample

_BROKEN = {
    "ships.json": b'{"ships": "ferry',
    "config.json": b'{"model_type": "ferry", ',
    "notes.ipynb": b'{"metadata": "ferry"}',
    "ships.jsonl": b"{ferry\n",
}


@pytest.mark.parametrize("name", _BROKEN)
def test_broken_text_is_still_found_by_its_words(name: str) -> None:
    document = registry.extract(BytesContent(_BROKEN[name], name))
    assert document.kind == SAMPLES[name][0]
    assert "ferry" in document.text
    assert name in str(document.facts["unreadable"])


def test_a_broken_file_that_is_no_text_is_found_by_its_name() -> None:
    document = registry.extract(BytesContent(sample("timetable.pdf")[:30], "timetable.pdf"))
    assert (document.kind, document.title, document.text) == ("pdf", "timetable.pdf", "")
    assert document.facts["unreadable"]


def test_a_large_file_of_text_is_read_as_far_as_the_limits_let(tmp_path: object) -> None:
    document = registry.extract(BytesContent(b"ferry " * (1 << 20), "log.txt"), Limits(text_chars=1000))
    assert document.truncated
    assert document.text == "ferry " * 166 + "ferr"


@pytest.mark.parametrize(
    ("name", "library", "line"),
    [
        ("timetable.pdf", "pypdf", "pip install 'ipfs-accel[search]'"),
        ("timetable.docx", "docx", "pip install 'ipfs-accel[search]'"),
        ("horn.wav", "soundfile", "pip install 'ipfs-accel[search]'"),
    ],
)
def test_what_needs_a_library_names_the_line_that_installs_it(
    name: str, library: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = BytesContent(sample(name), name)
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.delitem(sys.modules, library, raising=False)
    monkeypatch.setattr(sys, "meta_path", [])
    with pytest.raises(MissingExtra) as caught:
        registry.extract(content, name=SAMPLES[name][0])
    assert caught.value.suggestion == line


def test_an_unknown_extractor_is_refused_with_the_names_of_the_others() -> None:
    with pytest.raises(Invalid, match="safetensors"):
        registry.extract(BytesContent(b"", "x"), name="telepathy")


def test_every_library_that_is_imported_early_is_one_that_is_needed() -> None:
    for name, libraries in registry.APART.items():
        needed = registry.EXTRACTORS.plugin(name).requires
        assert {library.partition(".")[0] for library in libraries} <= {*needed, "numpy"}
