"""Commands that look at pictures, and one that changes them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.commands.infer.options import Device, Engine, Model, StatsToError
from ipfs_accel_cli.core.effects import READ, WRITE, effects
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.infer.image.asked import Asked, Change
from ipfs_accel_cli.services.infer.image.results import (
    PictureLabels,
    PictureRegions,
    PictureText,
    PictureThings,
    PictureVector,
    PictureWritten,
)

app = Typer(help="Look at pictures: labels, things, regions, vectors, text; and change them.", no_args_is_help=True)

Files = Annotated[
    list[Path] | None,
    Argument(metavar="FILE", help="PNG, JPEG, WebP, GIF, BMP or TIFF; - or nothing is standard input."),
]
Frame = Annotated[int, Option(min=0, help="Of an animation, look at this frame, counted from 0.")]
Batch = Annotated[int | None, Option(help="Pictures that go through the model at once; 8 unless told.")]
Threshold = Annotated[float, Option(help="Leave out what scores less than this, 0 to 1.")]
Annotate = Annotated[
    Path | None,
    Option(metavar="OUT", help="Draw what was found into a copy of the picture; of several, into this folder."),
]
Force = Annotated[bool, Option("--force", help="Replace files that exist.")]


def mount(group: Typer) -> None:
    """Add these commands to the group."""
    group.add_typer(app, name="image")


@app.command()
@effects(READ)
def classify(
    files: Files = None,
    model: Model = None,
    top: Annotated[int, Option(help="Give this many of the likeliest labels.")] = 5,
    frame: Frame = 0,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
    stats: StatsToError = False,
) -> Stream[PictureLabels]:
    """Say what pictures show: the labels of a classifier, the likeliest first.

    Examples:
        ipfs-accel infer image classify flower.jpg
        ipfs-accel infer image classify *.jpg --top 1 > labels.jsonl
        cat photo.png | ipfs-accel infer image classify
    """
    return node().inference.images.classify(Asked(files or [], model, batch, frame, engine, device, stats), top=top)


@app.command()
@effects(READ)
def embed(
    files: Files = None,
    model: Model = None,
    query: Annotated[
        Path | None,
        Option("--query", "--query-image", metavar="FILE", help="Rank the pictures by nearness to this one."),
    ] = None,
    vectors: Annotated[bool, Option("--vectors", help="With --query, give the vectors too.")] = False,
    top: Annotated[int | None, Option(help="With --query, give only this many of the nearest.")] = None,
    frame: Frame = 0,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
    stats: StatsToError = False,
) -> Stream[PictureVector]:
    """Turn pictures into vectors, or rank them by how near they are to another picture.

    Examples:
        ipfs-accel infer image embed *.jpg > vectors.jsonl
        ipfs-accel infer image embed album/*.jpg --query beach.jpg --top 3
    """
    asked = Asked(files or [], model, batch, frame, engine, device, stats)
    return node().inference.images.embed(asked, query=query, top=top, vectors=vectors)


@app.command()
@effects(WRITE)
def detect(
    files: Files = None,
    model: Model = None,
    threshold: Threshold = 0.5,
    annotate: Annotate = None,
    force: Force = False,
    frame: Frame = 0,
    batch: Batch = None,
    engine: Engine = None,
    device: Device = None,
    stats: StatsToError = False,
) -> Stream[PictureThings]:
    """Find things in pictures: a label, a score and a box for each, in pixels of the upright picture.

    Examples:
        ipfs-accel infer image detect street.jpg -m toy-shape-boxes
        ipfs-accel infer image detect street.jpg --threshold 0.8 --annotate found.png
        ipfs-accel infer image detect *.png --json
    """
    asked = Asked(files or [], model, batch, frame, engine, device, stats)
    return node().inference.images.detect(asked, threshold=threshold, annotate=annotate, force=force)


@app.command()
@effects(WRITE)
def segment(
    files: Files = None,
    model: Model = None,
    threshold: Threshold = 0.0,
    masks: Annotated[
        bool, Option("--masks", help="Give each region's mask as run lengths, as COCO writes them uncompressed.")
    ] = False,
    annotate: Annotate = None,
    force: Force = False,
    frame: Frame = 0,
    batch: Annotated[int | None, Option(help="Pictures that go through the model at once; 1 unless told.")] = None,
    engine: Engine = None,
    device: Device = None,
    stats: StatsToError = False,
) -> Stream[PictureRegions]:
    """Say for every pixel of pictures what it shows: regions with their label, share and box.

    Pictures are looked at with up to 1024 pixels a side, and masks are of that size.

    Examples:
        ipfs-accel infer image segment street.jpg -m toy-shape-masks
        ipfs-accel infer image segment street.jpg --annotate tinted.png
        ipfs-accel infer image segment street.jpg --masks --json
    """
    asked = Asked(files or [], model, batch, frame, engine, device, stats)
    return node().inference.images.segment(asked, threshold=threshold, masks=masks, annotate=annotate, force=force)


@app.command()
@effects(WRITE)
def ocr(
    files: Files = None,
    model: Model = None,
    boxes: Annotated[bool, Option("--boxes", help="Say where each line stands.")] = False,
    threshold: Threshold = 0.5,
    language: Annotated[
        str | None, Option(help="With --engine tesseract: which languages, such as eng or eng+deu.")
    ] = None,
    annotate: Annotate = None,
    force: Force = False,
    frame: Frame = 0,
    engine: Annotated[
        str | None, Option(help="rapidocr, which runs a model; or tesseract, the program with its own data.")
    ] = None,
    device: Device = None,
    stats: StatsToError = False,
) -> Stream[PictureText]:
    """Read the text in pictures, line by line.

    Examples:
        ipfs-accel infer image ocr page.png
        ipfs-accel infer image ocr page.png --boxes --json
        ipfs-accel infer image ocr scans/*.png --engine tesseract --language eng+deu
        ipfs-accel infer image ocr page.png --annotate lines.png
    """
    asked = Asked(files or [], model, 1, frame, engine, device, stats)
    return node().inference.images.ocr(
        asked, threshold=threshold, boxes=boxes, language=language, annotate=annotate, force=force
    )


@app.command()
@effects(WRITE)
def process(
    output: Annotated[
        Path, Option("--output", "-o", metavar="OUT", help="The file to write; for several pictures, a folder.")
    ],
    files: Files = None,
    resize: Annotated[str | None, Option(help="640x480; 640x or x480 to keep the shape; or 50%.")] = None,
    crop: Annotated[str | None, Option(help="left,top,right,bottom in pixels of the upright picture.")] = None,
    rotate: Annotated[float, Option(help="Degrees, clockwise.")] = 0.0,
    grey: Annotated[bool, Option("--grey", "--gray", help="Drop the colours.")] = False,
    to: Annotated[
        str | None,
        Option("--to", metavar="KIND", help="png, jpeg, webp, gif, bmp, tiff; else what the name of OUT says."),
    ] = None,
    quality: Annotated[int | None, Option(help="Of JPEG and WebP, 1 to 100.")] = None,
    metadata: Annotated[
        bool, Option("--metadata", help="Keep EXIF and colour profile, which are dropped otherwise.")
    ] = False,
    frame: Frame = 0,
    force: Force = False,
) -> Stream[PictureWritten]:
    """Change pictures and write them: upright first, then cropped, rotated, resized, grey.

    What is written holds no EXIF, so no place and no camera, unless --metadata is given.

    Examples:
        ipfs-accel infer image process photo.jpg -o small.png --resize 224x224
        ipfs-accel infer image process photo.jpg -o part.jpg --crop 10,10,200,150 --quality 80
        ipfs-accel infer image process *.tiff -o pages --grey --to png
    """
    change = Change(resize, crop, rotate, grey, to, quality, metadata)
    return node().inference.images.process(files or [], output, change, frame=frame, force=force)
