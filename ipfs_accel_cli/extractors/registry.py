"""The extractors that are known, which of them reads a file, and what becomes of a file that cannot be read."""

from __future__ import annotations

from importlib.util import find_spec

from ipfs_accel_cli.core.errors import AccelError, LimitReached, MalformedContent, UnsupportedContent
from ipfs_accel_cli.core.registry import Plugin, Registry, missing
from ipfs_accel_cli.extractors import apart, recognising, words
from ipfs_accel_cli.extractors.base import UNREADABLE, Content, Document, Extractor, Limits

_ROOM = "ipfs_accel_cli.extractors"
EXTRACTORS = Registry(
    "extractors",
    {
        "text": Plugin(f"{_ROOM}.text:TextExtractor"),
        "markdown": Plugin(f"{_ROOM}.markdown:MarkdownExtractor"),
        "model-card": Plugin(f"{_ROOM}.model_card:ModelCardExtractor"),
        "model-config": Plugin(f"{_ROOM}.model_config:ModelConfigExtractor"),
        "html": Plugin(f"{_ROOM}.html:HtmlExtractor"),
        "json": Plugin(f"{_ROOM}.json:JsonExtractor"),
        "jsonl": Plugin(f"{_ROOM}.jsonl:JsonlExtractor"),
        "notebook": Plugin(f"{_ROOM}.notebook:NotebookExtractor"),
        "csv": Plugin(f"{_ROOM}.csv:CsvExtractor"),
        "parquet": Plugin(f"{_ROOM}.parquet:ParquetExtractor"),
        "code": Plugin(f"{_ROOM}.code:CodeExtractor"),
        "pdf": Plugin(f"{_ROOM}.pdf:PdfExtractor", requires=("pypdf",), extra="search"),
        "docx": Plugin(f"{_ROOM}.docx:DocxExtractor", requires=("docx",), extra="search"),
        "safetensors": Plugin(f"{_ROOM}.safetensors:SafetensorsExtractor"),
        "gguf": Plugin(f"{_ROOM}.gguf:GgufExtractor"),
        "onnx": Plugin(f"{_ROOM}.onnx:OnnxExtractor"),
        "image": Plugin(f"{_ROOM}.image:ImageExtractor", requires=("PIL",)),
        "audio": Plugin(f"{_ROOM}.audio:AudioExtractor", requires=("soundfile",), extra="search"),
        "archive": Plugin(f"{_ROOM}.archive:ArchiveExtractor"),
        "binary": Plugin(f"{_ROOM}.binary:BinaryExtractor"),
    },
)
# Read in a process of its own whatever the size, with the libraries that are imported before that is forked.
APART: dict[str, tuple[str, ...]] = {
    "html": (),
    "archive": (),
    "pdf": ("pypdf",),
    "docx": ("docx",),
    "image": ("PIL.Image", "numpy"),
    "audio": ("soundfile",),
}
# A larger file is read apart by any extractor, so that its time and memory are bounded by the kernel.
NEAR_BYTES = 1 << 20
# What is text anyway is indexed as such when it breaks the rules of its kind.
_TEXTS = frozenset({"markdown", "model-card", "json", "jsonl", "notebook", "csv", "model-config", "code", "html"})

recognise = recognising.recognise


def version(name: str) -> int:
    """Return the version of an extractor; kept documents of another one are to be made anew."""
    extractor: Extractor = EXTRACTORS.load(name)()
    return extractor.version


def extract(content: Content, limits: Limits | None = None, *, name: str = "") -> Document:
    """Make a document of a file by the extractor `name`, else by the one that recognises it.

    A file that is broken, hostile or over a limit gives a document whose fact `unreadable` says why. Raises
    MissingExtra with the line that installs what is missing, and Unavailable when no process can be started to read it.
    """
    limits = limits or Limits()
    name = name or recognise(content)
    try:
        return _extract(name, content, limits).within(limits)
    except (MalformedContent, UnsupportedContent, LimitReached) as error:
        return _unreadable(name, content, limits, error).within(limits)


def _extract(name: str, content: Content, limits: Limits) -> Document:
    plugin = EXTRACTORS.plugin(name)
    for library in plugin.requires:
        if find_spec(library) is None:
            raise missing(name, plugin, ImportError(name=library))
    if name in APART or content.size_bytes > NEAR_BYTES:
        return apart.extract(plugin.reference, APART.get(name, ()), content, limits)
    extractor: Extractor = EXTRACTORS.load(name)()
    try:
        return extractor.extract(content, limits)
    except AccelError:
        raise
    except (RecursionError, MemoryError) as error:
        raise LimitReached(f"{content.name} is nested too deeply or takes too much memory") from error
    except Exception as error:
        raise MalformedContent(f"{content.name}: {type(error).__name__}: {error}") from error


def _unreadable(name: str, content: Content, limits: Limits, error: AccelError) -> Document:
    plain = "text" if name in _TEXTS else "binary"
    try:
        found = _extract(plain, content, limits)
    except (MalformedContent, UnsupportedContent, LimitReached):
        found = _extract("binary", content, limits)
    reason = words.line(error.detail, 500)
    return Document(name, found.title, found.text, {**found.facts, UNREADABLE: reason}, (), found.truncated)
