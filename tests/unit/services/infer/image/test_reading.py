"""Every odd picture becomes red, green and blue, upright; or says by name what is wrong with it."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import (
    AccelError,
    Invalid,
    LimitReached,
    MalformedContent,
    NotAuthorised,
    NotFound,
    UnsupportedContent,
)
from ipfs_accel_cli.services.infer.image import reading
from ipfs_accel_cli.services.infer.image.reading import Picture, Unread, open_pictures, read_picture
from tests.unit.services.infer.image import bad_pictures as bad

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def read(path: Path, **options: int) -> Picture:
    return read_picture(path, Call(), **options)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_upright_however_the_camera_was_held(tmp_path: Path, orientation: int) -> None:
    found = read(bad.turned(tmp_path / "camera.png", orientation))
    assert (found.width, found.height) == (40, 20)
    corners = [tuple(found.pixels[y, x].tolist()) for y, x in ((2, 2), (2, 37), (17, 2), (17, 37))]
    assert corners == [RED, GREEN, BLUE, WHITE]


def test_sixteen_bits_are_scaled_and_not_cut_off(tmp_path: Path) -> None:
    for name in ("grey.png", "grey.tiff"):
        found = read(bad.wide_grey(tmp_path / name))
        assert found.pixels[0, :, 0].tolist() == list(range(256))
        assert (found.pixels[..., 0] == found.pixels[..., 2]).all()


def test_inks_become_colours(tmp_path: Path) -> None:
    path = saved(tmp_path / "print.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0)), quality=95)
    red = read(path).pixels[8, 8].astype(int)
    assert numpy.abs(red - RED).max() < 12


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(tmp_path: Path, mode: str) -> None:
    clear = Image.new("RGBA", (6, 6), (255, 0, 0, 0))
    path = saved(tmp_path / "clear.png", clear.convert(mode) if mode != "P" else clear.quantize(4))
    assert (read(path).pixels == 255).all()


def test_a_palette_and_single_bits_become_colours(tmp_path: Path) -> None:
    assert tuple(read(saved(tmp_path / "p.gif", Image.new("P", (4, 4), 0))).pixels.shape) == (4, 4, 3)
    assert (read(saved(tmp_path / "bit.png", Image.new("1", (4, 4), 1))).pixels == 255).all()


def test_a_palette_is_mixed_as_colours_where_it_is_made_smaller(tmp_path: Path) -> None:
    stripes = Image.new("P", (64, 64))
    stripes.putpalette([0, 0, 0, 255, 255, 255])
    stripes.putdata([x % 2 for _ in range(64) for x in range(64)])
    found = read(saved(tmp_path / "stripes.png", stripes), longest=16)
    assert found.pixels.shape == (16, 16, 3)
    assert 90 < found.pixels.mean() < 165


@pytest.mark.parametrize("name", ["moving.gif", "moving.webp", "moving.png"])
def test_of_an_animation_one_frame_is_looked_at(tmp_path: Path, name: str) -> None:
    path = bad.animation(tmp_path / name)
    assert read(path).frames == 3
    for frame, colour in enumerate((RED, GREEN, BLUE)):
        assert numpy.abs(read(path, frame=frame).pixels[4, 4].astype(int) - colour).max() < 8
    with pytest.raises(Invalid, match="3 frames"):
        read(path, frame=3)


def test_a_jpeg_of_twenty_thousand_pixels_is_decoded_smaller(tmp_path: Path) -> None:
    path = saved(tmp_path / "long.jpg", Image.new("RGB", (20_000, 1_000), "blue"))
    found = read(path)
    assert (found.width, found.height) == (20_000, 1_000)
    assert found.pixels.shape == (205, 4096, 3)
    assert found.scale == pytest.approx((4.88, 4.88), rel=0.01)


def test_a_png_of_twenty_thousand_pixels_is_made_smaller(tmp_path: Path) -> None:
    found = read(saved(tmp_path / "long.png", Image.new("L", (20_000, 500), 128)))
    assert found.pixels.shape == (102, 4096, 3)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.core, "fill", None)
    with pytest.raises(LimitReached, match="20000 x 20000"):
        read(bad.bomb(tmp_path / "bomb.png", 20_000, 20_000))


def test_a_file_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE_BYTES", 10)
    with pytest.raises(LimitReached, match="10 B"):
        read(saved(tmp_path / "a.png", bad.quarters()))


@pytest.mark.parametrize(
    ("name", "format_"), [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.webp", "WEBP"), ("a.gif", "GIF")]
)
def test_what_is_cut_short_is_malformed_by_name(tmp_path: Path, name: str, format_: str) -> None:
    with pytest.raises(MalformedContent, match=name):
        read(bad.cut(tmp_path / name, format_))


@pytest.mark.parametrize("data", [b"", b"hello, this is no picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"BM"])
def test_what_is_no_picture_is_malformed_by_name(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "odd.png").write_bytes(data)
    with pytest.raises(MalformedContent, match=r"odd\.png"):
        read(tmp_path / "odd.png")


def test_floating_point_pixels_are_read_where_it_is_clear_what_is_white(tmp_path: Path) -> None:
    path = saved(tmp_path / "float.tiff", Image.fromarray(numpy.full((4, 4), 0.5, dtype=numpy.float32)))
    assert (read(path).pixels == 128).all()
    saved(path, Image.fromarray(numpy.full((4, 4), 700.0, dtype=numpy.float32)))
    with pytest.raises(UnsupportedContent, match="white"):
        read(path)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200),
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"\xff\xd8\xff", b"II*\0", b"RIFF"]),
)
def test_no_bytes_break_it(tmp_path_factory: pytest.TempPathFactory, data: bytes, begin: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "any"
    path.write_bytes(begin + data)
    with suppress(AccelError):
        assert read(path).pixels.dtype == numpy.uint8


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        read(tmp_path / "nowhere.png")
    with pytest.raises(Invalid, match="directory"):
        read(tmp_path)


def test_one_bad_picture_among_several_fails_alone_and_a_single_one_raises(tmp_path: Path) -> None:
    good, wrong = saved(tmp_path / "good.png", bad.quarters()), tmp_path / "bad.png"
    wrong.write_bytes(b"no")
    found = list(open_pictures([good, wrong, good], Call()))
    assert [type(one) for one in found] == [Picture, Unread, Picture]
    with pytest.raises(MalformedContent):
        list(open_pictures([wrong], Call()))


def test_standard_input_is_a_picture_too(tmp_path: Path) -> None:
    data = io.BytesIO()
    bad.quarters().save(data, "PNG")
    call = Call(input=lambda: io.BytesIO(data.getvalue()))
    for files in ([], [Path("-")]):
        (found,) = open_pictures(files, call)
        assert isinstance(found, Picture)
        assert (found.name, found.width) == ("standard input", 40)
    with pytest.raises(Invalid, match="no picture"):
        open_pictures([], Call())


def test_a_caller_that_is_confined_reads_its_own_folders_only(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", bad.quarters())
    with pytest.raises(NotAuthorised):
        read_picture(path, Call(folders=(tmp_path / "other",)))


def test_standard_input_gives_one_picture_only(tmp_path: Path) -> None:
    bad.quarters().save(tmp_path / "a.png")
    stream = (tmp_path / "a.png").open("rb")
    call = Call(input=lambda: stream)
    read_picture(Path("-"), call)
    with pytest.raises(Invalid, match="once"):
        read_picture(Path("-"), call)
