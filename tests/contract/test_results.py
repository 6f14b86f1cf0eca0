"""Every result: what a table, `--quiet` and the bars of a terminal ask of it is there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import ipfs_accel_cli
from ipfs_accel_cli.core.results import Result


def kinds(kind: type[Result]) -> Iterator[type[Result]]:
    for one in kind.__subclasses__():
        yield one
        yield from kinds(one)


def every_result() -> list[type[Result]]:
    for module in pkgutil.walk_packages(ipfs_accel_cli.__path__, "ipfs_accel_cli."):
        if "results" in module.name.rsplit(".", 1)[-1] or module.name.startswith("ipfs_accel_cli.services."):
            importlib.import_module(module.name)
    found = {one for one in kinds(Result) if one.__module__.startswith("ipfs_accel_cli.")}
    return sorted(found, key=lambda one: (one.__module__, one.__qualname__))


RESULTS = every_result()


def test_results_were_found() -> None:
    assert len(RESULTS) > 200


@pytest.mark.parametrize("kind", RESULTS, ids=lambda one: f"{one.__module__}.{one.__qualname__}")
def test_what_is_shown_of_a_result_is_a_field_or_property_of_it(kind: type[Result]) -> None:
    wanted = {*kind.columns, *kind.bars, *kind.gains, *([kind.essence] if kind.essence else [])}

    assert {name for name in wanted if name not in kind.model_fields and not hasattr(kind, name)} == set()
