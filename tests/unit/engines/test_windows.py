"""Windows over tokens cover all of them, share some, and are no longer than a model reads."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.windows import read


@dataclass
class Encoding:
    ids: list[int]
    sequence_ids: list[int | None]
    offsets: list[tuple[int, int]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.offsets = [(at, at + 1) for at in range(len(self.ids))]
        self.tokens = [str(one) for one in self.ids]


class Words:
    """A tokenizer that makes a token of each character, [CLS] head [SEP] text [SEP]."""

    def __call__(self, texts: list[str], others: list[str] | None = None) -> object:
        pairs = [("", text) for text in texts] if others is None else list(zip(texts, others, strict=True))
        inside = 0 if others is None else 1
        rows = []
        for head, text in pairs:
            around = [1, *(7 for _ in head), 2] if others is not None else [1]
            sequence = [None, *(0 for _ in head), None] if others is not None else [None]
            body = list(range(100, 100 + len(text)))
            rows.append(Encoding([*around, *body, 3], [*sequence, *(inside for _ in body), None]))
        return type("Encoded", (), {"encodings": rows})()


@given(st.integers(0, 60), st.integers(14, 30), st.integers(0, 20), st.booleans())
def test_every_token_is_read_with_all_that_is_around(length: int, limit: int, share: int, headed: bool) -> None:
    (found,) = read(Words(), ["x" * length], ["ab"] if headed else None, ["input_ids"], limit, share)
    seen = set()
    for number, window in enumerate(found.windows):
        ids = window.features["input_ids"]
        assert len(ids) <= limit
        assert (ids[0], ids[-1]) == (1, 3)
        body = ids[window.begin : window.begin + window.last - window.first]
        assert body == list(range(100 + window.first, 100 + window.last))
        assert window.number == number
        seen |= set(body)
    assert seen == set(range(100, 100 + length))
    for token in range(length):
        window = found.windows[found.best_window(token)]
        assert window.first <= token < window.last


def test_a_head_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(Invalid, match="reads at once"):
        read(Words(), ["x" * 50], ["y" * 28], ["input_ids"], 32, 4)
