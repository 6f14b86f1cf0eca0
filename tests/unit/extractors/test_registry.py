"""Reading files by whichever extractor knows them."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ipfs_accel_cli.core.errors import Invalid, MissingExtra
from ipfs_accel_cli.extractors import base, registry
from ipfs_accel_cli.extractors.base import Limits
from ipfs_accel_cli.extractors.contents import BytesContent
from ipfs_accel_cli.extractors.pdf import PdfExtractor
from tests.conformance.extractor_samples import SAMPLES, pdf, sample

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


@pytest.mark.parametrize(
    ("name", "title"), [("a\n\x1b[31mb.txt", "a [31mb.txt"), ("", "text"), ("x" * 300, "x" * 199 + "…")]
)
def test_a_title_is_one_short_line_whatever_the_file_is_called(name: str, title: str) -> None:
    assert registry.extract(BytesContent(b"a ferry", name)).title == title


def test_a_large_file_of_text_is_read_as_far_as_the_limits_let() -> None:
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
        assert {library.partition(".")[0] for library in libraries} <= {*needed, "numpy", "xml"}


def test_an_extractor_of_another_package_claims_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information = tmp_path / "ship_logs-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: ship-logs\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[ipfs_accel.extractors]\nshiplog = ship_logs:ShipLog\n")
    (tmp_path / "ship_logs.py").write_text(
        "from ipfs_accel_cli.extractors.base import Document\n"
        "class ShipLog:\n"
        "    name, version = 'shiplog', 3\n"
        "    def claims(self, head, name):\n"
        "        return head.startswith(b'LOG1')\n"
        "    def extract(self, content, limits):\n"
        "        return Document('shiplog', 'A log', 'fog', {'media_type': 'x/log', 'size_bytes': 8})\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry._foreign.cache_clear()
    try:
        content = BytesContent(b"LOG1 fog", "log.txt")
        assert registry.recognise(content) == "shiplog"
        assert registry.version("shiplog") == 3
        assert registry.extract(content).title == "A log"
        assert registry.recognise(BytesContent(b"fog", "log.txt")) == "text"
    finally:
        registry._foreign.cache_clear()


@pytest.mark.parametrize(("name", "fact"), [("a.csv", "rows"), ("a.jsonl", "records"), ("a.txt", "lines")])
def test_what_was_not_read_to_its_end_is_not_counted(name: str, fact: str) -> None:
    data = {"a.csv": b"n,m\n" + b"1,2\n" * 50, "a.jsonl": b'{"a": 1}\n' * 50, "a.txt": b"fog\n" * 50}[name]
    content = BytesContent(data, name)
    assert registry.extract(content).facts[fact] == 50
    assert fact not in registry.extract(content, Limits(text_chars=20, read_bytes=40)).facts


def test_of_a_pdf_that_takes_too_long_the_first_pages_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(monotonic=itertools.count(step=0.01).__next__)
    monkeypatch.setattr(base, "time", clock)
    document = PdfExtractor().extract(BytesContent(pdf(pages=200), "long.pdf"), Limits(seconds=0.4))
    assert document.facts["pages"] == 200
    assert document.truncated
    assert document.text.startswith("Ferries cross the strait\n\nFerries")
