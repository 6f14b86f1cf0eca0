"""Old versions and interrupted downloads go; what anybody may still want stays."""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.units import parse_duration
from ipfs_accel_cli.services.model.pruning import old
from ipfs_accel_cli.services.model.pull import held
from ipfs_accel_cli.services.model.using import mapped
from tests.running import Ran
from tests.servers.hub import hub
from tests.servers.tiny_model import lay_out, tiny_model


@pytest.fixture
def three(node: Node, tmp_path: Path) -> Node:
    """A node with three versions of one name, whose weights differ."""
    for seed in range(3):
        node.models.add(lay_out(tmp_path / str(seed) / "tiny", tiny_model(seed=seed)))
    return node


def left(node: Node, name: str = "tiny") -> list[int]:
    return [one.version for one in node.models.history.versions(name).versions]


def test_a_dry_run_tells_what_goes_and_takes_nothing(three: Node) -> None:
    planned = three.models.pruner.prune(dry_run=True)

    weights = len(tiny_model()["model.safetensors"])
    assert [(one.version, one.frees_bytes) for one in planned.versions] == [(2, weights), (1, weights)]
    assert (planned.dry_run, planned.released_manifests, planned.freed_bytes) == (True, [], 0)
    assert planned.reclaimable_bytes >= 2 * weights
    assert left(three) == [3, 2, 1]
    with pytest.raises(Invalid, match="dry run"):
        three.models.pruner.prune(dry_run=True, collect=True)


def test_what_a_deployment_serves_stays_whole(three: Node) -> None:
    three.models.deploys.new("chat", "tiny@1")
    manifest = three.models.show("tiny@1").manifest_cid

    for dry_run in (True, False):
        pruned = three.models.pruner.prune(dry_run=dry_run, collect=not dry_run)
        weights = len(tiny_model()["model.safetensors"])
        assert [(one.version, one.frees_bytes) for one in pruned.versions] == [(2, weights)]
        assert [(one.version, one.reason) for one in pruned.spared] == [(1, "the deployment chat@1 serves it")]
        assert pruned.reclaimable_bytes < 2 * weights
    assert left(three) == [3, 1]
    assert three.models.find(manifest, "embed").facts.files
    three.models.deploys.remove(["chat"])
    assert [one.version for one in three.models.pruner.prune().versions] == [1]


def test_the_content_goes_with_gc_and_what_stays_is_whole(three: Node) -> None:
    pruned = three.models.pruner.prune(keep=2)
    assert ([one.version for one in pruned.versions], left(three)) == ([1], [3, 2])
    weights = len(tiny_model()["model.safetensors"])
    assert pruned.reclaimable_bytes >= weights

    collected = three.models.pruner.prune(collect=True)
    assert left(three) == [3]
    assert (collected.freed_bytes >= 2 * weights, collected.reclaimable_bytes) == (True, 0)
    assert three.models.verify("tiny", full=True).files == len(tiny_model())
    again = three.models.pruner.prune(collect=True)
    assert (again.versions, again.freed_bytes) == ([], 0)


def test_an_alias_and_a_time_keep_versions(three: Node) -> None:
    three.models.tag("tiny@1", "best")
    assert three.models.pruner.prune(older_than="1h").versions == []

    pruned = three.models.pruner.prune(older_than="0s")
    assert ([one.version for one in pruned.versions], left(three)) == ([2], [3, 1])
    assert [(one.version, one.reason) for one in pruned.spared] == [(1, "the alias best means it")]


