"""Commands for the price book."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.units import parse_bytes
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.placement.book import Declared, number
from ipfs_accel_cli.services.store.placement.geography import Region, point_of
from ipfs_accel_cli.services.store.placement.prices import Price
from ipfs_accel_cli.services.store.placement.results import PriceBook
from ipfs_accel_cli.services.store.placement.wants import StorageClass

app = Typer(help="Declare what backends cost, what they are for, and where regions are.", no_args_is_help=True)

Name = Annotated[str, Argument(metavar="NAME", help="A backend, or with --kind a kind of them.")]
Kind = Annotated[bool, Option("--kind", help="NAME is a kind, as s3: it holds for every backend of it.")]


def _price(help: str) -> object:
    return Option(metavar="PRICE", help=help, show_default=False)


@app.command()
@effects(READ)
def ls() -> PriceBook:
    """Show what is declared; what is not is unknown, not free.

    Examples:
        ipfs-accel store price ls
    """
    return node().store.placement.tariffs.ls()


@app.command("set")
@effects(WRITE, exposed=False)
def declare(
    name: Name,
    kind: Kind = False,
    storage: Annotated[float | None, _price("Per GiB and month.")] = None,
    egress: Annotated[float | None, _price("Per GiB that leaves it.")] = None,
    ingress: Annotated[float | None, _price("Per GiB that is sent to it.")] = None,
    puts: Annotated[float | None, _price("Per thousand puts.")] = None,
    gets: Annotated[float | None, _price("Per thousand gets.")] = None,
    minimum_days: Annotated[
        float | None, Option(metavar="DAYS", help="What is deleted earlier is charged for so long.")
    ] = None,
    free: Annotated[bool, Option("--free", help="All prices that are not given are 0.")] = False,
    currency: Annotated[
        str | None, Option(metavar="CODE", help="The currency of the whole book, as EUR; once.")
    ] = None,
    storage_class: Annotated[
        StorageClass | None, Option("--class", help="The warmest content that it is meant for.")
    ] = None,
    type: Annotated[
        list[str] | None, Option(metavar="PATTERN", help="Only such media types go there, as image/*; can be repeated.")
    ] = None,
    capacity: Annotated[str | None, Option(metavar="SIZE", help="The most that is to lie there, as in 2TiB.")] = None,
) -> PriceBook:
    """Declare prices of a backend, or of a kind of them; what was declared before and is not given stays.

    They stand in prices.toml in the home folder, which you may also edit.

    Examples:
        ipfs-accel store price set disk --free
        ipfs-accel store price set lab --storage 0.021 --egress 0.08 --puts 0.005 --gets 0.0004 --currency EUR
        ipfs-accel store price set glacier --storage 0.004 --egress 0.1 --minimum-days 90 --class archive
    """
    given = {
        "storage": storage,
        "egress": egress,
        "ingress": ingress,
        "puts": puts,
        "gets": gets,
        "minimum_days": minimum_days,
    }
    prices = {
        field: number(value, f"--{field.replace('_', '-')}") for field, value in given.items() if value is not None
    }
    nothing = dict.fromkeys(given, 0.0) if free else {}
    declared = Declared(
        Price(**(nothing | prices)),
        storage_class,
        tuple(type or ()),
        None if capacity is None else parse_bytes(capacity),
    )
    return node().store.placement.tariffs.declare(name, declared, kind=kind, currency=currency or "")


@app.command()
@effects(DELETE, exposed=False)
def rm(name: Name, kind: Kind = False) -> PriceBook:
    """Take out what is declared for a backend or a kind: its prices are unknown again.

    Examples:
        ipfs-accel store price rm lab
        ipfs-accel store price rm s3 --kind
    """
    return node().store.placement.tariffs.forget(name, kind=kind)


@app.command()
@effects(WRITE, exposed=False)
def region(
    name: Annotated[str, Argument(metavar="REGION", help="As backends are declared to be in it.")],
    at: Annotated[str | None, Option(metavar="LATITUDE,LONGITUDE", help="Where it is, in degrees.")] = None,
    zone: Annotated[
        str | None, Option(metavar="ZONE", help="What fails together with others in it; else it is its own zone.")
    ] = None,
) -> PriceBook:
    """Declare where a region is, for --near, and which zone it belongs to, for --spread.

    Examples:
        ipfs-accel store price region eu-1 --at 50.1,8.7 --zone europe
        ipfs-accel store price region sydney --at=-33.9,151.2
    """
    point = None if at is None else point_of(at)
    if at is not None and point is None:
        raise Invalid(f"--at takes LATITUDE,LONGITUDE as in 50.1,8.7, not {at!r}")
    return node().store.placement.tariffs.place(name, Region(point, zone or ""))
