"""Commands for models that run elsewhere."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.endpoints.results import Endpoint, EndpointRemoved, EndpointTested

app = Typer(help="Know servers that run models elsewhere, and use those with -m endpoint:NAME.", no_args_is_help=True)

Name = Annotated[str, Argument(metavar="NAME", help="The name of an endpoint.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="endpoint")


@app.command()
@effects(WRITE, exposed=False)
def add(
    name: Annotated[str, Argument(metavar="NAME", help="What to call it.")],
    url: Annotated[str, Argument(metavar="URL", help="Where it is, as in https://host/v1.")],
    model: Annotated[str | None, Option(help="Ask this model where a command names none.")] = None,
    key_env: Annotated[
        str | None, Option(metavar="VARIABLE", help="Read its key from this environment variable at every use.")
    ] = None,
    key_stdin: Annotated[
        bool, Option("--key-stdin", help="Read its key from standard input and keep it, for you alone to read.")
    ] = False,
    insecure: Annotated[bool, Option("--insecure", help="Allow http to another machine: all can be read.")] = False,
    replace: Annotated[bool, Option("--replace", help="Replace an endpoint of this name, and its key.")] = False,
) -> Endpoint:
    """Make a server of OpenAI's protocol known under a name.

    Its models then answer generate, chat, embed and rerank as local ones do. Nothing of them is here, so nothing of
    them is verified: their results have no CID.

    Examples:
        ipfs-accel infer endpoint add lab https://models.example.org/v1 --key-env LAB_KEY --model llama-3
        ipfs-accel infer endpoint add near http://127.0.0.1:8080
        pass show lab | ipfs-accel infer endpoint add lab https://models.example.org/v1 --key-stdin
    """
    return node().inference.endpoints.add(
        name, url, model=model or "", key_env=key_env or "", key_stdin=key_stdin, insecure=insecure, replace=replace
    )


@app.command()
@effects(READ)
def ls() -> Stream[Endpoint]:
    """List the endpoints that are known, without their keys.

    Examples:
        ipfs-accel infer endpoint ls
        ipfs-accel infer endpoint ls --json
    """
    return node().inference.endpoints.ls()


@app.command()
@effects(READ)
def show(name: Name) -> Endpoint:
    """Show where an endpoint is and where its key comes from.

    Examples:
        ipfs-accel infer endpoint show lab
    """
    return node().inference.endpoints.show(name)


@app.command()
@effects(READ, network=True)
def test(name: Name) -> EndpointTested:
    """Ask an endpoint for its models, how long it takes, and what it can do.

    Examples:
        ipfs-accel infer endpoint test lab
        ipfs-accel infer endpoint test lab --json
    """
    return node().inference.endpoints.test(name)


@app.command()
@effects(DELETE, exposed=False)
def rm(name: Name) -> EndpointRemoved:
    """Forget an endpoint, and its key where that is stored.

    Examples:
        ipfs-accel infer endpoint rm lab
    """
    return node().inference.endpoints.rm(name)
