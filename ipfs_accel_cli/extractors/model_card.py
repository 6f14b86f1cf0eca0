"""Cards of models and data sets: a README whose YAML metadata follow the Hugging Face hub.

Format: https://github.com/huggingface/hub-docs/blob/main/modelcard.md and datasetcard.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ipfs_accel_cli.extractors import front, markdown, words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits

# Key of the card to the name of the fact.
_TEXTS = {
    "pipeline_tag": "task",
    "library_name": "library",
    "license_name": "licence_name",
    "license_link": "licence_link",
}
_LISTS = {
    **{"base_model": "base_models", "datasets": "datasets", "metrics": "metrics", "annotations_creators": "annotators"},
    **{"task_categories": "tasks", "size_categories": "sizes", "multilinguality": "multilinguality"},
}
_OF_DATA = ("dataset_info", "task_categories", "size_categories", "annotations_creators", "configs")
_RESULTS = 500


class ModelCardExtractor:
    """The card of a model ("model-card") or of a data set ("dataset-card")."""

    name = "model-card"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a card; raises UnsupportedContent for what is no text."""
        page = markdown.read(content, limits)
        values = page.values
        facts = markdown.common(content, page, limits)
        for key, name in _TEXTS.items():
            if said := front.text(values.get(key)):
                facts[name] = said
        for key, name in _LISTS.items():
            if several := front.texts(values.get(key), limits.items):
                facts[name] = several
        if results := tuple(_results(values))[:_RESULTS]:
            facts["evaluations"] = results
        data = any(key in values for key in _OF_DATA) and "pipeline_tag" not in values
        return Document(
            "dataset-card" if data else "model-card",
            _title(values, page, content),
            "\n".join([page.text, *_said(facts)]),
            facts,
            page.links,
            page.truncated,
        )


def _title(values: Mapping[str, Any], page: markdown.Page, content: Content) -> str:
    called = front.text(values.get("model_name")) or front.text(values.get("pretty_name"))
    return called or markdown.title(page, content)


def _said(facts: Mapping[str, Fact]) -> list[str]:
    """Return what the metadata say as text, so that a word of it is found as well."""
    spoken = ("tags", "tasks", "task", "library", "base_models", "datasets", "evaluations")
    found = [facts[key] for key in spoken if key in facts]
    return [", ".join(one) if isinstance(one, tuple) else str(one) for one in found]


def _results(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what `model-index` says as "task, data set: metric value"."""
    for model in _maps(values.get("model-index")):
        for result in _maps(model.get("results")):
            task, data = (result.get(key) for key in ("task", "dataset"))
            about = [front.text(one.get("name") or one.get("type")) for one in (task, data) if isinstance(one, Mapping)]
            for metric in _maps(result.get("metrics")):
                called = front.text(metric.get("name") or metric.get("type"))
                yield words.line(
                    f"{', '.join(filter(None, about))}: {called} {front.text(metric.get('value'))}".strip()
                )


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value[:_RESULTS] if isinstance(one, Mapping)] if isinstance(value, list) else []
