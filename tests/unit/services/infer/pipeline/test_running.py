"""Pipelines run: kept by what decides them, gone on with after a kill, and never stale."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import Call, Principal, current, using
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotAuthorised, NotFound, Unavailable
from tests.conformance.plain_engine import plain_model
from tests.unit.services.infer.pipeline.serving import Bench, bench
from tests.unit.services.infer.serving import Told

TWO = """
[inputs]
start = "text"
[steps.write]
run = "generate"
prompt = "$inputs.start"
max_tokens = 3
[steps.again]
run = "generate"
prompt = "${write.text} or"
max_tokens = 2
[outputs]
poem = "$again.text"
"""
FILED = """
[steps.read]
run = "embed"
file = "texts.txt"
[outputs]
texts = { join = "$read.*.text", with = "+" }
"""
GIVEN = '[inputs]\nwords = "file"\n' + FILED.replace('"texts.txt"', '"$inputs.words"')


@pytest.fixture
def served(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.chdir(tmp_path)
    with bench(node, tmp_path) as made:
        yield made


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        (tmp_path / "p.toml").write_text(text)
        return tmp_path / "p.toml"

    return write


def test_answers_flow_from_step_to_step_and_are_kept(served: Bench, written: Callable[[str], Path]) -> None:
    file = written(TWO)
    first = served.run(file, "start=a b")
    assert first.outputs == {"poem": " a b"}
    assert first.cid == str(CID.of(file.read_bytes()))
    assert [step.state for step in first.steps] == ["ran", "ran"]
    second = served.run(file, "start=a b")
    assert second.outputs == first.outputs
    assert [step.state for step in second.steps] == ["cached", "cached"]
    assert [step.value_cid for step in second.steps] == [step.value_cid for step in first.steps]
    assert json.loads(bytes(b"".join(map(bytes, served.node.store.open(first.steps[0].value_cid)))))["text"] == " a b a"
    assert served.states(file, "start=c") == {"write": "ran", "again": "ran"}
    assert served.states(file, "start=a b", fresh=True) == {"write": "ran", "again": "ran"}


def test_a_step_that_is_changed_runs_anew_and_what_it_needs_does_not(
    served: Bench, written: Callable[[str], Path]
) -> None:
    served.run(written(TWO), "start=a b")
    changed = written(TWO.replace("max_tokens = 2", "max_tokens = 1"))
    assert served.states(changed, "start=a b") == {"write": "cached", "again": "ran"}


def test_another_model_under_the_name_runs_its_steps_anew(
    served: Bench, written: Callable[[str], Path], tmp_path: Path
) -> None:
    file = written(TWO.replace('run = "generate"', 'run = "generate"\nmodel = "letters"', 1))
    served.run(file, "start=a b")
    other = plain_model(tmp_path / "other")
    served.models["letters"] = replace(other, facts=replace(other.facts, manifest="another"))
    assert served.states(file, "start=a b") == {"write": "ran", "again": "ran"}


def test_a_file_that_changes_is_read_anew_whatever_its_name(
    served: Bench, written: Callable[[str], Path], tmp_path: Path
) -> None:
    file = written(FILED)
    (tmp_path / "texts.txt").write_text("one\n")
    assert served.run(file).outputs == {"texts": "one"}
    assert served.states(file) == {"read": "cached"}
    (tmp_path / "texts.txt").write_text("two\n")
    assert served.run(file).outputs == {"texts": "two"}
    (tmp_path / "texts.txt").unlink()
    with pytest.raises(NotFound, match="no file"):
        served.run(file)


def test_a_prompt_template_that_changes_runs_its_steps_anew(
    served: Bench, written: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "t").write_text("x {{ input }}")
    served.node.inference.prompts.add("t", tmp_path / "t")
    file = written(TWO.replace('run = "generate"', 'run = "generate"\nprompt_name = "t"', 1))
    assert served.run(file, "start=a b").outputs == {"poem": " x a"}
    assert served.states(file, "start=a b") == {"write": "cached", "again": "cached"}
    (tmp_path / "t").write_text("y {{ input }}")
    served.node.inference.prompts.add("t", tmp_path / "t")
    assert served.run(file, "start=a b").outputs == {"poem": " y a"}


def test_files_go_in_by_their_address(served: Bench, written: Callable[[str], Path], tmp_path: Path) -> None:
    file = written(GIVEN)
    for name in ("first.txt", "second.txt"):
        (tmp_path / name).write_text("one\ntwo\n")
    assert served.run(file, "words=first.txt").outputs == {"texts": "one+two"}
    # The same bytes are the same input.
    assert served.states(file, "words=second.txt") == {"read": "cached"}


def test_a_file_that_a_step_writes_is_a_value_and_kept(
    served: Bench, written: Callable[[str], Path], tmp_path: Path
) -> None:
    pictures: Any = pytest.importorskip("PIL.Image")
    pictures.new("RGB", (8, 4), "red").save(tmp_path / "red.png")
    file = written(
        '[inputs]\npicture = "file"\n[steps.small]\nrun = "image process"\nfiles = "$inputs.picture"\nresize = "4x2"\n'
        'output = "small.png"\n[steps.turned]\nrun = "image process"\nfiles = "$small.output"\nrotate = 90\n'
        'output = "turned.png"\n[outputs]\npicture = "$turned.output"\n'
    )
    first = served.run(file, "picture=red.png", save=tmp_path / "out")
    with pictures.open(tmp_path / "out" / "picture.png") as picture:
        assert picture.size == (2, 4)
    assert first.outputs["picture"]["file"] == first.steps[1].files["output"]
    second = served.run(file, "picture=red.png", save=tmp_path / "again")
    assert [step.state for step in second.steps] == ["cached", "cached"]
    assert (tmp_path / "again" / "picture.png").read_bytes() == (tmp_path / "out" / "picture.png").read_bytes()
    assert not list(tmp_path.glob("*small*"))
    with using(Call(folders=(tmp_path,))):
        assert served.states(file, "picture=red.png", fresh=True) == {"small": "ran", "turned": "ran"}


def test_a_list_takes_one_text_whole(served: Bench, written: Callable[[str], Path]) -> None:
    text = '[inputs]\none = "text"\n[steps.read]\nrun = "embed"\ntexts = "$inputs.one"\n'
    text += '[outputs]\nall = "$read.*.text"\n'
    assert served.run(written(text), "one=abc").outputs == {"all": ["abc"]}


def test_what_gc_took_is_made_anew(served: Bench, written: Callable[[str], Path], tmp_path: Path) -> None:
    file = written(GIVEN)
    (tmp_path / "words.txt").write_text("one\ntwo\n")
    before = served.run(file, "words=words.txt")
    served.node.store.gc()
    after = served.run(file, "words=words.txt")
    assert [step.state for step in after.steps] == ["ran"]
    assert after.outputs == before.outputs


def test_a_gc_in_the_middle_of_a_run_takes_nothing_of_it(
    served: Bench, written: Callable[[str], Path], tmp_path: Path
) -> None:
    file = written(GIVEN.replace("[outputs]", '[steps.b]\nrun = "embed"\nfile = "$inputs.words"\n[outputs]'))
    (tmp_path / "words.txt").write_text("one\ntwo\n")

    class Collecting(Told):
        def progress(self, done: float, total: float | None, message: str, unit: str) -> None:
            served.node.store.gc()

    for _ in range(2):
        with using(Call(reporter=Collecting())):
            assert served.run(file, "words=words.txt").outputs == {"texts": "one+two"}


def test_outputs_are_saved_and_nothing_is_overwritten(
    served: Bench, written: Callable[[str], Path], tmp_path: Path
) -> None:
    file = written(TWO + 'start = "$inputs.start"\nall = "$again"\n')
    done = served.run(file, "start=a b", save=tmp_path / "out")
    assert (tmp_path / "out" / "poem.txt").read_text() == " a b"
    assert json.loads((tmp_path / "out" / "all.json").read_text())["text"] == " a b"
    assert len(done.saved) == 3
    with pytest.raises(Conflict, match="is there already"):
        served.run(file, "start=a b", save=tmp_path / "out")
    (tmp_path / "flat").write_text("")
    with pytest.raises(Unavailable, match="cannot write into"):
        served.run(file, "start=a b", save=tmp_path / "flat" / "in")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "needs start"),
        (("start",), "NAME=VALUE"),
        (("end=x",), "NAME=VALUE"),
        (("start=a", "start=b"), "given 2 times"),
    ],
)
def test_inputs_must_be_those_of_the_pipeline(
    served: Bench, written: Callable[[str], Path], given: tuple[str, ...], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        served.run(written(TWO), *given)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "many", "--5"])
def test_a_number_is_a_number(served: Bench, written: Callable[[str], Path], value: str) -> None:
    text = TWO.replace('start = "text"', 'start = "text"\ncount = "number"').replace("= 2", '= "$inputs.count"')
    with pytest.raises(Invalid, match="is a number"):
        served.run(written(text), "start=a", f"count={value}")
    assert served.run(written(text), "start=a", "count=1").outputs == {"poem": " a"}


def test_no_step_reads_the_input_of_the_caller(served: Bench, written: Callable[[str], Path]) -> None:
    def opened() -> None:
        raise AssertionError("a step read the caller's input")

    with using(Call(input=opened)):  # type: ignore[arg-type]
        with pytest.raises(Invalid, match="no prompt"):
            served.run(written('[steps.a]\nrun = "generate"\n'))
        with pytest.raises(NotFound):
            served.run(written('[steps.a]\nrun = "chat"\nmessages = "-"\n'))


def test_a_confined_caller_reaches_only_its_folders(
    served: Bench, written: Callable[[str], Path], tmp_path: Path
) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (tmp_path / "texts.txt").write_text("secret\n")
    (allowed / "words.txt").write_text("one\n")
    for name, text in (("given", GIVEN), ("filed", FILED.replace("texts.txt", str(tmp_path / "texts.txt")))):
        (allowed / f"{name}.toml").write_text(text)
    schema = FILED.replace("embed", "generate").replace("file =", "json_schema =").replace("$read.*", "$read")
    (allowed / "schema.toml").write_text(schema.replace("texts.txt", str(tmp_path / "texts.txt")))
    with using(Call(folders=(allowed,))):
        assert served.run(allowed / "given.toml", f"words={allowed / 'words.txt'}").outputs == {"texts": "one"}
        for name, given in (("filed", []), ("schema", []), ("given", [f"words={tmp_path / 'texts.txt'}"])):
            with pytest.raises(NotAuthorised, match="outside the folders"):
                served.run(allowed / f"{name}.toml", *given)
        with pytest.raises(NotAuthorised):
            served.run(allowed / "given.toml", f"words={allowed / 'words.txt'}", save=tmp_path / "out")
        assert current().folders == (allowed,)


def test_a_step_asks_for_the_permission_of_its_command(served: Bench, written: Callable[[str], Path]) -> None:
    writer = Principal("writer", "token", frozenset({"infer:write"}))
    with using(Call(principal=writer)), pytest.raises(NotAuthorised, match="infer:read"):
        served.run(written(TWO), "start=a")


KILLED = """
    import sys
    from pathlib import Path
    from ipfs_accel_cli import Node
    from tests.unit.services.infer.pipeline.serving import bench

    home, folder, file = map(Path, sys.argv[1:])
    with Node(home) as node, bench(node, folder, step_ms=150) as served:
        served.run(file, "start=a b")
"""


def test_a_killed_run_goes_on_where_it_was(served: Bench, written: Callable[[str], Path], tmp_path: Path) -> None:
    file = written(TWO.replace("max_tokens = 2", "max_tokens = 200"))
    home = served.node.home.path
    argv = [sys.executable, "-c", textwrap.dedent(KILLED), str(home), str(tmp_path / "slow"), str(file)]
    root = str(Path(__file__).parents[5])
    running = subprocess.Popen(argv, cwd=tmp_path, env=os.environ | {"PYTHONPATH": root})
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not _steps_kept(served):
            assert running.poll() is None
            time.sleep(0.02)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert served.states(file, "start=a b") == {"write": "cached", "again": "ran"}


def _steps_kept(served: Bench) -> int:
    connection = served.node.database.read()
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'pipeline_steps'").fetchone() is None:
        return 0
    return int(connection.execute("SELECT COUNT(*) FROM pipeline_steps").fetchone()[0])
