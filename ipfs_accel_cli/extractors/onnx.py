"""An ONNX model: its operators, inputs, outputs and weights, without running or loading it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ipfs_accel_cli.extractors import tensors, words
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits
from ipfs_accel_cli.extractors.contents import ContentReader
from ipfs_accel_cli.formats import onnx
from ipfs_accel_cli.formats.reading import Cursor

_TEXT_BYTES = 1 << 16
# onnx.proto: the fields of ModelProto and of GraphProto that are read, and what they are called here.
_MODEL = {2: "producer", 3: "producer_version", 4: "domain", 6: "description"}
_GRAPH, _OPSET, _PROPERTY = 7, 8, 14
_OF_GRAPH = {2: "graph", 10: "about"}
_NODE, _INPUT, _OUTPUT = 1, 11, 12
_OP_TYPE = 4
_STEP = 4096


@dataclass(slots=True)
class _Model:
    """What is collected of a model."""

    said: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    opset: int = 0
    operators: Counter[str] = field(default_factory=Counter)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


class OnnxExtractor:
    """A network in ONNX."""

    name = "onnx"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a model; raises MalformedContent and LimitReached."""
        with content.open() as file:
            reader = ContentReader(content, file)
            header = onnx.header(reader)
            model = _read(Cursor(reader), content, limits)
        given = {one.name for one in header.tensors}
        facts: dict[str, Fact] = {"media_type": "application/vnd.onnx", "size_bytes": content.size_bytes}
        facts |= tensors.facts(header.tensors)
        facts |= {key: words.line(model.said[key]) for key in ("producer", "producer_version") if model.said.get(key)}
        facts |= {
            "opset": model.opset,
            "operators": tuple(sorted(model.operators)),
            "nodes": model.operators.total(),
            "inputs": tuple(name for name in model.inputs if name not in given),
            "outputs": tuple(model.outputs),
        }
        lines = [words.clean(value) for value in model.said.values() if value]
        lines += [f"{key}: {words.clean(value)}" for key, value in model.properties.items()]
        lines += [f"{name} x {count}" for name, count in model.operators.most_common()]
        text = "\n".join([*lines, *model.inputs, *model.outputs, tensors.names(header.tensors, limits)])
        title = words.line(model.properties.get("name") or content.name)
        return Document("onnx", title, text, facts)


def _read(cursor: Cursor, content: Content, limits: Limits) -> _Model:
    model, deadline = _Model(), Deadline(limits)
    for number, wire, length in onnx.fields(cursor, content.size_bytes, content.name):
        if wire != 2:
            cursor.skip(length if wire else 0)
            continue
        end = cursor.position + length
        if number in _MODEL:
            model.said[_MODEL[number]] = _text(cursor, length)
        elif number == _OPSET:
            _read_opset(cursor, end, content.name, model)
        elif number == _PROPERTY and len(model.properties) < limits.items:
            pair = {key: _text(cursor, size) for key, size in _inner(cursor, end, content.name)}
            model.properties[words.line(pair.get(1, ""))] = pair.get(2, "")
        elif number == _GRAPH:
            _read_graph(cursor, end, content.name, model, limits, deadline)
        cursor.skip(end - cursor.position)
    return model


def _read_opset(cursor: Cursor, end: int, name: str, model: _Model) -> None:
    domain, version = "", 0
    for key, wire, number in onnx.fields(cursor, end, name):
        if wire == 2 and key == 1:
            domain = _text(cursor, number)
        elif wire == 0:
            version = number if key == 2 else version
        else:
            cursor.skip(number)
    if domain in ("", "ai.onnx"):
        model.opset = version


def _read_graph(cursor: Cursor, end: int, name: str, model: _Model, limits: Limits, deadline: Deadline) -> None:
    for count, (number, wire, length) in enumerate(onnx.fields(cursor, end, name)):
        if count % _STEP == 0:
            deadline.check()
        if wire != 2:
            cursor.skip(length if wire else 0)
            continue
        after = cursor.position + length
        if number in _OF_GRAPH:
            model.said[_OF_GRAPH[number]] = _text(cursor, length)
        elif number in (_NODE, _INPUT, _OUTPUT):
            wanted = _OP_TYPE if number == _NODE else 1
            said = next((_text(cursor, size) for key, size in _inner(cursor, after, name) if key == wanted), "")
            if number == _NODE and len(model.operators) < limits.items:
                model.operators[words.line(said)] += 1
            into = model.inputs if number == _INPUT else model.outputs
            if number != _NODE and len(into) < limits.items:
                into.append(words.line(said))
        cursor.skip(after - cursor.position)


def _inner(cursor: Cursor, end: int, name: str) -> Iterator[tuple[int, int]]:
    """Yield (field, length) of the texts and messages of a message; who does not read one is moved past it."""
    for key, wire, length in onnx.fields(cursor, end, name):
        if wire == 2:
            after = cursor.position + length
            yield key, length
            cursor.skip(after - cursor.position)
        elif wire:
            cursor.skip(length)


def _text(cursor: Cursor, length: int) -> str:
    """Take a text, of which only the beginning is kept when it is long."""
    kept = cursor.take(min(length, _TEXT_BYTES)).decode("utf-8", "replace")
    cursor.skip(max(0, length - _TEXT_BYTES))
    return kept
