"""Pictures into numbers: the same for every engine, whatever library computes with them."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.samples import pictures
from ipfs_accel_cli.engines.seeing import LITE0, seer


def test_the_middle_of_a_picture_is_what_lite0_takes(tmp_path: Path) -> None:
    wide = numpy.zeros((100, 300, 3), numpy.uint8)
    wide[:, 100:200] = (127, 255, 0)
    (seen,) = seer(tmp_path, LITE0)([wide])
    assert (seen.shape, seen.dtype) == ((3, 224, 224), numpy.float32)
    # 127 is the middle of its scale, and 128 its unit.
    assert seen[:, 112, 112].tolist() == pytest.approx([0, 1, -127 / 128], abs=1e-6)


def test_pictures_of_any_size_become_one_stack(tmp_path: Path) -> None:
    seen = seer(tmp_path, LITE0)(pictures(6))
    assert seen.shape == (6, 3, 224, 224)
    assert numpy.isfinite(seen).all()


def test_a_model_that_does_not_say_how_it_wants_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedContent, match="preprocessor_config"):
        seer(tmp_path, "vit")


@pytest.mark.models
def test_a_model_sees_what_the_processor_of_transformers_gives(tmp_path: Path) -> None:
    from transformers import AutoImageProcessor

    from tests.conformance.tiny_models import write_json

    said = {"size": {"height": 32, "width": 32}, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4]}
    write_json(tmp_path / "preprocessor_config.json", {"image_processor_type": "ViTImageProcessor", **said})
    shown = pictures(4)
    plain = AutoImageProcessor.from_pretrained(tmp_path, backend="pil")(list(shown), return_tensors="pt")
    seen = seer(tmp_path, "vit")(shown)
    assert seen.dtype == numpy.float32
    assert (seen == plain["pixel_values"].numpy()).all()


def test_made_up_pictures_are_always_the_same_and_each_another() -> None:
    first, again = pictures(13), pictures(13)
    assert all((one == other).all() for one, other in zip(first, again, strict=True))
    assert len({one.tobytes() for one in first}) == 13
    assert {one.shape for one in pictures(3, (20, 30))} == {(20, 30, 3)}
