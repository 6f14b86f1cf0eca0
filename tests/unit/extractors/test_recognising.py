"""Which kind of file bytes are."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.extractors.contents import BytesContent
from ipfs_accel_cli.extractors.registry import recognise
from tests.conformance.extractor_samples import SAMPLES, sample

# What only its name tells apart from other text.
_BY_NAME = {"page.md", "README.md", "config.json", "ships.csv", "notes.ipynb"}
_NAMELESS = {name: kind for name, (kind, _) in SAMPLES.items() if name not in _BY_NAME}


def kind_of(data: bytes, name: str = "QmContent") -> str:
    return recognise(BytesContent(data, name))


@pytest.mark.parametrize("name", _NAMELESS)
def test_most_files_need_no_name(name: str) -> None:
    assert kind_of(sample(name)) == _NAMELESS[name]


@pytest.mark.parametrize("name", [name for name in SAMPLES if SAMPLES[name][0] in ("pdf", "image", "gguf", "archive")])
def test_a_name_that_lies_does_not_matter_where_the_bytes_have_a_mark(name: str) -> None:
    assert kind_of(sample(name), "letter.txt") == SAMPLES[name][0]


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"", "empty", "text"),
        (bytes(100), "zeros.txt", "binary"),
        (bytes(range(256)) * 4, "table.csv", "binary"),
        (b"#!/usr/bin/env python3\nprint(1)\n", "run", "code"),
        (b"#!/bin/sh\nls\n", "run", "code"),
        (b"FROM debian\n", "Dockerfile", "code"),
        (b"all:\n\tls\n", "Makefile", "code"),
        (b"[1] a footnote", "note", "text"),
        (b"[1, 2]", "numbers", "json"),
        (b"{not json", "brace", "text"),
        (b'{"a": 1}', "config.json", "json"),
        (b"# no metadata\n", "README.md", "markdown"),
        (b"---\nlicense: mit\n---\n", "docs/README.md", "model-card"),
        (b"<!-- x -->\n<!DOCTYPE html>", "index", "html"),
        (b"\xff\xfe<\0h\0", "wide", "text"),
        (b"PK\x03\x04" + bytes(40), "model.pt", "archive"),
        (b"\0\0\0 ftypisom", "film.mp4", "binary"),
        (b"\0\0\0 ftypavif", "picture.avif", "image"),
        (b"MThd nothing known", "song", "text"),
    ],
)
def test_odd_ones(data: bytes, name: str, kind: str) -> None:
    assert kind_of(data, name) == kind
