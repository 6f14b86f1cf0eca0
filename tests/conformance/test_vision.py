"""Every engine of ours that looks at pictures passes the suite of pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Engine, Loadable, Plan
from ipfs_accel_cli.tasks import TASKS
from tests.conformance.engine_suite import chunks_of
from tests.conformance.vision_suite import VisionSuite, pictures

pytestmark = pytest.mark.models
TASKS_OF_TORCH = ("image-classify", "image-embed", "image-detect", "image-segment")
TASKS_OF_GRAPHS = TASKS_OF_TORCH[:2]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Loadable]:
    from tests.conformance import tiny_vision

    folder = tmp_path_factory.mktemp("models")
    vit = tiny_vision.classifier(folder / "tiny-vit")
    return {
        "image-classify": vit,
        "image-embed": vit,
        "image-detect": tiny_vision.detector(folder / "tiny-yolos"),
        "image-segment": tiny_vision.segmenter(folder / "tiny-segformer"),
    }


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    from tests.conformance import tiny_vision

    return tiny_vision.convolutions(tmp_path_factory.mktemp("models") / "tiny-resnet")


@pytest.fixture(params=TASKS_OF_TORCH)
def task(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def engine() -> Engine:
    engine: Engine = ENGINES.load("torch")()
    return engine


@pytest.fixture
def model(models: dict[str, Loadable], task: str) -> Loadable:
    return models[task]


class TestTorch(VisionSuite):
    @pytest.fixture
    def engine(self, engine: Engine) -> Engine:
        return engine

    @pytest.fixture
    def model(self, model: Loadable) -> Loadable:
        return model

    @pytest.fixture
    def task(self, task: str) -> str:
        return task


@pytest.mark.slow
class TestOnnx(VisionSuite):
    @pytest.fixture(params=TASKS_OF_GRAPHS)
    def task(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def engine(self) -> Engine:
        pytest.importorskip("onnxruntime")
        engine: Engine = ENGINES.load("onnx")()
        return engine

    @pytest.fixture
    def model(self, model: Loadable) -> Loadable:
        return model


class TestOnnxOfPlanes(TestOnnx):
    @pytest.fixture
    def model(self, planes: Loadable) -> Loadable:
        return planes


class TestOnnxInt8(TestOnnx):
    least_agreement = 0.99

    @pytest.fixture
    def engine(self) -> Engine:
        pytest.importorskip("onnxruntime")
        engine: Engine = ENGINES.load("onnx-int8")()
        return engine


class TestOpenVino(TestOnnx):
    @pytest.fixture
    def engine(self) -> Engine:
        pytest.importorskip("openvino")
        engine: Engine = ENGINES.load("openvino")()
        return engine


@pytest.mark.slow
def test_a_network_of_convolutions_is_not_taken_for_one_in_8_bits(planes: Loadable, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    engine = ENGINES.load("onnx-int8")()
    with pytest.raises(UnsupportedContent, match="convolutions stay whole"):
        engine.derive(planes.facts, planes.folder, "image-embed", tmp_path / "graph")


@pytest.mark.parametrize("task", TASKS_OF_GRAPHS)
def test_a_model_that_takes_pictures_of_many_sizes_is_not_exported(
    models: dict[str, Loadable], tmp_path: Path, task: str
) -> None:
    pytest.importorskip("onnxruntime")
    vit = models["image-classify"]
    shutil.copytree(vit.folder, tmp_path / "vit")
    said = json.loads((vit.folder / "preprocessor_config.json").read_text())
    (tmp_path / "vit/preprocessor_config.json").write_text(json.dumps({**said, "do_resize": False}))
    with pytest.raises(UnsupportedContent, match="pictures of many sizes"):
        ENGINES.load("onnx")().derive(vit.facts, tmp_path / "vit", task, tmp_path / "graph")


def test_labels_are_those_of_plain_transformers(engine: Engine, models: dict[str, Loadable]) -> None:
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    vit, shown = models["image-classify"], pictures()
    request = TASKS.load("image-classify")().prepare(shown, _options())
    found = TASKS.load("image-classify")().collect(
        chunks_of(engine.load(vit.facts, vit.folder, Plan("image-classify", threads=1)), request)
    )
    processor = AutoImageProcessor.from_pretrained(vit.folder, backend="pil")
    plain = AutoModelForImageClassification.from_pretrained(vit.folder).eval()
    with torch.inference_mode():
        expected = plain(**processor(list(shown.images), return_tensors="pt")).logits.softmax(-1).numpy()
    assert found.rows == pytest.approx(expected, abs=1e-5)
    assert found.labels == ("cat", "dog", "bird")


def test_a_mask_has_the_size_of_its_picture_and_each_pixel_one_label(
    engine: Engine, models: dict[str, Loadable]
) -> None:
    model, shown = models["image-segment"], pictures()
    task = TASKS.load("image-segment")()
    session = engine.load(model.facts, model.folder, Plan("image-segment", threads=1))
    found = task.collect(chunks_of(session, task.prepare(shown, _finding())))
    for image, regions in zip(shown.images, found.found, strict=True):
        assert sum(region.mask.astype(int) for region in regions).min() == 1
        assert sum(region.mask.astype(int) for region in regions).max() == 1
        assert all(region.mask.shape == image.shape[:2] for region in regions)
        assert [region.mask.sum() for region in regions] == sorted((r.mask.sum() for r in regions), reverse=True)


def test_boxes_lie_in_the_picture_and_the_surest_comes_first(engine: Engine, models: dict[str, Loadable]) -> None:
    model, shown = models["image-detect"], pictures()
    task = TASKS.load("image-detect")()
    session = engine.load(model.facts, model.folder, Plan("image-detect", threads=1))
    found = task.collect(chunks_of(session, task.prepare(shown, _finding())))
    for image, boxes in zip(shown.images, found.found, strict=True):
        assert boxes
        assert [box.score for box in boxes] == sorted((box.score for box in boxes), reverse=True)
        for box in boxes:
            assert 0 <= box.left <= box.right <= image.shape[1]
            assert 0 <= box.top <= box.bottom <= image.shape[0]


def test_a_model_that_does_not_say_how_it_wants_pictures_is_refused(
    engine: Engine, models: dict[str, Loadable], tmp_path: Path
) -> None:
    vit = models["image-classify"]
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((vit.folder / name).read_bytes())
    with pytest.raises(UnsupportedContent, match="preprocessor_config"):
        engine.load(vit.facts, tmp_path, Plan("image-classify", threads=1))


def test_cut_weights_are_malformed(engine: Engine, models: dict[str, Loadable], tmp_path: Path) -> None:
    vit = models["image-classify"]
    for path in vit.folder.iterdir():
        data = path.read_bytes()
        (tmp_path / path.name).write_bytes(data[:-100] if path.suffix == ".safetensors" else data)
    with pytest.raises(MalformedContent):
        engine.load(vit.facts, tmp_path, Plan("image-classify", threads=1))


def _options() -> object:
    from ipfs_accel_cli.engines.exchange.image import ImageOptions

    return ImageOptions(2)


def _finding() -> object:
    from ipfs_accel_cli.engines.exchange.image import FindOptions

    return FindOptions(2, 0.0)
