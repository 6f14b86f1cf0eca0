"""Commands of the group `model deploy`: how models are served, in versions, and files for what serves them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.core.listing import chosen
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.deploy.results import (
    Deployed,
    DeploymentDifference,
    Deployments,
    RemovedDeployments,
    Rendered,
    ShownDeployment,
    Target,
)

app = Typer(help="How models are served: versions of settings, and files of them for servers.", no_args_is_help=True)

_Deployment = Annotated[str, Argument(help="A deployment, or one version of it as name@2.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="deploy")


@app.command()
@effects(WRITE)
def new(
    name: Annotated[str, Argument(help="What to call the deployment: a-z, 0-9, dot, dash, underscore.")],
    model: Annotated[
        str | None, Option("--model", "-m", help="What to serve: a name, name@version, alias, CID or reference.")
    ] = None,
    file: Annotated[
        Path | None, Option("--from", metavar="FILE.toml", help="Take the settings of a file, not of the last version.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        Option("--set", metavar="KEY=VALUE", help="Change a setting; KEY= takes it off; may be given again."),
    ] = None,
    api_key_env: Annotated[
        str | None, Option(metavar="NAME", help="The variable that holds the key of the server; never the key.")
    ] = None,
    require_fit: Annotated[
        bool, Option("--require-fit", help="Make no version unless the model is known to fit this machine.")
    ] = False,
) -> Deployed:
    """Make the next version of how a model is served; what is not given stays as it was.

    The model is pinned by its CID and kept, with its name. The same settings again make no version.
    Settings: server, file, engine, device, dtype, kv_dtype, threads, gpu_layers, context, batch, parallel, host, port,
    alias, api_key_env, memory_limit, cpu_limit, image, extra_args, labels.NAME.
    Only the owner's own shell changes image, extra_args, host and api_key_env.

    Examples:
        ipfs-accel model deploy new chat --model qwen@1
        ipfs-accel model deploy new chat --set context=4096 --set parallel=2 --set labels.team=search
        ipfs-accel model deploy new chat --set host=0.0.0.0 --api-key-env CHAT_KEY
        ipfs-accel model deploy new chat --from chat.toml
    """
    given = [*(assignments or []), *([f"api_key_env={api_key_env}"] if api_key_env is not None else [])]
    return node().models.deploys.new(name, model, file, given, require_fit=require_fit)


@app.command()
@effects(READ)
def ls(where: Filter = None, sort: Sort = None, columns: Columns = None) -> Deployments:
    """List the deployments as they are now.

    Examples:
        ipfs-accel model deploy ls
        ipfs-accel model deploy ls -q
        ipfs-accel model deploy ls --filter server=accel --sort -created
    """
    return chosen(node().models.deploys.ls(), where=where, sort=sort, columns=columns)


@app.command()
@effects(READ)
def show(deployment: _Deployment) -> ShownDeployment:
    """Show the settings of a deployment and its versions; -q prints the TOML that `new --from` takes.

    Examples:
        ipfs-accel model deploy show chat
        ipfs-accel model deploy show chat@1 -q > chat.toml
    """
    return node().models.deploys.show(deployment)


@app.command()
@effects(WRITE)
def render(
    deployment: _Deployment,
    target: Annotated[Target, Option("--for", help="What is to serve the model.")],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FOLDER", help="Write the file there; - or nothing prints it.")
    ] = None,
    replace: Annotated[bool, Option("--replace", help="Also over a file that is there and differs.")] = False,
) -> Rendered:
    """Write the file that makes a server serve the model: a script, a unit, a Modelfile or a Compose file.

    It names the store's own files, which stay while the deployment does. A secret is named by its variable only.

    Examples:
        ipfs-accel model deploy render chat --for llama-server
        ipfs-accel model deploy render chat --for systemd -o .
        ipfs-accel model deploy render chat@1 --for compose -o ./chat --replace
    """
    return node().models.deploys.render(deployment, target, output, replace=replace)


@app.command()
@effects(READ)
def diff(
    before: _Deployment,
    after: Annotated[str | None, Argument(help="The other one; without it the last two versions are compared.")] = None,
) -> DeploymentDifference:
    """Show how two versions differ: setting by setting, and in the files of their models.

    Examples:
        ipfs-accel model deploy diff chat
        ipfs-accel model deploy diff chat@1 chat@3
    """
    return node().models.deploys.diff(before, after)


@app.command()
@effects(DELETE, idempotent=False)
def rm(
    names: Annotated[list[str], Argument(help="Deployments with all their versions, or single versions (name@2).")],
) -> RemovedDeployments:
    """Take deployments off; a model that nothing else keeps stays until `model gc`.

    Examples:
        ipfs-accel model deploy rm chat
        ipfs-accel model deploy rm chat@1
    """
    return node().models.deploys.remove(names)
