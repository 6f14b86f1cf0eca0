"""Values of the IPLD data model, for the property tests of the codecs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ipfs_accel_cli.content.cid import CID

text = st.text(st.characters(codec="utf-8"), max_size=12)
integers = st.integers(-(1 << 64), (1 << 64) - 1)
cids = st.binary(max_size=8).map(CID.of)
scalars = (
    st.none()
    | st.booleans()
    | integers
    | st.floats(allow_nan=False, allow_infinity=False)
    | text
    | cids
    | st.binary(max_size=20)
)


def _is_reserved_in_dag_json(value: Any) -> bool:
    inner = value.get("/")
    return isinstance(inner, str) or (isinstance(inner, dict) and isinstance(inner.get("bytes"), str))


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    maps = st.dictionaries(st.just("/") | st.just("bytes") | text, inner, max_size=4)
    return st.lists(inner, max_size=4) | maps.filter(lambda value: not _is_reserved_in_dag_json(value))


values = st.recursive(scalars, _containers, max_leaves=20)
