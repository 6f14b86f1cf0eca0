"""Words with capitals inside are found where a hump is, as if all of a text had been looked at."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from ipfs_accel_cli.services.search import words


@given(st.text(alphabet="aBcD2_ .é字", max_size=40))
@example("aB2cD_E GPTNeoModel xXx 9aB éAb")
@example("0" + "aB" * 50)
def test_looking_at_humps_alone_finds_the_same_words(text: str) -> None:
    found = set(words._HUMPED.findall(text))
    assert words._humped(text) == found
