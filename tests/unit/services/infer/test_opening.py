"""A model for another task is refused by name, before anything is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import DoesNotFit, NotAuthorised, UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, ModelFacts
from ipfs_accel_cli.services.infer.loader import Loader
from ipfs_accel_cli.services.infer.opening import Opener
from tests.conformance.plain_engine import engines, plain_model


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


def test_a_model_that_does_not_fit_is_refused_with_those_that_would(tmp_path: Path) -> None:
    large = plain_model(tmp_path / "large", "large", size_bytes=1 << 60)
    small, other = (plain_model(tmp_path / name, name, size_bytes=1000).facts for name in ("small", "other"))
    huge = replace(small, name="huge", manifest="another", weight_bytes=1 << 60)
    settings = {"infer.engine": "auto", "infer.device": "auto", "infer.threads": 1, "infer.cache-bytes": 0}
    made = Opener(
        lambda _name, _task: large,
        Loader(settings, engines()),
        lambda _folder, _pace: None,
        lambda _task: [large.facts, small, huge, other],
    )
    with (
        pytest.raises(DoesNotFit, match="these models would fit: small, other") as told,
        made.open(large, "embed", None, None),
    ):
        pass
    assert told.value.context["would_fit"] == ["small", "other"]
    assert told.value.exit_code == 8
    assert told.value.suggestion == "ipfs-accel model show small"


def test_who_may_only_look_sends_nothing_to_an_endpoint() -> None:
    asked: list[str] = []

    def elsewhere(reference: str, _task: str) -> Loadable:
        asked.append(reference)
        return Loadable(ModelFacts(reference, reference, tasks=("generate",)), Path())

    made = Opener(cast(Any, None), cast(Any, None), lambda _folder, _pace: None, lambda _task: (), elsewhere)
    for permissions, may in (({"infer:read"}, False), ({"infer:read", "infer:write"}, True)):
        with using(Call(principal=Principal("assistant", "mcp", frozenset(permissions)))):
            if may:
                assert made.find("endpoint:lab/m", "generate").facts.name == "endpoint:lab/m"
            else:
                with pytest.raises(NotAuthorised, match="leaves this machine"):
                    made.find("endpoint:lab/m", "generate")
    assert asked == ["endpoint:lab/m"]
