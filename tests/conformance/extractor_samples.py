"""A small real file of each kind that an extractor reads, made by the usual library where there is one."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

PARQUET = Path(__file__).parent.parent / "vectors" / "parquet"

CARD = """---
license: apache-2.0
language: [en, de]
pipeline_tag: text-classification
library_name: transformers
base_model: example/base
tags:
  - moderation
  - bert
model-index:
  - name: ferry
    results:
      - task: {type: text-classification}
        dataset: {name: imdb}
        metrics:
          - {type: accuracy, value: 0.91}
---
# Ferry

Reads **harbour** letters. See [the paper](https://example.org/paper).

```python
# not a heading
```

## Limits
Knows no rivers.
"""
CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "vocab_size": 1000,
    "max_position_embeddings": 512,
    "id2label": {"0": "calm", "1": "storm"},
    "torch_dtype": "float32",
}
HTML = """<!DOCTYPE html><html lang="en"><head><title>Harbour &amp; sea</title><style>p {color: red}</style>
<meta name="description" content="Boats"></head><body><h1>Ferries</h1><p>They <b>cross</b> the strait.
<a href="/timetable">Timetable</a><script>alert("hidden")</script></body></html>"""
PYTHON = '''#!/usr/bin/env python3
"""Counts ferries."""

class Harbour:
    async def moor(self, ship):  # a comment
        return ship

def count(ships):
    return len(ships)
'''


def pdf(text: str = "Ferries cross the strait", title: str = "Timetable", pages: int = 1) -> bytes:
    """A PDF written by hand, so that every byte of it is known."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    kids = " ".join(f"{5 + number} 0 R" for number in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        *[
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>"
        ]
        * pages,
        f"<< /Title ({title}) /Author (M. Ferryman) /CreationDate (D:20240131120000Z) >>".encode(),
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def docx() -> bytes:
    import docx as library

    document = library.Document()
    document.core_properties.title, document.core_properties.author = "Timetable", "M. Ferryman"
    document.add_heading("Summer", 1)
    document.add_paragraph("Ferries cross the strait.")
    row = document.add_table(1, 2).rows[0].cells
    row[0].text, row[1].text = "Oslo", "09:15"
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def safetensors(metadata: dict[str, str] | None = None) -> bytes:
    entries = {
        "__metadata__": metadata or {"format": "pt", "modelspec.title": "Ferry"},
        "layers.0.weight": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]},
        "layers.1.weight": {"dtype": "F16", "shape": [2, 3], "data_offsets": [12, 24]},
    }
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + bytes(24)


def gguf() -> bytes:
    from tests.servers import tiny_gguf

    with tempfile.TemporaryDirectory() as folder:
        return tiny_gguf.write(Path(folder) / "tiny.gguf").read_bytes()


def onnx() -> bytes:
    import onnx as library
    from onnx import TensorProto, helper

    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in ("letter", "verdict")]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [2, 2], bytes(16), raw=True)
    nodes = [helper.make_node("MatMul", ["letter", "w"], ["x"]), helper.make_node("Relu", ["x"], ["verdict"])]
    graph = helper.make_graph(nodes, "ferry", value[:1], value[1:], [weight])
    model = helper.make_model(graph, producer_name="shipyard", opset_imports=[helper.make_opsetid("", 18)])
    library.helper.set_model_props(model, {"licence": "mit"})
    return model.SerializeToString()


def picture(kind: str = "JPEG", size: tuple[int, int] = (96, 64)) -> bytes:
    from PIL import Image

    wide, high = size
    drawn = Image.new("RGB", size)
    drawn.putdata([(x * 255 // wide, y * 255 // high, (x * y) % 256) for y in range(high) for x in range(wide)])
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E], exif[0x0110] = "A ferry at dusk", "Box Camera 3"
    exif.get_ifd(0x8769)[0x9003] = "2024:01:31 18:30:00"
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 30.0, 0.0), 3: "E", 4: (151.0, 15.0, 0.0)})
    drawn.save(out, kind, exif=exif)
    return out.getvalue()


def sound(kind: str = "FLAC") -> bytes:
    import numpy
    import soundfile

    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", 8000, 1, format=kind) as file:
        file.title, file.artist = "Fog horn", "The Harbour"
        file.write(numpy.zeros(4000, numpy.float32))
    return out.getvalue()


def zipped(members: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (members or {"ships/ferry.txt": b"a ferry", "../escape": b"x"}).items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        info = tarfile.TarInfo("ships/ferry.txt")
        info.size = 7
        archive.addfile(info, io.BytesIO(b"a ferry"))
        link = tarfile.TarInfo("ships/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    return out.getvalue()


# Name of the file to its bytes and the extractor that must be found for it.
SAMPLES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "letter.txt": ("text", lambda: "Ferries cross the strait.\nÅ, 海峡\n".encode()),
    "latin.txt": ("text", lambda: "Straße über die Brücke".encode("cp1252")),
    "wide.txt": ("text", lambda: "Straße".encode("utf-16")),
    "page.md": ("markdown", lambda: b"# Ferries\n\n[Timetable](https://example.org/t)\n"),
    "README.md": ("model-card", CARD.encode),
    "config.json": ("model-config", json.dumps(CONFIG).encode),
    "page.html": ("html", HTML.encode),
    "ships.json": ("json", lambda: b'{"ships": [{"name": "Oslo", "berths": 3}], "open": true}'),
    "ships.jsonl": ("jsonl", lambda: b'{"name": "Oslo", "berths": 3}\n{"name": "Kiel", "berths": 4}\n'),
    "ships.csv": ("csv", lambda: b"name;berths;length\nOslo;3;90.5\nKiel;4;101\n"),
    "notes.ipynb": (
        "notebook",
        lambda: json.dumps({"nbformat": 4, "cells": [{"cell_type": "markdown", "source": ["# Ferries"]}]}).encode(),
    ),
    "pyarrow.parquet": ("parquet", (PARQUET / "pyarrow.parquet").read_bytes),
    "duckdb.parquet": ("parquet", (PARQUET / "duckdb.parquet").read_bytes),
    "count.py": ("code", PYTHON.encode),
    "timetable.pdf": ("pdf", pdf),
    "timetable.docx": ("docx", docx),
    "model.safetensors": ("safetensors", safetensors),
    "tiny.gguf": ("gguf", gguf),
    "model.onnx": ("onnx", onnx),
    "dusk.jpg": ("image", picture),
    "dusk.png": ("image", lambda: picture("PNG")),
    "horn.flac": ("audio", sound),
    "horn.wav": ("audio", lambda: sound("WAV")),
    "horn.mp3": ("audio", lambda: sound("MP3")),
    "ships.zip": ("archive", zipped),
    "ships.tar.gz": ("archive", tarred),
    "ships.tar": ("archive", lambda: tarred("w")),
    "letter.txt.gz": ("archive", lambda: gzip.compress(b"a ferry", mtime=0)),
    "weights.pkl": ("binary", lambda: b"\x80\x04\x95\x0a\0\0\0\0\0\0\0\x8c\x06ferry\x94."),
}


@cache
def sample(name: str) -> bytes:
    """The bytes of a sample, made once."""
    return SAMPLES[name][1]()
