"""The price book: `prices.toml` in the home folder, which its owner edits. Nothing is in it that nobody declared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.units import parse_bytes
from ipfs_accel_cli.services.store.placement.geography import Point, Region
from ipfs_accel_cli.services.store.placement.prices import FIELDS, Price
from ipfs_accel_cli.services.store.placement.wants import StorageClass

FILE = "prices.toml"
_CURRENCY_LETTERS = 12


@dataclass(frozen=True, slots=True)
class Declared:
    """What the owner says of a backend, or of all backends of a kind."""

    price: Price = field(default_factory=Price)
    storage_class: StorageClass | None = None
    types: tuple[str, ...] = ()
    capacity_bytes: int | None = None

    def over(self, general: Declared) -> Declared:
        """Return what is said here, and what the general one says beside it."""
        return Declared(
            self.price.over(general.price),
            self.storage_class or general.storage_class,
            self.types or general.types,
            general.capacity_bytes if self.capacity_bytes is None else self.capacity_bytes,
        )

    def as_toml(self) -> dict[str, Any]:
        """Return it as it stands in the book."""
        prices = {name: value for name in FIELDS if (value := getattr(self.price, name)) is not None}
        more = {"class": self.storage_class, "types": list(self.types), "capacity": self.capacity_bytes}
        return prices | {name: value for name, value in more.items() if value not in (None, [])}


@dataclass(frozen=True, slots=True)
class Book:
    """All that was declared: of backends, of kinds of them, and of regions."""

    currency: str = ""
    backends: Mapping[str, Declared] = field(default_factory=dict)
    kinds: Mapping[str, Declared] = field(default_factory=dict)
    regions: Mapping[str, Region] = field(default_factory=dict)

    def of(self, name: str, kind: str) -> Declared:
        """Return what holds for one backend."""
        return self.backends.get(name, Declared()).over(self.kinds.get(kind, Declared()))


class Books:
    """The book of one home."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._path = home.path / FILE

    def read(self) -> Book:
        """Return the book; raises Invalid for one that cannot be understood."""
        import tomllib

        try:
            tree = tomllib.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return Book()
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise Invalid(f"{self._path} cannot be read: {error}") from error
        try:
            return _book(tree)
        except Invalid as error:
            raise Invalid(f"{self._path}: {error.detail}", suggestion="ipfs-accel store price ls") from error

    def declare(self, name: str, declared: Declared, *, kind: bool, currency: str = "") -> Book:
        """Write down what is said of a backend or a kind, beside what was said before; raises as `_priced`."""
        with self._changing() as book:
            table = dict(book.kinds if kind else book.backends)
            table[name] = declared.over(table.get(name, Declared()))
            changed = replace(book, kinds=table) if kind else replace(book, backends=table)
            return self._write(_priced(changed, currency))

    def forget(self, name: str, *, kind: bool) -> Book:
        """Take out what is said of a backend or a kind; raises NotFound."""
        with self._changing() as book:
            table = dict(book.kinds if kind else book.backends)
            if table.pop(name, None) is None:
                what = "kind" if kind else "backend"
                raise NotFound(f"nothing is declared for the {what} {name}", suggestion="ipfs-accel store price ls")
            return self._write(replace(book, kinds=table) if kind else replace(book, backends=table))

    def place(self, name: str, region: Region) -> Book:
        """Write down where a region is."""
        with self._changing() as book:
            before = book.regions.get(name, Region())
            both = Region(region.point or before.point, region.zone or before.zone)
            return self._write(replace(book, regions={**book.regions, name: both}))

    def _changing(self) -> _Changing:
        return _Changing(self, self._home)

    def _write(self, book: Book) -> Book:
        import tomli_w

        tree: dict[str, Any] = {"currency": book.currency} if book.currency else {}
        for word, table in (("backends", book.backends), ("kinds", book.kinds)):
            if table:
                tree[word] = {name: declared.as_toml() for name, declared in sorted(table.items())}
        if book.regions:
            tree["regions"] = {name: _region_toml(region) for name, region in sorted(book.regions.items())}
        with replacing(self._path, 0o600) as file:
            tomli_w.dump(tree, file)
        return book


class _Changing:
    """Reads the book for the block, while no other process changes it."""

    def __init__(self, books: Books, home: Home) -> None:
        home.ensure()
        self._books = books
        self._lock = locked(home.path / f".{FILE}.lock")

    def __enter__(self) -> Book:
        self._lock.__enter__()
        return self._books.read()

    def __exit__(self, *_: object) -> None:
        self._lock.__exit__(None, None, None)


