"""What a model left out of a window is heard again, and nothing is heard twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.services.infer.audio.activity import Stretch
from ipfs_accel_cli.services.infer.audio.listening import RATE
from ipfs_accel_cli.services.infer.audio.resuming import from_sample, resume


def spoken(*times: tuple[float, float]) -> tuple[Stretch, ...]:
    return tuple(Stretch(int(start * RATE), int(end * RATE)) for start, end in times)


def at(seconds: float) -> int:
    return int(seconds * RATE)


def test_what_is_spoken_after_the_end_that_a_model_told_is_heard() -> None:
    assert resume(spoken((0, 7.7), (9, 17)), at(8), complete=True) == at(9)


def test_a_window_that_was_heard_to_its_end_is_done() -> None:
    assert resume(spoken((0, 3), (4, 8)), at(8), complete=True) is None
    # It told an end that is a second too early, in the midst of the last stretch.
    assert resume(spoken((0, 3), (4, 8)), at(7), complete=True) is None
    # A click after the last word is no sentence.
    assert resume(spoken((0, 3), (4, 8), (8.5, 8.8)), at(8), complete=True) is None


def test_long_speech_without_a_pause_is_heard_on() -> None:
    assert resume(spoken((0, 25)), at(12), complete=True) == at(12)


def test_a_model_that_is_not_done_goes_on_at_the_pause_beside_the_time_it_told() -> None:
    assert resume(spoken((0, 21), (21.6, 25)), at(22), complete=False) == at(21.6)
    assert resume(spoken((0, 21), (21.6, 25)), at(12), complete=False) == at(12)
    assert resume((), at(12), complete=False) == at(12)


@given(st.lists(st.tuples(st.floats(0, 14), st.floats(0.01, 14)), max_size=5), st.floats(0, 28), st.booleans())
def test_speech_goes_on_behind_where_it_began(times: list[tuple[float, float]], read: float, complete: bool) -> None:
    speech = spoken(*sorted((start, start + length) for start, length in times))
    found = resume(speech, at(read), complete=complete)
    if found is None:
        assert complete
        return
    assert found >= 0
    rest = from_sample(speech, found)
    assert all(0 <= one.start < one.end for one in rest)
