"""What is found in each kind of file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ipfs_accel_cli.extractors import registry
from ipfs_accel_cli.extractors.base import Document
from ipfs_accel_cli.extractors.contents import BytesContent
from tests.conformance.extractor_samples import SAMPLES, picture, safetensors, sample

_EXPECTED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "letter.txt": ("letter.txt", "海峡", {"lines": 2, "encoding": "utf-8"}),
    "latin.txt": ("latin.txt", "Straße über die Brücke", {"encoding": "cp1252"}),
    "page.md": ("Ferries", "Timetable", {"headings": ("Ferries",)}),
    "README.md": (
        "Ferry",
        "Reads harbour letters. See the paper.",
        {
            "licence": "apache-2.0",
            "task": "text-classification",
            "library": "transformers",
            "tags": ("moderation", "bert"),
            "language": ("en", "de"),
            "base_models": ("example/base",),
            "headings": ("Ferry", "Limits"),
            "evaluations": ("text-classification, imdb: accuracy 0.91",),
        },
    ),
    "config.json": (
        "BertForSequenceClassification",
        "hidden_size: 32",
        {"model_type": "bert", "layers": 2, "context_tokens": 512, "labels": ("calm", "storm"), "dtype": "float32"},
    ),
    "page.html": ("Harbour & sea", "They cross the strait.", {"language": "en", "description": "Boats"}),
    "ships.json": ("ships.json", "ships[].name: Oslo", {"paths": ("ships[].name", "ships[].berths", "open")}),
    "ships.jsonl": ("ships.jsonl", "name: Kiel", {"records": 2, "columns": ("name", "berths")}),
    "ships.csv": (
        "ships.csv",
        "Kiel",
        {"rows": 2, "columns": ("name", "berths", "length"), "column_types": ("text", "integer", "number")},
    ),
    "notes.ipynb": ("Ferries", "# Ferries", {"cells": 1}),
    "pyarrow.parquet": (
        "pyarrow.parquet",
        "note: two pets",
        {
            "rows": 2,
            "columns": ("label", "image.bytes", "image.path", "tags.list.element", "taken", "price", "half"),
            "column_types": ("int8", "binary", "string", "string", "timestamp", "decimal", "float16"),
            "compression": ("zstd",),
            "features": ("label: ClassLabel", "image: Image"),
        },
    ),
    "duckdb.parquet": (
        "duckdb.parquet",
        "weight: double",
        {"rows": 3, "column_types": ("int32", "string", "boolean", "double", "date"), "compression": ("snappy",)},
    ),
    "count.py": (
        "count.py",
        "return ship",
        {"programming_language": "python", "definitions": ("Harbour", "moor", "count"), "summary": "Counts ferries."},
    ),
    "timetable.pdf": ("Timetable", "Ferries cross", {"pages": 1, "author": "M. Ferryman", "created": "2024-01-31"}),
    "timetable.docx": ("Timetable", "Oslo\t09:15", {"headings": ("Summer",), "tables": 1, "author": "M. Ferryman"}),
    "plan.pptx": ("Harbour plan", "Ferries & tides\nAnd back", {"slides": 2, "created": "2024-01-31"}),
    "berths.ods": ("berths.ods", "ferry nine am", {"sheets": ("Summer",)}),
    "model.safetensors": (
        "Ferry",
        "layers.*.weight [2, 3] float16",
        {"tensors": 2, "parameters": 12, "dtype": "float16", "framework": "pt"},
    ),
    "tiny.gguf": (
        "tiny.gguf",
        "blk.*.attn_q.weight",
        {"architecture": "llama", "parameters": 37280, "context_tokens": 256, "vocabulary_size": 260},
    ),
    "model.onnx": (
        "model.onnx",
        "licence: mit",
        {"operators": ("MatMul", "Relu"), "inputs": ("letter",), "outputs": ("verdict",), "opset": 18, "parameters": 4},
    ),
    "dusk.jpg": (
        "dusk.jpg",
        "A ferry at dusk",
        {"width": 96, "height": 64, "camera": "Box Camera 3", "taken": "2024-01-31T18:30:00", "latitude": -33.5},
    ),
    "horn.flac": ("Fog horn", "The Harbour", {"duration_s": 0.5, "sample_rate_hz": 8000, "artist": "The Harbour"}),
    "horn.mp3": ("Fog horn", "The Harbour", {"duration_s": 0.5, "media_type": "audio/mpeg"}),
    "ships.zip": ("ships.zip", "ships/ferry.txt", {"members": 2, "unsafe_members": ("../escape",)}),
    "ships.tar.gz": ("ships.tar.gz", "ships/ferry.txt", {"members": 2, "unsafe_members": ("ships/link",)}),
    "letter.txt.gz": ("letter.txt.gz", "letter.txt", {"members": 1, "expands_to_bytes": 7}),
    "weights.pkl": ("weights.pkl", "", {"media_type": "application/x-pickle"}),
}


def read(data: bytes, name: str) -> Document:
    return registry.extract(BytesContent(data, name))


@pytest.mark.parametrize("name", _EXPECTED)
def test_what_people_look_for_is_there(name: str) -> None:
    title, text, facts = _EXPECTED[name]
    document = read(sample(name), name)
    assert document.title == title
    assert text in document.text
    assert {key: document.facts.get(key) for key in facts} == facts


def test_what_nobody_sees_on_a_page_is_not_text() -> None:
    text = read(sample("page.html"), "page.html").text
    assert "hidden" not in text
    assert "color" not in text


def test_links_are_kept_as_they_are_spelled() -> None:
    assert read(sample("page.html"), "page.html").links == ("/timetable",)
    assert read(sample("README.md"), "README.md").links == ("https://example.org/paper",)


def test_the_code_of_a_card_makes_no_headings() -> None:
    headings = read(sample("README.md"), "README.md").facts["headings"]
    assert "not a heading" not in str(headings)


def test_a_card_of_a_data_set_is_told_from_that_of_a_model() -> None:
    card = b"---\npretty_name: Harbours\ntask_categories: [text-retrieval]\nlicense: cc0-1.0\n---\n# Data\n"
    document = read(card, "README.md")
    assert (document.kind, document.title, document.facts["tasks"]) == ("dataset-card", "Harbours", ("text-retrieval",))


def test_an_adapter_names_its_base() -> None:
    config = {"peft_type": "LORA", "base_model_name_or_path": "example/base", "r": 8, "task_type": "CAUSAL_LM"}
    facts = read(json.dumps(config).encode(), "adapter_config.json").facts
    assert (facts["adapter"], facts["base_model"], facts["rank"]) == ("LORA", "example/base", 8)


def test_a_pipeline_names_its_parts() -> None:
    config = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
    facts = read(json.dumps(config).encode(), "model_index.json").facts
    assert (facts["architecture"], facts["components"]) == ("StableDiffusionPipeline", ("unet: UNet2DConditionModel",))


def test_the_parts_of_a_model_that_sees_and_speaks_are_looked_into() -> None:
    config = {"model_type": "both", "text_config": {"hidden_size": 64, "num_hidden_layers": 3}, "vision_config": {}}
    assert read(json.dumps(config).encode(), "config.json").facts["layers"] == 3


def test_the_hash_of_a_picture_survives_scaling_and_another_format() -> None:
    hashes = [
        int(str(read(picture(kind, size), f"a.{kind}").facts["perceptual_hash"]), 16)
        for kind, size in (("PNG", (96, 64)), ("JPEG", (96, 64)), ("PNG", (192, 128)))
    ]
    assert all((hashes[0] ^ other).bit_count() <= 10 for other in hashes)


@pytest.mark.parametrize(
    ("name", "code", "defined"),
    [
        ("a.rs", "pub(crate) async fn sail() {}\nimpl X {}\npub struct Ship;\n", ("sail", "Ship")),
        ("a.go", "func (s *Ship) Sail() error {\n}\ntype Ship struct {\n", ("Sail", "Ship")),
        ("a.ts", "export default class Ship {}\nconst sail = async (x) => x\nif (x) {}\n", ("Ship", "sail")),
        ("a.c", "static int sail(struct ship *s)\n{\n  return moor(s);\n}\n#define KNOTS 3\n", ("sail", "KNOTS")),
        ("A.java", "public final class Ship {\n  public static void sail(int x) {\n", ("Ship", "sail")),
        ("a.sh", "sail() {\n}\nfunction moor {\n}\n", ("sail", "moor")),
        ("a.sql", "CREATE TABLE IF NOT EXISTS ships (id int);\n", ("ships",)),
        ("Makefile", "all: ship\nX := 3\n", ("all",)),
    ],
)
def test_definitions_of_many_languages(name: str, code: str, defined: tuple[str, ...]) -> None:
    assert read(code.encode(), name).facts["definitions"] == defined


def test_numbers_of_layers_make_no_lines_of_their_own() -> None:
    assert read(safetensors(), "a.safetensors").text.count("weight") == 1


def test_every_sample_has_an_expectation() -> None:
    assert {SAMPLES[name][0] for name in _EXPECTED} == {kind for kind, _ in SAMPLES.values()}
