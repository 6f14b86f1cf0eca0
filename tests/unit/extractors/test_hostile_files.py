"""Files made to harm: each costs its own document only."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from ipfs_accel_cli.extractors import registry
from ipfs_accel_cli.extractors.base import Document, Limits
from ipfs_accel_cli.extractors.contents import BytesContent
from tests.conformance.extractor_samples import docx, pdf, zipped

LIMITS = Limits(read_bytes=1 << 20, seconds=3.0, memory_bytes=256 << 20)


def read(data: bytes, name: str, limits: Limits = LIMITS) -> Document:
    return registry.extract(BytesContent(data, name), limits)


def test_a_gzip_bomb_is_not_expanded_to_its_end() -> None:
    bomb = gzip.compress(bytes(64 << 20), 9)
    assert "expands to more" in str(read(bomb, "bomb.gz").facts["unreadable"])


def test_a_zip_that_expands_beyond_reason_says_so() -> None:
    data = zipped({f"{number}.txt": bytes(20 << 20) for number in range(5)})
    document = read(data, "bomb.zip", Limits())
    assert document.facts["expands_beyond_reason"] is True
    assert document.facts["expands_to_bytes"] == 100 << 20


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../../b", "C:\\x", "a\\..\\..\\b"])
def test_a_member_that_would_leave_its_folder_is_named(name: str) -> None:
    document = read(zipped({"fine": b"x", name: b"x"}), "a.zip")
    assert document.facts["unsafe_members"] == (name,)


def test_a_checkpoint_with_a_pickle_says_so_and_nothing_of_it_runs(tmp_path: Path) -> None:
    loud = f"cos\nsystem\n(S'touch {tmp_path}/ran'\ntR.".encode()
    document = read(zipped({"model/data.pkl": loud, "model/data/0": b""}), "model.pt")
    assert document.facts["pickles"] == 1
    assert not list(tmp_path.iterdir())


def test_a_docx_with_an_xml_bomb_gives_no_gigabyte() -> None:
    laughs = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    xml = f'<!DOCTYPE x [<!ENTITY e0 "ha">{laughs}]><w:document xmlns:w="x"><w:body>&e9;</w:body></w:document>'
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx())) as sound, zipfile.ZipFile(out, "w") as bad:
        for name in sound.namelist():
            bad.writestr(name, xml if name == "word/document.xml" else sound.read(name))
    document = read(out.getvalue(), "bomb.docx", Limits(memory_bytes=256 << 20, seconds=5.0))
    assert "unreadable" in document.facts or len(document.text) < 1000


def test_a_docx_that_expands_beyond_the_limit_is_not_opened() -> None:
    data = zipped({"[Content_Types].xml": bytes(4 << 20), "word/document.xml": b"<x/>"})
    assert "expands to" in str(read(data, "big.docx").facts["unreadable"])


def test_slides_with_an_xml_bomb_give_no_gigabyte() -> None:
    laughs = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    xml = f'<!DOCTYPE x [<!ENTITY e0 "ha">{laughs}]><a><t>&e9;</t></a>'
    data = zipped({"ppt/presentation.xml": b"<a/>", "ppt/slides/slide1.xml": xml.encode()})
    document = read(data, "bomb.pptx")
    assert "unreadable" in document.facts or len(document.text) <= LIMITS.text_chars


def test_a_picture_of_a_terapixel_is_not_decoded() -> None:
    head = struct.pack(">IIBBBBB", 1_000_000, 1_000_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    data = b"IDAT" + zlib.compress(bytes(1000))
    png += struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    document = read(png, "huge.png")
    assert document.facts["width"] == 1_000_000
    assert "perceptual_hash" not in document.facts


def test_a_pdf_whose_pages_go_in_a_circle_ends() -> None:
    circle = pdf().replace(b"/Kids [5 0 R]", b"/Kids [2 0 R]")
    assert read(circle, "circle.pdf").kind == "pdf"


def test_a_locked_pdf_says_so() -> None:
    import pypdf

    writer = pypdf.PdfWriter(io.BytesIO(pdf()))
    writer.encrypt("secret", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    assert "locked with a password" in str(read(out.getvalue(), "locked.pdf").facts["unreadable"])


def test_a_pdf_locked_for_changes_only_is_read() -> None:
    import pypdf

    writer = pypdf.PdfWriter(io.BytesIO(pdf()))
    writer.encrypt("", "owner", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    assert "strait" in read(out.getvalue(), "open.pdf").text


@pytest.mark.parametrize(
    "front",
    [
        "a: &a [x]\n" + "".join(f"{k}: &{k} [{', '.join([f'*{p}'] * 9)}]\n" for p, k in pairwise("abcdefghi")),
        "a: &a {x: y}\n"
        + "".join(f"{k}: &{k} {{<<: [{', '.join([f'*{p}'] * 9)}]}}\n" for p, k in pairwise("abcdefghi")),
        "a: !!python/object/apply:os.system ['true']\n",
        "a: &a [*a]\n",
        "license: " + "x" * 500_000 + "\n",
    ],
    ids=["aliases", "merge keys", "an object of Python", "itself", "a long value"],
)
def test_front_matter_that_makes_much_of_little(front: str) -> None:
    document = read(f"---\n{front}---\n# Ferry\n".encode(), "README.md")
    assert document.kind == "model-card"
    assert len(str(document.facts)) < 5000


def test_a_number_of_a_million_digits_costs_no_minute() -> None:
    assert read(b'{"n": ' + b"9" * 1_000_000 + b"}", "n.json").kind == "json"


def test_a_line_without_end_is_no_record() -> None:
    document = read(b'{"a": 1}\n"' + b"x" * (9 << 20), "a.jsonl", Limits(seconds=5.0))
    assert "unreadable" in document.facts or document.truncated
