"""Which kind of file bytes are: by their own marks first, by their name second, by how they look last."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from ipfs_accel_cli.extractors import languages, words
from ipfs_accel_cli.extractors.base import Content

HEAD_BYTES = 4096

# (offset, mark, kind). Formats that no mark can be mistaken for; the others are looked at below.
_MARKS = (
    (0, b"GGUF", "gguf"),
    (0, b"PAR1", "parquet"),
    (0, b"\x89PNG\r\n\x1a\n", "image"),
    (0, b"\xff\xd8\xff", "image"),
    (0, b"GIF87a", "image"),
    (0, b"GIF89a", "image"),
    (0, b"II*\0", "image"),
    (0, b"MM\0*", "image"),
    (8, b"WEBP", "image"),
    (8, b"WAVE", "audio"),
    (0, b"fLaC", "audio"),
    (0, b"OggS", "audio"),
    (0, b"ID3", "audio"),
    (0, b"\x1f\x8b", "archive"),
    (0, b"BZh", "archive"),
    (0, b"\xfd7zXZ\0", "archive"),
    (257, b"ustar", "archive"),
    (0, b"PK\x05\x06", "archive"),
)
_PICTURE_BRANDS = (b"avif", b"avis")
_ENDINGS = {
    **{".md": "markdown", ".markdown": "markdown", ".mdown": "markdown"},
    **{".html": "html", ".htm": "html", ".xhtml": "html"},
    **{
        ".json": "json",
        ".ipynb": "notebook",
        ".geojson": "json",
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".csv": "csv",
        ".tsv": "csv",
    },
    **{".txt": "text", ".log": "text", ".rst": "text"},
}
_CONFIGURATIONS = ("config.json", "adapter_config.json", "model_index.json")
_CONFIGURES = re.compile(r'"(model_type|architectures|peft_type|_class_name)"')
_CARDS = ("readme.md", "model_card.md", "modelcard.md")
_FRONT = re.compile(r"\s*---[ \t]*\n")
_HTML = re.compile(r"\s*(<\?xml[^>]*>\s*)?(<!--.{0,512}?-->\s*)?<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)
_JSON = re.compile(r'\s*(\{\s*("|\}\s*$)|\[\s*([\[{"\]]|-?\d+\s*[,\]]))')
_RECORDS = re.compile(r'\{"[^\n]*\}\n\{"')


def recognise(content: Content) -> str:
    """Return the name of the extractor for a file; "binary" where nothing but its size can be told."""
    head = content.head(HEAD_BYTES)
    return _by_marks(head, content) or _by_text(head, content.name)


def _by_marks(head: bytes, content: Content) -> str:
    for offset, mark, kind in _MARKS:
        if head.startswith(mark, offset):
            return kind
    if head.startswith(b"BM") and head[6:10] == bytes(4):
        return "image"
    if head[4:8] == b"ftyp":
        return "image" if head[8:12] in _PICTURE_BRANDS else "binary"
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[2:3] < b"\xf0":
        return "audio"  # A frame of MPEG audio, layer 3.
    if head.startswith(b"PK\x03\x04"):
        return "docx" if _is_docx(head, content.name) else "archive"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    # A length, then JSON; the length is far below 2**40.
    if len(head) > 9 and head[5:8] == b"\0\0\0" and head[8:9] == b"{" and content.size_bytes > 8:
        return "safetensors"
    return "onnx" if _is_onnx(head, content.name) else ""


def _is_docx(head: bytes, name: str) -> bool:
    return name.lower().endswith((".docx", ".docm")) or (b"[Content_Types].xml" in head and b"word/" in head)


def _is_onnx(head: bytes, name: str) -> bool:
    """Say whether bytes begin as a ModelProto does: ir_version, then one of the fields that follow."""
    if name.lower().endswith(".onnx"):
        return True
    return len(head) > 8 and head[0] == 8 and 3 <= head[1] <= 32 and head[2] == 0x12 and b"\0" in head


def _by_text(head: bytes, name: str) -> str:
    encoding = words.encoding_of(head)
    if encoding is None:
        return "binary"
    text = head.decode(encoding, "replace").replace("\r\n", "\n")
    path = PurePosixPath(name.lower())
    if path.name in _CONFIGURATIONS and _CONFIGURES.search(text):
        return "model-config"
    if path.name in _CARDS and _FRONT.match(text):
        return "model-card"
    if kind := _ENDINGS.get(path.suffix):
        return kind
    if languages.of(path.name, text):
        return "code"
    if _HTML.match(text):
        return "html"
    if _RECORDS.match(text):
        return "jsonl"
    return "json" if _JSON.match(text) else "text"