def test_a_version_that_another_model_builds_on_stays(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(tmp_path / "hub" / "acme" / "base", tiny_model())
    with hub(tmp_path / "hub") as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        node.models.pull("hf://acme/base")
    node.models.add(lay_out(tmp_path / "base", tiny_model(seed=1)))
    card = b"---\nbase_model: acme/base\n---\n"
    node.models.add(lay_out(tmp_path / "tuned", tiny_model(seed=2) | {"README.md": card}))

    pruned = node.models.pruner.prune()
    assert [(one.name, one.version, one.reason) for one in pruned.spared] == [("base", 1, "tuned@1 builds on it")]
    node.models.remove(["tuned"])
    assert [one.version for one in node.models.pruner.prune().versions] == [1]


@pytest.mark.skipif(mapped(Node().home) is None, reason="this system does not tell what a process has mapped")
def test_a_version_in_use_by_another_process_stays(three: Node, tmp_path: Path) -> None:
    weights = next(one for one in three.models.show("tiny@1").files if one.path == "model.safetensors")
    path = next(three.home.objects.rglob(weights.sha256))
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        with path.open("rb") as file:
            held_open = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            os.write(ready[1], b"x")
            os.read(done[0], 1)
            held_open.close()
        os._exit(0)
    try:
        os.read(ready[0], 1)
        pruned = three.models.pruner.prune()
        assert [(one.version, f"process {child} " in one.reason) for one in pruned.spared] == [(1, True)]
        assert left(three) == [3, 1]
    finally:
        os.write(done[1], b"x")
        os.waitpid(child, 0)
    three.models.pruner.prune()
    assert left(three) == [3]


def test_only_downloads_that_nobody_works_on_go_and_only_old_ones_with_a_time(three: Node) -> None:
    for name, age in (("fresh", 0), ("stale", 7200), ("working", 7200)):
        folder = three.home.ensure("partial", name)
        (folder / "lock").touch()
        (folder / "part").write_bytes(bytes(1000))
        for path in folder.iterdir():
            os.utime(path, (time.time() - age,) * 2)
    with held(three.home, "working"):
        os.utime(three.home.partial / "working" / "lock", (time.time() - 7200,) * 2)
        planned = three.models.pruner.prune(older_than="1h", dry_run=True)
        assert (planned.partial_downloads, planned.partial_bytes) == (1, 1000)
        assert three.models.pruner.prune(["tiny"]).partial_downloads == 0
        assert three.models.pruner.prune(older_than="1h").partial_downloads == 1
        assert three.models.pruner.prune().partial_downloads == 1
        assert sorted(path.name for path in three.home.partial.iterdir()) == ["working"]


def test_only_names_are_pruned_and_durations_are_read(three: Node) -> None:
    for name, error in (("none", NotFound), ("tiny@1", NotFound)):
        with pytest.raises(error):
            three.models.pruner.prune([name])
    assert left(three) == [3, 2, 1]
    assert [parse_duration(text) for text in ("90m", "12h", "1.5d", "2w")] == [5400, 43200, 129600, 1209600]
    for text in ("", "7", "-1d", "1y", "9" * 30 + "d"):
        with pytest.raises(Invalid):
            parse_duration(text)
    with pytest.raises(Invalid):
        three.models.pruner.prune(older_than="999999999w")


def test_the_command_line_prunes(three: Node, cli: Callable[..., Ran]) -> None:
    three.close()
    ran = cli("model", "prune", "tiny", "--gc", "--json")
    assert (ran.status, [one["version"] for one in ran.json["versions"]]) == (0, [2, 1])
    assert cli("model", "prune", "--keep", "0").status == 2


def test_what_was_made_of_an_old_version_goes_with_it(three: Node) -> None:
    def make(target: Path) -> dict[str, str]:
        target.write_bytes(b"graph" * 1000)
        return {"engine": "test"}

    three.models.derived.obtain(three.models.show("tiny@1").manifest_cid, "graph", make)
    planned = {one.version: one.frees_bytes for one in three.models.pruner.prune(dry_run=True).versions}
    assert planned[1] == planned[2] + 5000
    assert three.models.pruner.prune(collect=True).freed_bytes >= sum(planned.values())
    assert three.store.check() == []


def test_what_changed_between_plan_and_deed_stays(three: Node) -> None:
    planned = old(three.models._registry.names(), 1, None)
    three.models.tag("tiny@1", "best")
    three.models.remove(["tiny@3"])

    gone, released = three.models.pruner._take_off(planned, 1)
    assert (gone, released, left(three)) == (set(), [], [2, 1])
