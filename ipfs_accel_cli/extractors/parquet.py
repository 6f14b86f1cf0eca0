"""The schema of a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping

from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits
from ipfs_accel_cli.extractors.contents import ContentReader
from ipfs_accel_cli.formats import parquet

# Schemas that libraries repeat in their own form, which say nothing that the columns do not.
_REPEATED = ("ARROW:schema", "pandas", "huggingface", "org.apache.spark.sql.parquet.row.metadata")


class ParquetExtractor:
    """A table in Parquet: columns, types and counts; no row is read."""

    name = "parquet"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of a footer; raises MalformedContent and UnsupportedContent."""
        with content.open() as file:
            footer = parquet.footer(ContentReader(content, file))
        columns = footer.columns[: limits.items]
        facts: dict[str, Fact] = {
            "media_type": "application/vnd.apache.parquet",
            "size_bytes": content.size_bytes,
            "columns": tuple(words.line(column.path) for column in columns),
            "column_types": tuple(column.type for column in columns),
            "rows": footer.rows,
            "row_groups": footer.row_groups,
        }
        if footer.codecs:
            facts["compression"] = footer.codecs
        if footer.writer:
            facts["software"] = words.line(footer.writer)
        if features := _features(footer.metadata, limits.items):
            facts["features"] = features
        said = [f"{key}: {value}" for key, value in footer.metadata.items() if key not in _REPEATED]
        lines = [f"{words.line(column.path)}: {column.type}" for column in columns]
        text = words.clean("\n".join([*lines, *said]))
        more = len(footer.columns) > limits.items
        return Document("parquet", content.name, text, facts, truncated=more)


def _features(metadata: Mapping[str, str], items: int) -> tuple[str, ...]:
    """Return what the library `datasets` says of each column, such as "image: Image"."""
    try:
        features = json.loads(metadata.get("huggingface", "{}"))["info"]["features"]
        pairs = [(name, said.get("_type")) for name, said in features.items() if isinstance(said, dict)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()
    return tuple(words.line(f"{name}: {kind}") for name, kind in pairs[:items] if isinstance(kind, str))
