"""Text around sound: sentences, subtitles, times, and Kokoro's letters."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.engines.timestamps import spans
from ipfs_accel_cli.services.infer.audio.processing import trimmed
from ipfs_accel_cli.services.infer.audio.results import Utterance
from ipfs_accel_cli.services.infer.audio.sentences import LONGEST, sentences
from ipfs_accel_cli.services.infer.audio.subtitles import clock, refuse_present, written

FIRST = 1000


def test_a_text_is_spoken_sentence_by_sentence() -> None:
    text = 'Dr. Smith came at 3.30 p.m. today! "Really?" she asked.\n\nA title\n\n... — !!'
    assert list(sentences(text)) == ["Dr. Smith came at 3.30 p.m. today!", '"Really?" she asked.', "A title"]


@given(st.text(alphabet=st.sampled_from("ab1 .,!?\n"), max_size=900))
def test_no_letter_of_a_text_is_lost_and_no_part_too_long(text: str) -> None:
    parts = list(sentences(text))
    assert all(0 < len(part) <= LONGEST for part in parts)
    kept = [letter for letter in text if letter.isalnum()]
    assert [letter for part in parts for letter in part if letter.isalnum()] == kept


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "00:00:00,000"), (3723.4567, "01:02:03,457"), (59.9996, "00:01:00,000")]
)
def test_times_of_subtitles(seconds: float, said: str) -> None:
    assert clock(seconds, ",") == said


def utterances(*texts: str) -> list[Utterance]:
    return [
        Utterance(file="a.wav", start_s=at, end_s=at + 0.5, text=text, language="en") for at, text in enumerate(texts)
    ]


def test_subtitles_are_numbered_and_their_marks_do_no_harm(tmp_path: Path) -> None:
    assert len(list(written(utterances("One\n\ntwo", "a --> <b> & c"), tmp_path / "a.srt"))) == 2
    assert (tmp_path / "a.srt").read_text() == (
        "1\n00:00:00,000 --> 00:00:00,500\nOne two\n\n2\n00:00:01,000 --> 00:00:01,500\na -> <b> & c\n\n"
    )
    list(written(utterances("a <b> & c"), tmp_path / "a.vtt"))
    assert (tmp_path / "a.vtt").read_text() == "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\na &lt;b&gt; &amp; c\n\n"


def test_a_transcript_that_is_not_finished_leaves_no_file(tmp_path: Path) -> None:
    stream = written(utterances("one", "two"), tmp_path / "a.txt")
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("mine")
    with pytest.raises(Conflict, match=r"a\.srt"):
        refuse_present(tmp_path / "a.srt", force=False)
    refuse_present(tmp_path / "a.srt", force=True)
    with pytest.raises(Invalid, match="folder"):
        refuse_present(tmp_path / "nosuch" / "a.srt", force=False)


@pytest.mark.parametrize(
    ("text", "found"),
    [("1.5-4", (1.5, 4.0)), ("-30", (0.0, 30.0)), ("1:02:03-", (3723.0, None)), ("1:30-2:00", (90.0, 120.0))],
)
def test_what_is_kept_of_a_sound(text: str, found: tuple[float, float | None]) -> None:
    assert trimmed(text) == found


@pytest.mark.parametrize("text", ["5", "a-b", "1-2-3", "--"])
def test_a_part_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="--trim"):
        trimmed(text)


def test_timestamps_become_spans_and_what_was_begun_is_heard_again() -> None:
    def at(seconds: float) -> int:
        return FIRST + round(seconds * 50)

    closed = [at(0), 5, 6, at(2), at(2.5), 7, at(4)]
    found, complete = spans(closed, FIRST, 10, ended=True)
    assert complete
    assert [(span.tokens, span.start_s, span.end_s) for span in found] == [((5, 6), 0, 2), ((7,), 2.5, 4)]
    assert spans([*closed, at(4)], FIRST, 10, ended=True)[1] is False
    assert spans([*closed, at(4)], FIRST, 4.2, ended=True)[1] is True
    cut_off, complete = spans([at(0), 5, at(2), at(2), 8], FIRST, 10, ended=False)
    assert (len(cut_off), complete) == (1, False)
    open_end, complete = spans([at(0), 5, at(2), at(2), 8], FIRST, 10, ended=True)
    assert (open_end[-1].tokens, open_end[-1].end_s, complete) == ((8,), 10, True)
    assert spans([], FIRST, 10, ended=True) == ([], True)