def _priced(book: Book, currency: str) -> Book:
    """Return the book in its one currency.

    Raises Invalid for prices in none, Conflict where those that are in it are in another.
    """
    if currency and book.currency and currency != book.currency:
        raise Conflict(f"all prices are in {book.currency}, not in {currency}; edit {FILE} to change all of them")
    if len(currency) > _CURRENCY_LETTERS or not (currency or "X").isalnum():
        raise Invalid(f"{currency!r} is no currency; write for example EUR")
    priced = replace(book, currency=book.currency or currency)
    costly = any(
        getattr(one.price, name) for one in (*book.backends.values(), *book.kinds.values()) for name in FIELDS[:-1]
    )
    if costly and not priced.currency:
        raise Invalid("the book has no currency yet: give --currency, once, as in --currency EUR")
    return priced


def _book(tree: dict[str, Any]) -> Book:
    _only(tree, ("currency", "backends", "kinds", "regions"), "the book")
    book = Book(
        currency=_typed(tree, "currency", str, "the book") or "",
        backends={name: _declared(one, f"backends.{name}") for name, one in _table(tree, "backends").items()},
        kinds={name: _declared(one, f"kinds.{name}") for name, one in _table(tree, "kinds").items()},
        regions={name: _region(one, f"regions.{name}") for name, one in _table(tree, "regions").items()},
    )
    return _priced(book, "")


def _declared(table: Any, where: str) -> Declared:
    _only(table, (*FIELDS, "class", "types", "capacity"), where)
    prices = {name: number(table[name], f"{where}.{name}") for name in FIELDS if name in table}
    chosen, types = table.get("class"), table.get("types", [])
    if chosen is not None and chosen not in get_args(StorageClass):
        raise Invalid(f"{where}.class is one of {', '.join(get_args(StorageClass))}, not {chosen!r}")
    if not isinstance(types, list) or not all(isinstance(one, str) for one in types):
        raise Invalid(f"{where}.types is a list of texts, not {types!r}")
    capacity = table.get("capacity")
    if isinstance(capacity, str):
        capacity = parse_bytes(capacity)
    if capacity is not None and (not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 0):
        raise Invalid(f"{where}.capacity is a size, not {capacity!r}")
    return Declared(Price(**prices), chosen, tuple(types), capacity)


def _region(table: Any, where: str) -> Region:
    _only(table, ("latitude", "longitude", "zone"), where)
    zone = _typed(table, "zone", str, where) or ""
    if ("latitude" in table) != ("longitude" in table):
        raise Invalid(f"{where} has one of latitude and longitude, and needs both or none")
    if "latitude" not in table:
        return Region(None, zone)
    latitude, longitude = (number(table[name], f"{where}.{name}", negative=True) for name in ("latitude", "longitude"))
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Invalid(f"{where} is not on the earth: latitude is -90 to 90, longitude -180 to 180")
    return Region(Point(latitude, longitude), zone)


def _region_toml(region: Region) -> dict[str, Any]:
    where = {} if region.point is None else {"latitude": region.point.latitude, "longitude": region.point.longitude}
    return where | ({"zone": region.zone} if region.zone else {})


def number(value: Any, where: str, *, negative: bool = False) -> float:
    """Return a price; raises Invalid for what is no number, or less than nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid(f"{where} is a number, not {value!r}")
    if value < 0 and not negative:
        raise Invalid(f"{where} is 0 or more, not {value!r}")
    return float(value)


def _typed(table: dict[str, Any], name: str, kind: type, where: str) -> Any:
    value = table.get(name)
    if value is not None and not isinstance(value, kind):
        raise Invalid(f"{name} of {where} is a text, not {value!r}")
    return value


def _table(tree: dict[str, Any], name: str) -> dict[str, Any]:
    found = tree.get(name, {})
    if not isinstance(found, dict):
        raise Invalid(f"{name} is a table, not {found!r}")
    return found


def _only(table: Any, known: tuple[str, ...], where: str) -> None:
    if not isinstance(table, dict):
        raise Invalid(f"{where} is a table, not {table!r}")
    if strange := [name for name in table if name not in known]:
        raise Invalid(f"{where} has {', '.join(strange)}, which means nothing; known: {', '.join(known)}")
