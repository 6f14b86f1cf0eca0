"""Commands for other places that keep content."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.core.units import parse_duration
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.store.backends.results import BackendRemoved, BackendShown, BackendTested, Swept

app = Typer(help="Know other places that keep content, and use those as NAME: in every command.", no_args_is_help=True)

Name = Annotated[str, Argument(metavar="NAME", help="The name of a backend.")]


def _text(help: str, metavar: str = "TEXT") -> object:
    return Option(metavar=metavar, help=help, show_default=False)


@app.command()
@effects(WRITE, exposed=False)
def add(
    name: Annotated[str, Argument(metavar="NAME", help="What to call it.")],
    kind: Annotated[
        str, Argument(metavar="KIND", help="local, s3, ipfs, gateway, hf, storacha or pinsvc; see the page on storage.")
    ],
    path: Annotated[str | None, _text("local: the folder.", "FOLDER")] = None,
    bucket: Annotated[str | None, _text("s3: the bucket.")] = None,
    prefix: Annotated[str | None, _text("Keep all below this path.")] = None,
    endpoint: Annotated[str | None, _text("s3, hf: another server than the usual one.", "URL")] = None,
    region: Annotated[str | None, _text("Where it is, for s3 and for placement.")] = None,
    url: Annotated[str | None, _text("ipfs, gateway, pinsvc, storacha: the server.", "URL")] = None,
    repo: Annotated[str | None, _text("hf: the repository.", "ORG/NAME")] = None,
    option: Annotated[
        list[str] | None, Option("--option", metavar="NAME=VALUE", help="What else the kind takes; can be repeated.")
    ] = None,
    token_env: Annotated[
        str | None, Option(metavar="VARIABLE", help="Read its token from this environment variable at every use.")
    ] = None,
    token_stdin: Annotated[
        bool, Option("--token-stdin", help="Read its token from standard input and keep it, for you alone to read.")
    ] = False,
    token_keyring: Annotated[
        bool, Option("--token-keyring", help="Read its token from standard input and keep it in the desktop's keyring.")
    ] = False,
    replace: Annotated[bool, Option("--replace", help="Replace a backend of this name, and its token.")] = False,
) -> BackendShown:
    """Make a place known under a name; `NAME:` and `NAME:path` then mean it.

    Nothing is asked there yet: `store backend test` does that.

    Examples:
        ipfs-accel store backend add cold local --path /mnt/disk
        ipfs-accel store backend add lab s3 --bucket models --endpoint https://s3.example.org --region eu-1
        pass show pinner | ipfs-accel store backend add pinner pinsvc --url https://pins.example.org --token-stdin
    """
    named = {
        "path": path,
        "bucket": bucket,
        "prefix": prefix,
        "endpoint": endpoint,
        "region": region,
        "url": url,
        "repo": repo,
    }
    options = {key: value for key, value in named.items() if value} | dict(map(_pair, option or []))
    if token_stdin and token_keyring:
        raise Invalid("a token is kept in a file or in the keyring: give one of --token-stdin and --token-keyring")
    return node().store.backends.add(
        name,
        kind,
        options,
        token_env=token_env or "",
        token_from="stdin" if token_stdin else "keyring" if token_keyring else "",
        replace=replace,
    )


@app.command()
@effects(READ)
def ls() -> Stream[BackendShown]:
    """List the backends that are known, without their tokens.

    Examples:
        ipfs-accel store backend ls
        ipfs-accel store backend ls --json
    """
    return node().store.backends.ls()


@app.command()
@effects(READ)
def show(name: Name) -> BackendShown:
    """Show how a backend is reached, where its token comes from and what it can do.

    Examples:
        ipfs-accel store backend show cold
    """
    return node().store.backends.show(name)


@app.command("test")
@effects(WRITE, network=True)
def ask(
    name: Name,
    round_trip: Annotated[
        bool, Option("--round-trip", help="Put something small there, read it back, in part too, and delete it.")
    ] = False,
) -> BackendTested:
    """Ask a backend how it is.

    Examples:
        ipfs-accel store backend test cold
        ipfs-accel store backend test cold --round-trip
    """
    return node().store.backends.test(name, whole=round_trip)


@app.command()
@effects(DELETE, network=True)
def sweep(
    name: Name,
    older: Annotated[str, Option(metavar="TIME", help="Only what was left so long ago, as in 12h or 7d.")] = "1d",
) -> Swept:
    """Clear what uploads left there that were killed and never went on.

    Examples:
        ipfs-accel store backend sweep lab
        ipfs-accel store backend sweep lab --older 7d
    """
    return node().store.backends.sweep(name, parse_duration(older))


@app.command()
@effects(DELETE, exposed=False)
def rm(name: Name) -> BackendRemoved:
    """Forget a backend and its token; what lies there stays.

    Examples:
        ipfs-accel store backend rm cold
    """
    return node().store.backends.remove(name)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Invalid(f"--option takes NAME=VALUE, not {text!r}")
    return name.replace("-", "_"), value
