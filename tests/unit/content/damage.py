"""Ways to damage bytes that were valid, for the property tests of the readers."""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def damaged(draw: st.DrawFn, valid: st.SearchStrategy[bytes]) -> bytes:
    """Return valid bytes with a piece replaced, removed or inserted; small damage reaches deeper than random bytes."""
    data = draw(valid)
    start = draw(st.integers(0, len(data)))
    end = draw(st.integers(start, min(len(data), start + 8)))
    return data[:start] + draw(st.binary(max_size=8)) + data[end:]
