"""The price book: what stands in it, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store.placement.book import FILE, Book, Books, Declared
from ipfs_accel_cli.services.store.placement.geography import Point, Region, distance_km, found, point_of
from ipfs_accel_cli.services.store.placement.prices import GIB, MONTH_DAYS, Price, Use, monthly


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(Home(tmp_path))


def test_what_is_declared_is_read_again_and_more_is_added_to_it(books: Books, tmp_path: Path) -> None:
    assert books.read() == Book()
    books.declare("lab", Declared(Price(storage=0.02)), kind=False, currency="EUR")
    books.declare("lab", Declared(Price(egress=0.09), "cold", ("image/*",), 1 << 40), kind=False)
    books.declare("s3", Declared(Price(storage=0.5, gets=0.1)), kind=True)
    books.place("eu-1", Region(Point(50.1, 8.7)))
    books.place("eu-1", Region(None, "europe"))

    book = books.read()
    assert book.currency == "EUR"
    assert book.of("lab", "s3") == Declared(Price(0.02, 0.09, gets=0.1), "cold", ("image/*",), 1 << 40)
    assert book.of("other", "local") == Declared()
    assert book.regions == {"eu-1": Region(Point(50.1, 8.7), "europe")}
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_book_has_one_currency(books: Books) -> None:
    with pytest.raises(Invalid, match="no currency yet"):
        books.declare("lab", Declared(Price(storage=0.02)), kind=False)
    books.declare("disk", Declared(Price(0, 0, 0, 0, 0, 0)), kind=False)
    books.declare("lab", Declared(Price(storage=0.02)), kind=False, currency="EUR")
    with pytest.raises(Conflict, match="EUR, not in USD"):
        books.declare("lab", Declared(Price(storage=0.02)), kind=False, currency="USD")


def test_what_is_taken_out_is_unknown_again(books: Books) -> None:
    books.declare("disk", Declared(Price(storage=0)), kind=False)
    books.forget("disk", kind=False)
    assert books.read().of("disk", "local").price.storage is None
    with pytest.raises(NotFound, match="nothing is declared for the backend disk"):
        books.forget("disk", kind=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[backends.lab]\nstorage = -1", "backends.lab.storage is 0 or more"),
        ("[backends.lab]\nstorage = true", "backends.lab.storage is a number"),
        ("[backends.lab]\nstorage = inf", "backends.lab.storage is a number"),
        ("[backends.lab]\nstroage = 1", "has stroage, which means nothing"),
        ("[backends.lab]\nclass = 'tepid'", "one of hot, warm, cold, archive"),
        ("[backends.lab]\ntypes = 'image'", "is a list of texts"),
        ("[backends.lab]\ncapacity = 'much'", "is not a size"),
        ("[backends.lab]\nstorage = 1", "no currency yet"),
        ("backends = 3", "backends is a table"),
        ("[backends]\nlab = 3", "backends.lab is a table"),
        ("currency = 3", "currency of the book is a text"),
        ("[regions.x]\nlatitude = 5", "needs both or none"),
        ("[regions.x]\nlatitude = 95\nlongitude = 0", "is not on the earth"),
        ("this is not TOML", "cannot be read"),
    ],
)
def test_a_book_that_makes_no_sense_is_refused_by_name(books: Books, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(Invalid, match=said) as raised:
        books.read()
    assert FILE in raised.value.detail


def test_a_month_is_added_up_as_it_is_written_down() -> None:
    price = Price(storage=0.02, egress=0.09, ingress=0.01, puts=5, gets=0.4, minimum_days=2 * MONTH_DAYS)
    amount = monthly(price, 10 * GIB, 100, Use(months=1, reads=3))
    assert amount is not None
    assert amount.money == pytest.approx(10 * 0.02 * 2 + 10 * 0.01 + 10 * 0.09 * 3 + 0.5 + 0.04 * 3)
    assert amount.lacks == ()


def test_a_price_that_is_missing_makes_it_unknown_or_at_least_so_much() -> None:
    assert monthly(Price(), GIB, 1, Use(1, 1)) is None
    assert monthly(Price(storage=1), GIB, 1, Use(1, 1)) is None
    kept = monthly(Price(storage=1), GIB, 1, Use(1, 0))
    assert kept is not None
    assert (kept.money, kept.lacks) == (1, ("ingress", "puts"))


COORDINATES = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))


@given(COORDINATES, COORDINATES)
def test_the_way_there_is_the_way_back_and_never_more_than_half_around(one: Point, other: Point) -> None:
    assert distance_km(one, other) == pytest.approx(distance_km(other, one), abs=1e-6)
    assert 0 <= distance_km(one, other) <= 6371.0088 * math.pi + 1e-6
    assert distance_km(one, one) == pytest.approx(0, abs=1e-6)


def test_known_ways_are_as_long_as_they_are() -> None:
    paris, sydney = Point(48.8566, 2.3522), Point(-33.8688, 151.2093)
    assert distance_km(paris, sydney) == pytest.approx(16_960, rel=0.005)


def test_a_region_may_be_written_as_coordinates() -> None:
    assert found("50.1, -8.7", {}) == Region(Point(50.1, -8.7), "50.1, -8.7")
    assert found("eu-1", {}) == Region(None, "eu-1")
    assert found(None, {}) is None
    assert point_of("somewhere") is None
    with pytest.raises(Invalid, match="not on the earth"):
        point_of("91,0")
