"""Whisper's tokens into segments, and where words end."""

from __future__ import annotations

from ipfs_accel_cli.engines.timestamps import Span, spans, word_end

FIRST = 100


def test_a_segment_that_was_begun_and_not_written_is_to_be_heard_again() -> None:
    begun = [FIRST, 1, 2, FIRST + 100, FIRST + 100]
    assert spans(begun, FIRST, 10.0, ended=True) == ([Span((1, 2), 0.0, 2.0)], False)
    assert spans([*begun, 3], FIRST, 10.0, ended=False) == ([Span((1, 2), 0.0, 2.0)], False)
    assert spans([*begun, 3], FIRST, 10.0, ended=True) == ([Span((1, 2), 0.0, 2.0), Span((3,), 2.0, 10.0)], True)


def test_the_silence_after_a_segment_belongs_to_no_word() -> None:
    span = Span((1, 2), 0.0, 3.0)
    assert word_end(span, 2.6, 4.2) == 3.0
    assert word_end(span, 1.0, 1.4) == 1.4
    # Its time is not to be trusted then; it ends no sooner than it begins.
    assert word_end(span, 3.2, 4.2) == 4.2
