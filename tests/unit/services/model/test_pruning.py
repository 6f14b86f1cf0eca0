"""Which versions may go: the plan alone, without any store."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.services.model.pruning import guarded, old
from ipfs_accel_cli.services.model.tables import Named


def version(name: str, number: int, manifest: str, day: int = 1) -> Named:
    return Named(name, number, manifest, "file:x", f"2026-01-{day:02}T00:00:00.000Z")


registries = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(1, 6), st.sampled_from("MNOPQ"), st.integers(1, 28)),
    unique_by=lambda one: one[:2],
    max_size=12,
).map(lambda rows: [version(*row) for row in rows])


@given(registries, st.integers(0, 4), st.none() | st.integers(1, 28))
def test_the_newest_of_every_name_stay(versions: list[Named], keep: int, day: int | None) -> None:
    before = None if day is None else f"2026-01-{day:02}T00:00:00.000Z"
    going = old(versions, keep, before)

    for name in {one.name for one in versions}:
        newest_first = sorted((one for one in versions if one.name == name), key=lambda one: -one.version)
        assert not set(newest_first[: max(keep, 1)]) & set(going)
    assert all(before is None or one.created_at < before for one in going)


@given(registries, st.dictionaries(st.sampled_from("MNOPQ"), st.lists(st.sampled_from("MNOPQ"), max_size=3)))
def test_what_stays_keeps_its_bases_and_theirs(versions: list[Named], bases: dict[str, list[str]]) -> None:
    candidates = set(old(versions, 1, None))
    stay = guarded(versions, candidates, {"M": "asked"}, lambda one: bases.get(one.manifest, []))

    kept = [one for one in versions if one not in candidates or one.manifest in stay]
    assert all(base in stay for one in kept for base in bases.get(one.manifest, []))
    assert "M" in stay
