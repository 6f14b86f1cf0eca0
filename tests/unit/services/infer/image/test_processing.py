"""Pictures changed without a model: what is asked for, nothing else, and nothing lost unasked."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, Invalid, LimitReached, MalformedContent, NotFound, SomeFailed
from ipfs_accel_cli.services.infer.image import drawing
from ipfs_accel_cli.services.infer.image.asked import Change
from ipfs_accel_cli.services.infer.image.processing import size_for
from ipfs_accel_cli.services.infer.image.results import PictureWritten
from tests.unit.services.infer.image import bad_pictures as bad


def process(node: Node, source: Path, output: Path, *, force: bool = False, **change: object) -> PictureWritten:
    (done,) = node.inference.images.process([source], output, Change(**change), force=force)  # type: ignore[arg-type]
    return done


def test_a_camera_picture_becomes_upright_small_and_anonymous(node: Node, tmp_path: Path) -> None:
    done = process(node, bad.turned(tmp_path / "a.jpg", 6), tmp_path / "b.png", resize="20x")
    with Image.open(tmp_path / "b.png") as image:
        assert (image.format, image.size, image.mode) == ("PNG", (20, 10), "RGB")
        assert not image.getexif()
        assert image.getpixel((2, 2))[0] > 200
    assert (done.width, done.height, done.metadata) == (20, 10, False)
    assert done.size_bytes == (tmp_path / "b.png").stat().st_size


def test_metadata_is_kept_when_asked_for_and_says_upright(node: Node, tmp_path: Path) -> None:
    assert process(node, bad.turned(tmp_path / "a.jpg", 6), tmp_path / "b.jpg", metadata=True).metadata
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.getexif()[0x010E] == "a secret place"
        assert bad.ORIENTATION not in image.getexif()
        assert image.size == (40, 20)


def test_crop_rotate_and_grey(node: Node, tmp_path: Path) -> None:
    bad.quarters().save(tmp_path / "a.png")
    process(node, tmp_path / "a.png", tmp_path / "b.png", crop="20,0,40,20", rotate=90, grey=True)
    with Image.open(tmp_path / "b.png") as image:
        assert (image.size, image.mode) == ((20, 20), "L")
        # What was above is right now: clockwise.
        assert image.getpixel((15, 10)) < image.getpixel((5, 10)) == 255


def test_transparency_stays_where_the_format_has_it_and_is_white_elsewhere(node: Node, tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.png")
    process(node, tmp_path / "a.png", tmp_path / "b.png", resize="4x4")
    process(node, tmp_path / "a.png", tmp_path / "b.jpg")
    with Image.open(tmp_path / "b.png") as kept, Image.open(tmp_path / "b.jpg") as flat:
        assert kept.getpixel((1, 1))[3] == 0
        assert flat.getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bits_keep_their_steps(node: Node, tmp_path: Path) -> None:
    process(node, bad.wide_grey(tmp_path / "a.png"), tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert numpy.asarray(image)[0].tolist() == list(range(256))


def test_what_is_there_is_not_replaced_unasked(node: Node, tmp_path: Path) -> None:
    bad.quarters().save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"precious")
    with pytest.raises(Conflict, match="--force"):
        process(node, tmp_path / "a.png", tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == b"precious"
    process(node, tmp_path / "a.png", tmp_path / "b.png", force=True)
    assert (tmp_path / "b.png").read_bytes() != b"precious"


def test_a_picture_that_fails_leaves_nothing(node: Node, tmp_path: Path) -> None:
    with pytest.raises(MalformedContent):
        process(node, bad.cut(tmp_path / "a.png", "PNG"), tmp_path / "b.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_several_go_into_a_folder_and_one_that_fails_fails_alone(node: Node, tmp_path: Path) -> None:
    names = ("a.png", "b.png", "c.png")
    for name in names:
        bad.quarters().save(tmp_path / name)
    (tmp_path / "b.png").write_bytes(b"no")
    with pytest.raises(NotFound, match="folder"):
        list(node.inference.images.process([tmp_path / name for name in names], tmp_path / "out", Change()))
    (tmp_path / "out").mkdir()
    stream = node.inference.images.process(
        [tmp_path / name for name in names], tmp_path / "out", Change(format="jpeg", quality=70)
    )
    with pytest.raises(SomeFailed) as raised:
        list(stream)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.jpeg", "c.jpeg"]
    assert [one["pointer"] for one in raised.value.errors] == [str(tmp_path / "b.png")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resize": "big"}, "640x480"),
        ({"resize": "0x4"}, "nothing"),
        ({"crop": "1,2,3"}, "left,top,right,bottom"),
        ({"crop": "5,0,5,9"}, "nothing"),
        ({"crop": "0,0,900,9"}, "40 x 20"),
        ({"quality": 0}, "1 and 100"),
        ({"format": "docx"}, "png"),
        ({"quality": 80}, "PNG"),
    ],
)
def test_what_makes_no_sense_is_said(node: Node, tmp_path: Path, change: dict[str, object], said: str) -> None:
    bad.quarters().save(tmp_path / "a.png")
    with pytest.raises(Invalid, match=said):
        process(node, tmp_path / "a.png", tmp_path / "b.png", **change)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 500))
def test_a_side_alone_keeps_the_shape(width: int, height: int, side: int) -> None:
    try:
        wide, high = size_for(f"{side}x", width, height)
    except LimitReached:
        assert height * side / width > 16384
        return
    assert wide == side
    assert high == max(1, round(height * side / width))


@given(st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=9))
def test_run_lengths_give_the_mask_back(rows: list[list[bool]]) -> None:
    mask = numpy.array(rows)
    counts = drawing.run_lengths(mask)
    assert sum(counts) == mask.size
    assert (drawing.from_run_lengths(counts, *mask.shape) == mask).all()


def test_run_lengths_are_those_of_coco() -> None:
    # Column by column, the first run of pixels outside: what pycocotools makes of it, too.
    assert drawing.run_lengths(numpy.array([[0, 1], [1, 1]], dtype=bool)) == [1, 3]
    assert drawing.run_lengths(numpy.array([[1, 0], [1, 0]], dtype=bool)) == [0, 2, 2]


def test_a_tiff_keeps_no_place_in_the_tags_that_pillow_copies(node: Node, tmp_path: Path) -> None:
    tags = {700: b"<x:xmpmeta>GPS 1 2</x:xmpmeta>", 271: "a camera", 33723: b"a secret place", 34377: b"8BIM place"}
    bad.quarters().save(tmp_path / "a.tiff", tiffinfo=tags)
    process(node, tmp_path / "a.tiff", tmp_path / "b.tiff")
    written = (tmp_path / "b.tiff").read_bytes()
    assert not [said for said in (b"GPS", b"camera", b"place") if said in written]


def test_a_picture_with_a_preview_as_phones_make_is_a_jpeg(node: Node, tmp_path: Path) -> None:
    bad.quarters().save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[bad.quarters()])
    (tmp_path / "out").mkdir()
    done = process(node, tmp_path / "a.jpg", tmp_path / "out", quality=80)
    assert (done.format, done.output) == ("JPEG", str(tmp_path / "out" / "a.jpg"))
    with Image.open(tmp_path / "out" / "a.jpg") as image:
        assert image.format == "JPEG"


def test_a_colour_profile_does_not_go_with_a_picture_in_grey(node: Node, tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    bad.quarters().save(tmp_path / "a.jpg", icc_profile=profile)
    process(node, tmp_path / "a.jpg", tmp_path / "b.jpg", grey=True, metadata=True)
    process(node, tmp_path / "a.jpg", tmp_path / "c.jpg", metadata=True)
    with Image.open(tmp_path / "b.jpg") as grey, Image.open(tmp_path / "c.jpg") as colours:
        assert "icc_profile" not in grey.info
        assert colours.info["icc_profile"] == profile


def test_what_a_format_cannot_hold_is_said_and_nothing_is_left_behind(node: Node, tmp_path: Path) -> None:
    bad.quarters().save(tmp_path / "a.png")
    with pytest.raises(Invalid, match="WEBP"):
        process(node, tmp_path / "a.png", tmp_path / "b.webp", resize="16384x4")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    "change",
    [
        *({"rotate": float("nan")}, {"rotate": float("inf")}, {"resize": "9" * 400 + "%"}),
        *({"resize": "9" * 5000 + "x1"}, {"crop": f"0,0,{'9' * 5000},1"}),
    ],
    ids=["nan", "infinite", "percent", "pixels", "crop"],
)
def test_numbers_beyond_reason_are_refused_as_such(node: Node, tmp_path: Path, change: dict[str, object]) -> None:
    bad.quarters().save(tmp_path / "a.png")
    with pytest.raises(Invalid, match=r"--(rotate|resize|crop)"):
        process(node, tmp_path / "a.png", tmp_path / "b.png", **change)


def test_a_colour_that_stands_for_transparent_stays_transparent(node: Node, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "a.png", transparency=(255, 0, 0))
    process(node, tmp_path / "a.png", tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as image:
        assert image.convert("RGBA").getpixel((1, 1))[3] == 0
