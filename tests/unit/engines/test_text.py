"""Tokens into text: whole characters, and never past a stop string."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.engines.text import Detokenizer, StopStrings


def bytewise(tokens: Sequence[int]) -> str:
    """Decode as a byte-level tokenizer does, a token a byte."""
    return bytes(tokens).decode("utf-8", errors="replace")


def spaced(tokens: Sequence[int]) -> str:
    """Decode as a word-piece tokenizer does: the space before the first word is lost."""
    return " ".join(f"w{token}" for token in tokens)


def shown(prompt: str, text: str | bytes) -> list[str]:
    detokenizer = Detokenizer(bytewise, list(prompt.encode()))
    data = text.encode() if isinstance(text, str) else text
    return [*(detokenizer.feed(byte) for byte in data), detokenizer.flush()]


@given(st.text(), st.text())
def test_parts_are_whole_characters_and_add_up(prompt: str, text: str) -> None:
    parts = shown(prompt, text.replace("\ufffd", "?"))
    assert "".join(parts) == text.replace("\ufffd", "?")
    assert all("\ufffd" not in part for part in parts)


def test_a_character_is_held_back_until_its_last_byte() -> None:
    assert shown("", "aé€") == ["a", "", "é", "", "", "€", ""]


def test_a_character_that_never_ends_is_left_out() -> None:
    assert "".join(shown("", "ok€".encode()[:-1])) == "ok"


def test_bytes_that_are_no_character_are_shown_as_such_once_it_is_sure() -> None:
    assert "".join(shown("", b"a\xffb")) == "a\ufffdb"


def test_spacing_follows_from_the_prompt() -> None:
    detokenizer = Detokenizer(spaced, [1, 2])
    assert [detokenizer.feed(3), detokenizer.feed(4)] == [" w3", " w4"]


@given(
    st.lists(st.text(alphabet="abc", max_size=4)), st.lists(st.text(alphabet="abc", min_size=1, max_size=3), max_size=3)
)
def test_what_is_shown_ends_before_the_first_stop_string(parts: list[str], stops: list[str]) -> None:
    filtered, found, met = StopStrings(stops), "", False
    for part in parts:
        text, met = filtered.feed(part)
        found += text
        if met:
            break
    if not met:
        found += filtered.flush()
    whole = "".join(parts)
    ends = [whole.index(stop) for stop in stops if stop in whole]
    # Which stop string is met first depends on where its last letter is, so another may begin earlier and end later.
    assert whole.startswith(found)
    assert met == bool(ends)
    assert met or found == whole
    assert all(stop not in found for stop in stops)


def test_the_beginning_of_a_stop_string_is_held_back() -> None:
    filtered = StopStrings(["The end."])
    assert filtered.feed("So. The e") == ("So. ", False)
    assert filtered.feed("agle") == ("The eagle", False)
    assert filtered.feed(" The end. More") == (" ", True)
