"""JSON Lines: a record a line."""

from __future__ import annotations

from ipfs_accel_cli.core.errors import LimitReached, MalformedContent
from ipfs_accel_cli.extractors import values
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits

_STEP = 4096
_LONGEST_LINE = 8 << 20


class JsonlExtractor:
    """Records of JSON, whose paths are the columns; `records` counts them as far as the file is read."""

    name = "jsonl"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document; raises MalformedContent where the first record is broken, and LimitReached."""
        lines, deadline = values.Lines(limits), Deadline(limits)
        records = broken = read_bytes = 0
        with content.open() as file:
            while read_bytes < limits.read_bytes and (line := file.readline(_LONGEST_LINE + 1)):
                read_bytes += len(line)
                if len(line) > _LONGEST_LINE:
                    raise LimitReached(f"{content.name} has a record of more than {_LONGEST_LINE} bytes")
                if not line.strip():
                    continue
                records += 1
                if records % _STEP == 0:
                    deadline.check()
                if lines.full:
                    continue
                try:
                    lines.add(values.parse(line, content.name))
                except MalformedContent:
                    if records == 1:
                        raise
                    broken += 1
        facts: dict[str, Fact] = {
            "media_type": "application/jsonl",
            "size_bytes": content.size_bytes,
            "records": records,
            "columns": tuple(lines.paths),
        }
        if broken:
            facts["broken_records"] = broken
        truncated = lines.truncated or lines.full or read_bytes < content.size_bytes
        return Document("jsonl", content.name, lines.text, facts, truncated=truncated)
