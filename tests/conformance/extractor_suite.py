"""What every extractor promises, whatever bytes it is given."""

from __future__ import annotations

import json
import random

import pytest

from ipfs_accel_cli.extractors import registry
from ipfs_accel_cli.extractors.base import UNREADABLE, Document, Extractor, Limits
from ipfs_accel_cli.extractors.contents import BytesContent

# Small enough that what takes too much is ended soon.
TIGHT = Limits(read_bytes=4 << 20, text_chars=100_000, seconds=5.0, items=1000, memory_bytes=512 << 20)
NESTED = {
    "brackets": b"[" * 200_000,
    "braces": b'{"a":' * 100_000,
    "tags": b"<!doctype html>" + b"<div><b>" * 100_000,
    "quotes": b"> " * 100_000,
    "front matter": b"---\na: " + b"[" * 50_000 + b"\n---\n# x",
    "front matter of dashes": b"---\n" + b"- " * 50_000 + b"\n---\n# x",
    "front matter by indent": b"---\n" + b"".join(b" " * n + b"a:\n" for n in range(700)) + b"---\n# x",
    "links": b"[a](" * 50_000 + b"![" * 50_000,
    "comments": b"/* " * 50_000 + b"<!--" * 50_000 + b'"""' * 50_000,
}


class ExtractorSuite:
    """Derive from this and give the fixtures `extractor`, its registered name, and `named`, a file that it reads."""

    @pytest.fixture
    def extractor(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def named(self) -> tuple[str, bytes]:
        raise NotImplementedError

    def test_it_is_registered_under_its_own_name_and_has_a_version(self, extractor: str) -> None:
        made: Extractor = registry.EXTRACTORS.load(extractor)()
        assert made.name == extractor
        assert made.version == registry.version(extractor) > 0

    def test_the_file_is_recognised(self, extractor: str, named: tuple[str, bytes]) -> None:
        name, data = named
        assert registry.recognise(BytesContent(data, name)) == extractor

    def test_it_makes_a_document_in_order(self, extractor: str, named: tuple[str, bytes]) -> None:
        document = read(extractor, *named)
        assert UNREADABLE not in document.facts
        check(document, named[1])

    def test_the_same_bytes_give_the_same_document(self, extractor: str, named: tuple[str, bytes]) -> None:
        assert read(extractor, *named) == read(extractor, *named)

    def test_it_gives_no_more_text_and_items_than_the_limits_let_through(
        self, extractor: str, named: tuple[str, bytes]
    ) -> None:
        document = read(extractor, *named, limits=Limits(text_chars=5, items=1))
        assert len(document.text) <= 5
        assert document.truncated or not document.text or len(document.text) < 5 or UNREADABLE in document.facts
        assert len(document.links) <= 1
        assert all(len(fact) <= 1 for fact in document.facts.values() if isinstance(fact, tuple))

    def test_a_file_that_ends_early_gives_a_document(self, extractor: str, named: tuple[str, bytes]) -> None:
        name, data = named
        for size in sorted({0, 1, 9, len(data) // 4, len(data) // 2, len(data) - 9, len(data) - 1}):
            if size >= 0:
                check(read(extractor, name, data[:size]), data[:size])

    def test_garbage_gives_a_document(self, extractor: str, named: tuple[str, bytes]) -> None:
        name, data = named
        chance = random.Random(9)
        head = data[: min(64, len(data) // 2)]
        for garbage in (
            chance.randbytes(5000),
            head + chance.randbytes(5000),
            head + bytes(5000),
            head + b"\xff" * 5000,
        ):
            check(read(extractor, name, garbage), garbage)

    def test_flipped_bytes_give_a_document(self, extractor: str, named: tuple[str, bytes]) -> None:
        name, data = named
        chance = random.Random(7)
        for _ in range(12):
            damaged = bytearray(data)
            for _ in range(3):
                damaged[chance.randrange(min(len(data), 4096))] = chance.randrange(256)
            check(read(extractor, name, bytes(damaged)), bytes(damaged))

    def test_all_bits_set_in_any_number_gives_a_document(self, extractor: str, named: tuple[str, bytes]) -> None:
        name, data = named
        places = random.Random(5).sample(range(min(len(data), 600)), min(len(data), 24))
        for place in places:
            huge = data[:place] + b"\xff\xff\xff\x7f" + data[place + 4 :]
            check(read(extractor, name, huge), huge)

    @pytest.mark.parametrize("nesting", NESTED)
    def test_deep_nesting_gives_a_document(self, extractor: str, named: tuple[str, bytes], nesting: str) -> None:
        check(read(extractor, named[0], NESTED[nesting]), NESTED[nesting])


def read(extractor: str, name: str, data: bytes, limits: Limits = TIGHT) -> Document:
    return registry.extract(BytesContent(data, name), limits, name=extractor)


def check(document: Document, data: bytes) -> None:
    """Assert what holds of every document."""
    assert document.kind
    assert document.title.strip()
    assert "\n" not in document.title
    assert len(document.title) <= 255
    assert document.facts["size_bytes"] == len(data)
    assert "/" in str(document.facts["media_type"])
    assert not {"\0", "\r", "\x1b", "\ufeff"} & set(document.text)
    for key, fact in document.facts.items():
        assert key.isidentifier()
        assert isinstance(fact, str | int | float | bool | tuple)
        assert not isinstance(fact, tuple) or all(isinstance(one, str) for one in fact)
    reason = str(document.facts.get(UNREADABLE, ""))
    assert "\n" not in reason
    told = {"text": document.text, "facts": dict(document.facts), "links": document.links, "title": document.title}
    json.dumps(told, allow_nan=False, ensure_ascii=False).encode()
