"""How the two files beside this one were made: `pip install pyarrow duckdb`, then run it in this folder."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

features = {
    "info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}}
}
table = pa.table(
    {
        "label": pa.array([0, 1], pa.int8()),
        "image": pa.array(
            [{"bytes": b"x", "path": "a.png"}, None], pa.struct({"bytes": pa.binary(), "path": pa.string()})
        ),
        "tags": pa.array([["a", "b"], []], pa.list_(pa.string())),
        "taken": pa.array([0, 1], pa.timestamp("us")),
        "price": pa.array(["1.50", "2.25"], pa.string()).cast(pa.decimal128(7, 2)),
        "half": pa.array([0.5, 1.5], pa.float16()),
    }
).replace_schema_metadata({"huggingface": json.dumps(features), "note": "two pets"})
pq.write_table(table, "pyarrow.parquet", compression="zstd")
duckdb.sql(
    "copy (select i::integer as id, 'row ' || i as text, i > 1 as large, i::double as weight, date '2024-01-01' as day "
    "from range(3) t(i)) to 'duckdb.parquet' (format parquet)"
)
