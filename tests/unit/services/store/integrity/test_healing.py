"""Who gets what, so that everything is at enough places."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.services.store.integrity.healing import Step, Want, plan

NAMES = st.sampled_from(["here", "a", "b", "c", "d"])
WANTS = st.lists(
    st.builds(
        Want,
        st.binary(max_size=4).map(lambda data: CID.of(data, RAW)),
        st.just("x"),
        st.sets(NAMES).map(lambda found: tuple(sorted(found))),
    )
)


@given(WANTS, st.lists(st.sampled_from("abcd"), unique=True), st.integers(1, 5))
def test_nothing_is_sent_where_it_is_and_enough_is_enough(wants: list[Want], backends: list[str], least: int) -> None:
    planned = {id(step.want): step for step in plan(wants, lambda _want, _missing: backends, least)}
    for want in wants:
        if len(want.places) >= least:
            assert id(want) not in planned
            continue
        chosen, enough = planned[id(want)].chosen, planned[id(want)].enough
        assert not set(planned[id(want)].spare) & {*want.places, *chosen}
        assert not set(chosen) & set(want.places)
        assert len(set(chosen)) == len(chosen)
        after = len(want.places) + len(chosen)
        assert after == least if enough else after < least
        assert enough or set(backends) <= {*want.places, *chosen}


def test_the_order_of_the_backends_decides() -> None:
    want = Want(CID.of(b"x", RAW), "x", ("here", "b"))
    assert list(plan([want], lambda _want, _missing: ["c", "b", "a"], 3)) == [Step(want, ("c",), ("a",), True)]
