"""A key-value cache of several requests, set in columns: the newest tokens of all of them share one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

# What a cache begins with, and the step that it grows in at least.
_COLUMNS = 128


@dataclass(slots=True)
class _Place:
    """Where the tokens lie: row r from column `starts[r]` up to `end`, in room for `rows` and `columns`."""

    starts: list[int]
    rows: int
    columns: int
    end: int = 0

    @property
    def begin(self) -> int:
        """The first column that any row uses."""
        return min(self.starts)


class Columns:
    """Room for keys and values, (rows, heads, columns, width) a layer, made once and written into.

    Row r holds the tokens of one request in the columns from its start up to an end that all share. What lies before
    the start of a row is padding, which a mask hides. A step writes one column for every row, whatever their lengths,
    and no layer copies what it holds.
    """

    def __init__(self, starts: Sequence[int] = (0,), room: int = _COLUMNS) -> None:
        # The layers know the place, not this object: a cycle would keep the tensors until a collection comes by.
        place = self._place = _Place(list(starts), len(starts), max(_COLUMNS, room))
        self.cache = Cache(layer_class_to_replicate=lambda: _Layer(place))

    def inputs(self, count: int, device: torch.device) -> dict[str, Tensor]:
        """Return the mask and the positions for `count` more tokens of each row; nothing for rows of one length."""
        place, begin = self._place, self._place.begin
        if all(start == begin for start in place.starts):
            return {}
        starts = torch.tensor(place.starts, device=device).unsqueeze(1)
        at = torch.arange(begin, place.end + count, device=device)
        return {
            "attention_mask": (at >= starts).long(),
            "position_ids": (at[place.end - begin :] - starts).clamp_(min=0),
        }

    def prepare(self, count: int) -> None:
        """Make room for `count` more columns."""
        place = self._place
        if place.end + count <= place.columns:
            return
        needed = place.end - place.begin + count
        enough = 2 * needed <= place.columns
        self._move(place.rows, place.columns if enough else max(2 * place.columns, needed + _COLUMNS), -place.begin)

    def advance(self, count: int, _cache: Any) -> None:
        """Note that a pass has written `count` columns."""
        self._place.end += count

    def drop(self, row: int) -> None:
        """Forget a row; the last one takes its place."""
        place, last = self._place, len(self._place.starts) - 1
        if row != last:
            start = place.starts[row] = place.starts[last]
            for layer in self._layers():
                for held in (layer.keys, layer.values):
                    held[row, :, start : place.end] = held[last, :, start : place.end]
        place.starts.pop()

    def absorb(self, other: Columns) -> None:
        """Take in the rows of another cache, which ends with it."""
        place, new = self._place, other._place
        longest, first = new.end - new.begin, len(place.starts)
        rows, columns = first + len(new.starts), max(place.end, longest)
        if rows > place.rows or columns > place.end:
            self._move(max(rows, 2 * place.rows) if rows > place.rows else rows, columns, columns - place.end)
        begin, end = place.end - longest, place.end
        for mine, theirs in zip(self._layers(), other._layers(), strict=True):
            mine.keys[first:rows, :, begin:end] = theirs.held(theirs.keys, new.end)
            mine.values[first:rows, :, begin:end] = theirs.held(theirs.values, new.end)
        place.starts += [place.end - new.end + start for start in new.starts]

    def _layers(self) -> list[_Layer]:
        return [layer for layer in self.cache.layers if layer.is_initialized]

    def _move(self, rows: int, columns: int, shift: int) -> None:
        """Move what is held by `shift` columns, into larger room where rows or columns are more than there are."""
        place = self._place
        place.rows, place.columns = max(place.rows, rows), max(place.columns, columns)
        for layer in self._layers():
            layer.move(shift)
        place.starts = [start + shift for start in place.starts]
        place.end += shift


class _Layer(CacheLayerMixin):  # type: ignore[misc]
    """The keys and values of one layer, in the form that the attention of transformers asks for."""

    def __init__(self, place: _Place) -> None:
        super().__init__()
        self._place = place

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Make the room, in the shape of what comes first."""
        self.keys, self.values = self._room(key_states), self._room(value_states)
        self.is_initialized = True

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Write new columns; return all that are held, as views."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        end, stop = self._place.end, self._place.end + key_states.shape[2]
        self.keys[: key_states.shape[0], :, end:stop] = key_states
        self.values[: value_states.shape[0], :, end:stop] = value_states
        return self.held(self.keys, stop), self.held(self.values, stop)

    def held(self, room: Tensor, stop: int) -> Tensor:
        """Return a view of what is in use up to a column."""
        return room[: len(self._place.starts), :, self._place.begin : stop]

    def move(self, shift: int) -> None:
        """Move what is held, into new room where there is to be more."""
        begin, end = self._place.begin + shift, self._place.end + shift
        for name in ("keys", "values"):
            room: Tensor = getattr(self, name)
            held = self.held(room, self._place.end)
            if room.shape[0] < self._place.rows or room.shape[2] < self._place.columns:
                room = self._room(room)
                setattr(self, name, room)
            else:
                held = held.clone()
            room[: held.shape[0], :, begin:end] = held

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return how many columns the mask is over, and from where."""
        return self.get_seq_length() + query_length, 0

    def get_seq_length(self) -> int:
        """Return how many columns are in use."""
        return self._place.end - self._place.begin if self.is_initialized else 0

    def get_max_length(self) -> int:
        """Return -1: it grows."""
        return -1

    def _room(self, like: Tensor) -> Tensor:
        shape = (self._place.rows, like.shape[1], self._place.columns, like.shape[3])
        # Padding is multiplied by zero, and zero times what memory happens to hold may be no number.
        return torch.zeros(shape, dtype=like.dtype, device=like.device)


class Own:
    """Whatever cache an architecture keeps of one request by itself."""

    def __init__(self, cache: Any) -> None:
        self.cache = cache

    def inputs(self, _count: int, _device: torch.device) -> dict[str, Tensor]:
        """Return nothing: one request needs no mask."""
        return {}

    def prepare(self, count: int) -> None:
        """Do nothing: it grows by itself."""

    def advance(self, _count: int, cache: Any) -> None:
        """Keep the cache that a pass gave back."""
        self.cache = cache
