"""A model for another task is refused by name, before anything is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, ModelFacts
from ipfs_accel_cli.services.infer.opening import Opener


def opener(*tasks: str) -> Opener:
    facts = ModelFacts("pictures", "cid", tasks=tasks)
    return Opener(lambda _name, _task: Loadable(facts, Path()), cast(Any, None), lambda _folder, _pace: None)


def test_a_model_of_other_tasks_is_refused_with_the_tasks_it_has() -> None:
    with pytest.raises(
        UnsupportedContent, match="pictures cannot transcribe: it can image-classify, image-embed"
    ) as told:
        opener("image-classify", "image-embed").find("pictures", "transcribe")
    assert told.value.context["tasks"] == ["image-classify", "image-embed"]


@pytest.mark.parametrize(
    ("tasks", "asked"), [(("embed",), "embed"), (("generate",), "score"), (("generate",), "embed"), ((), "classify")]
)
def test_what_it_can_or_may_be_able_to_do_is_tried(tasks: tuple[str, ...], asked: str) -> None:
    assert opener(*tasks).find("pictures", asked).facts.tasks == tasks
