"""What is wrong with a pipeline is said with a pointer to it; what is right is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.commands.infer.pipeline import kinds
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound
from ipfs_accel_cli.services.infer.pipeline.kinds import WRITTEN
from tests.unit.services.infer.pipeline.serving import Bench, bench

GOOD = """
name = "poem"
about = "Goes on, and compares."
[inputs]
start = "text"
lines = "texts"
[steps.write]
run = "generate"
prompt = "${inputs.start} and"
max-tokens = 3
[steps.near]
run = "embed"
texts = "$inputs.lines"
query = "$write.text"
[outputs]
best = "$near.*.text"
poem = "$write.text"
"""


@pytest.fixture
def served(node: Node, tmp_path: Path) -> Iterator[Bench]:
    with bench(node, tmp_path) as made:
        yield made


def written(folder: Path, text: str) -> Path:
    (folder / "p.toml").write_text(text)
    return folder / "p.toml"


def test_a_pipeline_that_can_run_says_what_each_step_needs_and_gives(served: Bench, tmp_path: Path) -> None:
    found = served.node.inference.pipelines.check(written(tmp_path, GOOD), kinds())
    assert (found.name, found.inputs, found.outputs) == (
        "poem",
        {"start": "text", "lines": "texts"},
        ["best", "poem"],
    )
    assert [(step.step, step.needs, step.gives) for step in found.steps] == [
        ("write", ["$inputs.start"], "Generation"),
        ("near", ["$inputs.lines", "$write.text"], "a list of Embedding"),
    ]


@pytest.mark.parametrize(
    ("changed", "into", "pointer", "said"),
    [
        ('run = "generate"', 'run = "sing"', "/steps/write/run", "no command 'sing'"),
        ('run = "generate"', 'run = "batch"', "/steps/write/run", "no command 'batch'"),
        ('run = "generate"', 'run = "prompt rm"', "/steps/write/run", "no command 'prompt rm'"),
        ('run = "generate"', 'run = "pipeline run"', "/steps/write/run", "no command 'pipeline run'"),
        ("max-tokens = 3", "tokens = 3", "/steps/write/tokens", "takes no 'tokens'"),
        ("max-tokens = 3", 'max-tokens = "three"', "/steps/write/max_tokens", "valid integer"),
        ("max-tokens = 3", 'shots-by = "worst"', "/steps/write/shots_by", "'similar' or 'first'"),
        ("max-tokens = 3", "stop = [1]", "/steps/write/stop", "valid string"),
        ("max-tokens = 3", 'max-tokens = "$inputs.start"', "/steps/write/max_tokens", "is a number"),
        ("max-tokens = 3", 'examples = "$inputs.start"', "/steps/write/examples", "is a file"),
        ("max-tokens = 3", 'model = "nobody"', "/steps/write/model", "no model named 'nobody'"),
        ('query = "$write.text"', 'query = "$write.rhyme"', "/steps/near/query", "has no 'rhyme'"),
        ('query = "$write.text"', 'query = "$inputs.lines"', "/steps/near/query", "makes one text of many"),
        ('query = "$write.text"', 'query = "$inputs.other"', "/steps/near/query", "is no input"),
        ('best = "$near.*.text"', 'best = "$near.text"', "/outputs/best", "has no 'text' there"),
        ('best = "$near.*.text"', 'best = "$far.text"', "/outputs/best", "no step 'far'"),
    ],
)
def test_each_mistake_has_a_pointer(
    served: Bench, tmp_path: Path, changed: str, into: str, pointer: str, said: str
) -> None:
    assert changed in GOOD
    with pytest.raises(Invalid) as raised:
        served.node.inference.pipelines.check(written(tmp_path, GOOD.replace(changed, into)), kinds())
    (problem,) = raised.value.errors
    assert problem["pointer"] == pointer
    assert said in problem["detail"]


def test_what_the_schema_of_an_answer_leaves_open_can_be_referred_to(served: Bench, tmp_path: Path) -> None:
    text = GOOD.replace('query = "$write.text"', 'query = "$write.value.name"')
    served.node.inference.pipelines.check(written(tmp_path, text), kinds())


def test_files_that_are_no_pipelines_are_refused(served: Bench, tmp_path: Path) -> None:
    pipelines = served.node.inference.pipelines
    with pytest.raises(NotFound):
        pipelines.check(tmp_path / "none.toml", kinds())
    with pytest.raises(Invalid, match="cannot read"):
        pipelines.check(tmp_path, kinds())
    (tmp_path / "p.toml").write_bytes(b"\xff")
    with pytest.raises(Invalid, match="UTF-8"):
        pipelines.check(tmp_path / "p.toml", kinds())
    (tmp_path / "p.toml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(LimitReached, match="longer than"):
        pipelines.check(tmp_path / "p.toml", kinds())


def test_steps_are_commands_that_an_assistant_may_call_too() -> None:
    assert {"embed", "classify", "generate", "chat"} <= set(kinds())
    assert not {name for name in kinds() if name.split()[0] in {"pipeline", "bench", "prompt", "batch", "endpoint"}}


def test_it_is_known_of_every_file_whether_a_step_reads_or_writes_it() -> None:
    """Who adds a parameter for a file: does it belong to those of `kinds.WRITTEN`?"""
    read = {"file", "files", "image", "images", "query", "query_image", "examples", "json_schema", "messages"}
    named = {name for kind in kinds().values() for name, one in kind.parameters.items() if one.names_file}
    assert named - WRITTEN <= read
    written = {kind.name: kind.written for kind in kinds().values() if kind.written}
    assert written["audio speak"] == {"output"}
    assert written["image detect"] == {"annotate"}
    assert kinds()["image generate"].parameters["output"].required


@pytest.mark.parametrize("name", ["../out.wav", "/tmp/out.wav", "", ".", "..", "-", "a/b.wav"])
def test_what_a_step_writes_has_a_name_and_no_folder(served: Bench, tmp_path: Path, name: str) -> None:
    file = written(tmp_path, f'[steps.say]\nrun = "audio speak"\ntext = "hello"\noutput = "{name}"\n')
    with pytest.raises(Invalid) as raised:
        served.node.inference.pipelines.check(file, kinds())
    assert "without a folder" in raised.value.errors[0]["detail"]


def test_a_pipeline_is_drawn_for_pages_and_for_graphviz(served: Bench, tmp_path: Path) -> None:
    pipelines = served.node.inference.pipelines
    mermaid = pipelines.graph(written(tmp_path, GOOD), "mermaid").text
    assert mermaid.splitlines() == [
        "flowchart LR",
        '    n0(["start<br/>text"])',
        '    n1(["lines<br/>texts"])',
        '    n2["write<br/>generate"]',
        '    n3["near<br/>embed"]',
        '    n4(["best"])',
        '    n5(["poem"])',
        "    n0 --> n2",
        "    n1 --> n3",
        '    n2 -- "text" --> n3',
        '    n3 -- "*.text" --> n4',
        '    n2 -- "text" --> n5',
    ]
    dot = pipelines.graph(tmp_path / "p.toml", "dot").text
    assert dot.startswith('digraph "poem" {')
    assert '"step_write" [label="write\\ngenerate", shape=box];' in dot
    assert '"step_write" -> "step_near" [label="text"];' in dot


@pytest.mark.parametrize("lost", ["$inputs.other", "$inputs", "$inputs.start.more"])
def test_what_leads_nowhere_cannot_be_drawn(served: Bench, tmp_path: Path, lost: str) -> None:
    file = written(tmp_path, GOOD.replace("$inputs.lines", lost))
    with pytest.raises(Invalid, match="neither an input nor a step"):
        served.node.inference.pipelines.graph(file, "dot")
