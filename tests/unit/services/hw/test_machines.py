"""Named machines: those that ship, those that are saved, and files of other versions and other hands."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.hw.machines import reading
from ipfs_accel_cli.services.hw.machines.service import DATA, Machines
from ipfs_accel_cli.services.hw.results import Machine
from tests.unit.services.hw.machines import GIB, machine

SHIPPED = """
laptop-8gb laptop-16gb macbook-m4-16gb macbook-m4-max-64gb rtx-3060-12gb rtx-4090 l4 a100-80gb h100-80gb 8xh100 mi300x
raspberry-pi-5-8gb container-512mb
"""


@pytest.fixture
def machines(home: Path) -> Machines:
    return Machines(Home(home), lambda full: machine(4 if full else 2))


def written(path: Path, change: Callable[[dict[str, Any]], Any] = lambda value: None) -> str:
    value = json.loads(machine(64, gpus=2).model_dump_json())
    change(value)
    path.write_text(json.dumps(value))
    return str(path)


def test_these_machines_ship_and_each_names_its_sources(machines: Machines) -> None:
    assert machines.names() == sorted(SHIPPED.split())
    for name in machines.names():
        found = machines.show(name)
        assert (found.name, found.origin) == (name, "shipped")
        assert found.about
        assert found.sources
        memory = found.machine.memory
        assert memory.usable_bytes
        assert found.machine.cpu.usable_cores
        assert (memory.bandwidth_bytes_s is None) == (memory.bandwidth_origin is None)
        for device in found.machine.accelerators:
            assert device.memory_total_bytes
            assert (bool(device.bandwidth_bytes_s), device.bandwidth_origin) == (True, "vendor")
            assert device.shares_memory is (found.machine.system == "Darwin")


@pytest.mark.parametrize(
    ("name", "gib", "accelerators", "gb_s"),
    [
        ("rtx-4090", 64, [("cuda", 24)], 1008),
        ("l4", 32, [("cuda", 24)], 300),
        ("a100-80gb", 170, [("cuda", 80)], 2039),
        ("h100-80gb", 234, [("cuda", 80)], 3350),
        ("8xh100", 2048, [("cuda", 80)] * 8, 3350),
        ("mi300x", 231, [("rocm", 192)], 5300),
        ("macbook-m4-max-64gb", 64, [("mps", 48)], 546),
        ("raspberry-pi-5-8gb", 8, [], None),
    ],
)
def test_the_figures_are_those_of_the_data_sheets(
    machines: Machines, name: str, gib: int, accelerators: list[tuple[str, int]], gb_s: int | None
) -> None:
    found = machines.find(name)
    assert found.memory.total_bytes == gib * GIB
    assert [(one.kind, (one.memory_total_bytes or 0) // GIB) for one in found.accelerators] == accelerators
    assert {one.bandwidth_bytes_s for one in found.accelerators} == ({gb_s * 10**9} if gb_s else set())


def test_this_machine_is_kept_as_it_is_seen_and_asked_more_when_told_so(machines: Machines) -> None:
    machines.save("quick")
    machines.save("thorough", full=True)
    assert machines.find("quick") == machines.find(None) == machine(2)
    assert machines.find("thorough") == machine(4)
    assert machines.names(own=True) == ["quick", "thorough"]


def test_a_file_of_another_machine_is_kept_and_can_be_saved_again(machines: Machines, tmp_path: Path) -> None:
    saved = machines.save("server", written(tmp_path / "server.json"))
    assert not saved.replaced
    assert machines.find("server") == machine(64, gpus=2)
    assert not machines.save("server", written(tmp_path / "server.json")).replaced
    # What was written is what `hw info --json` prints, and can be read from there.
    assert reading.machine_of_file(saved.path) == (machine(64, gpus=2), [])
    assert Path(saved.path).stat().st_mode & 0o777 == 0o600


def test_what_show_prints_can_be_saved_too(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "shown.json").write_text(machines.show("8xh100").model_dump_json())
    machines.save("ours", str(tmp_path / "shown.json"))
    assert machines.find("ours") == machines.find("8xh100")


def test_another_machine_under_a_name_that_is_taken_needs_a_word(machines: Machines, tmp_path: Path) -> None:
    machines.save("server")
    with pytest.raises(Conflict) as caught:
        machines.save("server", written(tmp_path / "a.json"))
    assert caught.value.suggestion == "ipfs-accel hw machine save server --replace"
    assert machines.find("server") == machine(2)
    assert machines.save("server", written(tmp_path / "a.json"), replace=True).replaced
    assert machines.find("server") == machine(64, gpus=2)


@pytest.mark.parametrize("name", SHIPPED.split())
def test_what_ships_is_neither_overwritten_nor_removed(machines: Machines, name: str, home: Path) -> None:
    with pytest.raises(Invalid, match="ships with"):
        machines.save(name, replace=True)
    with pytest.raises(Invalid, match="ships with"):
        machines.remove([name])
    assert not (home / "machines").exists()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "A", "ä", "a b", ".hidden", "-rf", "a.", "a.json", "a\n", "a\0", "a" * 65]
)
def test_a_name_that_would_not_do_as_a_file_is_refused(machines: Machines, name: str, home: Path) -> None:
    with pytest.raises(Invalid, match="no name of a machine"):
        machines.save(name)
    with pytest.raises(NotFound):
        machines.show(name)
    with pytest.raises(NotFound):
        machines.remove([name])
    assert not (home / "machines").exists()


def test_an_unknown_name_is_told_with_names_that_are_near(machines: Machines) -> None:
    with pytest.raises(NotFound, match="near names: rtx-4090") as caught:
        machines.find("rtx4090")
    assert caught.value.suggestion == "ipfs-accel hw machine show rtx-4090"
    with pytest.raises(NotFound) as caught:
        machines.find("zzz")
    assert caught.value.suggestion == "ipfs-accel hw machine ls"


def test_all_named_machines_are_removed_or_none(machines: Machines) -> None:
    machines.save("one")
    machines.save("two")
    with pytest.raises(NotFound):
        machines.remove(["one", "three"])
    assert machines.names(own=True) == ["one", "two"]
    assert machines.remove(["one", "two", "one"]).names == ["one", "two"]
    assert machines.names(own=True) == []


def test_a_field_of_a_newer_version_is_left_out_and_named(machines: Machines, tmp_path: Path) -> None:
    def newer(value: dict[str, Any]) -> None:
        value["fans"] = 3
        value["memory"]["ecc"] = True
        value["accelerators"][1]["nvlink"] = {"lanes": 18}

    saved = machines.save("newer", written(tmp_path / "newer.json", newer))
    assert saved.ignored == ["memory.ecc", "accelerators[1].nvlink", "fans"]
    assert machines.find("newer") == machine(64, gpus=2)


def test_a_file_of_an_older_version_lacks_what_was_added_since(machines: Machines, tmp_path: Path) -> None:
    def older(value: dict[str, Any]) -> None:
        for field in ("disks", "networks", "runtimes", "libraries", "torch_build"):
            del value[field]
        value["memory"] = {"state": "present", "total_bytes": 8 * GIB}

    machines.save("older", written(tmp_path / "older.json", older))
    assert machines.find("older").memory.total_bytes == 8 * GIB


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda value: value["memory"].update(total_bytes="8 GB"), "memory.total_bytes"),
        (lambda value: value["memory"].update(total_bytes="8"), "memory.total_bytes"),
        (lambda value: value["memory"].update(total_bytes=True), "memory.total_bytes"),
        (lambda value: value["memory"].update(total_bytes=-1), "memory.total_bytes"),
        (lambda value: value["cpu"].update(usable_cores=float("nan")), "cpu.usable_cores"),
        (lambda value: value["cpu"].update(state="perhaps"), "cpu.state"),
        (lambda value: value["accelerators"][1].update(kind=None), "accelerators[1].kind"),
        (lambda value: value["accelerators"][0].update(memory_total_bytes=-5), "accelerators[0].memory_total_bytes"),
        (lambda value: value.update(accelerators={}), "accelerators"),
        (lambda value: value.update(memory=[]), "memory"),
        (lambda value: value.pop("cpu"), "cpu"),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_field(
    machines: Machines, tmp_path: Path, change: Callable[[dict[str, Any]], Any], field: str
) -> None:
    with pytest.raises(Invalid, match="describes no machine") as caught:
        machines.save("bad", written(tmp_path / "bad.json", change))
    assert f": {field}: " in caught.value.detail
    assert caught.value.errors[0]["pointer"] == field
    assert machines.names(own=True) == []


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"{}", b" " * (2 << 20)])
def test_what_is_no_machine_at_all_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.json").write_bytes(data)
    with pytest.raises(Invalid, match="describes no machine"):
        reading.machine_of_file(str(tmp_path / "file.json"))


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        reading.machine_of_file(str(tmp_path))
    with pytest.raises(NotFound, match="there is no file"):
        reading.machine_of_file(str(tmp_path / "none.json"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*Machine.model_fields, "x"]), inner),
    max_leaves=8,
)


@given(VALUES)
def test_no_file_however_strange_does_more_than_be_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        reading.machine_of(json.dumps(value).encode(), "it")


def test_a_damaged_file_of_ones_own_hides_no_other_machine(machines: Machines, home: Path) -> None:
    machines.save("fine")
    (home / "machines" / "broken.json").write_text('{"cpu": 1}')
    rows = {row.name: row for row in machines.ls().machines}
    assert rows["fine"].problem == ""
    assert "describes no machine" in rows["broken"].problem
    with pytest.raises(Invalid) as caught:
        machines.find("broken")
    assert caught.value.suggestion == "ipfs-accel hw machine rm broken"
    machines.remove(["broken"])
    assert "broken" not in machines.names()


def test_files_that_are_no_machines_are_not_listed(machines: Machines, home: Path) -> None:
    machines.save("fine")
    for name in (".lock", "README", "UPPER.json", ".fine.json.x1"):
        (home / "machines" / name).write_text("")
    assert machines.names(own=True) == ["fine"]


def test_a_list_row_counts_devices_that_are_alike(machines: Machines) -> None:
    rows = {row.name: row for row in machines.ls().machines}
    assert rows["8xh100"].accelerators == ["8 x NVIDIA H100 80GB HBM3 (80.0 GiB, 3350 GB/s)"]
    assert rows["macbook-m4-max-64gb"].accelerators == ["Apple GPU (Metal) (48.0 GiB of the main memory, 546 GB/s)"]
    assert (rows["container-512mb"].cores, rows["container-512mb"].memory_bytes) == (0.5, 512 << 20)


def test_of_many_that_save_one_name_at_once_one_wins_and_the_file_is_whole(home: Path, tmp_path: Path) -> None:
    ended: list[str] = []

    def save(gib: int) -> None:
        try:
            Machines(Home(home), lambda full: machine(gib)).save("race")
            ended.append("saved")
        except AccelError as error:
            ended.append(error.code)

    threads = [threading.Thread(target=save, args=(gib,)) for gib in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["conflict"] * 7 + ["saved"]
    assert Machines(Home(home), lambda full: machine(1)).find("race").memory.total_bytes
    assert sorted(os.listdir(home / "machines")) == [".lock", "race.json"]


def test_the_data_files_travel_with_the_package() -> None:
    assert {path.suffix for path in DATA.iterdir()} == {".toml"}
    assert DATA.parent.name == "machines"
