"""Who is next: urgent ones first, nobody never, callers in turn."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.services.infer.line import Line, Urgency


def taken(line: Line[str]) -> list[str]:
    found = []
    while (item := line.take()) is not None:
        found.append(item)
    return found


def test_requests_of_one_caller_keep_their_order() -> None:
    line: Line[str] = Line()
    for item in "abcde":
        line.put(item, "one")
    assert taken(line) == list("abcde")


def test_callers_take_turns_however_much_each_asks() -> None:
    line: Line[str] = Line()
    for number in range(100):
        line.put(f"many-{number}", "many")
    line.put("few-0", "few")
    line.put("few-1", "few")
    assert taken(line)[:4] == ["many-0", "few-0", "many-1", "few-1"]


def test_a_conversation_goes_before_what_can_wait_and_that_still_gets_its_share() -> None:
    line: Line[str] = Line()
    for number in range(400):
        line.put(f"bulk-{number}", "batch", Urgency.BULK)
        line.put(f"talk-{number}", "person", Urgency.CONVERSATION)
    order = [item.partition("-")[0] for item in taken(line)]
    assert order[0] == "talk"
    share = Counter(order[:330])
    assert share["bulk"] == 10
    assert share["talk"] == 320


def test_who_asked_for_nothing_so_far_has_no_credit() -> None:
    line: Line[str] = Line()
    for number in range(50):
        line.put(f"talk-{number}", "person", Urgency.CONVERSATION)
    assert [line.take() for _ in range(40)][-1] == "talk-39"
    for number in range(50):
        line.put(f"bulk-{number}", "batch", Urgency.BULK)
    order = [item.partition("-")[0] for item in taken(line)]
    assert order[:10].count("bulk") <= 1


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]), st.sampled_from(list(Urgency)), st.sampled_from(["put", "take", "drop"])
        ),
        max_size=60,
    )
)
def test_each_request_is_taken_once_unless_it_was_dropped(moves: list[tuple[str, Urgency, str]]) -> None:
    line: Line[int] = Line()
    waiting: set[int] = set()
    seen: list[int] = []
    for number, (caller, urgency, move) in enumerate(moves):
        if move == "put":
            line.put(number, caller, urgency)
            waiting.add(number)
        elif move == "drop" and waiting:
            gone = min(waiting)
            assert line.drop(gone)
            assert not line.drop(gone)
            waiting.discard(gone)
        else:
            item = line.take()
            assert (item is None) == (not waiting)
            if item is not None:
                seen.append(item)
                waiting.remove(item)
        assert len(line) == len(waiting)
    while (item := line.take()) is not None:
        seen.append(item)
        waiting.remove(item)
    assert not waiting
    assert len(seen) == len(set(seen))


@given(st.lists(st.sampled_from(list(Urgency)), min_size=1, max_size=40))
def test_nobody_waits_for_ever_behind_urgent_ones(urgencies: list[Urgency]) -> None:
    line: Line[str] = Line()
    for number, urgency in enumerate(urgencies):
        line.put(f"early-{number}", "somebody", urgency)
    left = len(urgencies)
    for turn in range(200 * len(urgencies)):
        line.put(f"late-{turn}", "another", Urgency.CONVERSATION)
        item = line.take()
        assert item is not None
        left -= item.startswith("early")
        if not left:
            return
    raise AssertionError(f"{left} requests still wait")


def test_what_is_dropped_takes_nobodys_turn() -> None:
    line: Line[str] = Line()
    for item in ("a1", "a2", "a3"):
        line.put(item, "a")
    for item in ("b1", "b2"):
        line.put(item, "b")
    assert line.drop("a1")
    assert line.drop("a2")
    assert [line.take() for _ in range(4)] == ["a3", "b1", "b2", None]
