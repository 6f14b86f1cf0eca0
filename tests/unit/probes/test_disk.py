"""Which disks the home folder lies on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.probes.disk import DiskProbe
from tests.unit.probes.machines import Tree, write


def mounts(root: Path, *lines: str) -> Tree:
    return write(root, {"proc/self/mountinfo": "".join(f"{line}\n" for line in lines)})


def disks(tree: Tree, folder: Path) -> list[dict[str, Any]]:
    finding = DiskProbe(folder, tree.proc, tree.sys).read()
    assert finding.state == "present"
    return [dict(device) for device in finding.devices]


def turning(root: Path, numbers: str, told: str, device: str = "sda") -> None:
    """Make a disk that says whether it turns, reached by its numbers as the kernel links them."""
    folder = root / "sys" / "devices" / device
    write(folder, {"queue/rotational": f"{told}\n"})
    link = root / "sys" / "dev" / "block" / numbers
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(folder)


def test_the_lowest_mount_above_the_home_counts(tmp_path: Path) -> None:
    home = tmp_path / "data" / "home"
    home.mkdir(parents=True)
    tree = mounts(
        tmp_path,
        "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
        f"23 22 8:17 / {tmp_path / 'data'} rw,noatime shared:2 - xfs /dev/sdb1 rw",
        f"24 22 0:44 / {tmp_path / 'dat'} rw - tmpfs tmpfs rw",
    )
    turning(tmp_path, "8:17", "1")
    (disk,) = disks(tree, home)
    assert (disk["name"], disk["file_system"], disk["place"]) == ("/dev/sdb1", "xfs", str(tmp_path / "data"))
    assert (disk["rotational"], disk["read_only"]) == (True, False)
    assert disk["total_bytes"] > disk["free_bytes"] >= 0


def test_a_folder_in_the_home_that_lies_elsewhere_is_a_disk_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "blocks").mkdir(parents=True)
    (home / "other").mkdir()
    tree = mounts(
        tmp_path,
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw",
        f"23 22 0:50 / {home / 'blocks'} rw - nfs4 server:/models rw",
    )
    assert [(disk["index"], disk["name"], disk["rotational"]) for disk in disks(tree, home)] == [
        (0, "/dev/sda1", None),
        (1, "server:/models", None),
    ]


def test_a_home_that_is_not_there_lies_where_its_nearest_folder_does(tmp_path: Path) -> None:
    tree = mounts(tmp_path, "22 1 8:1 / / rw - ext4 /dev/sda1 ro")
    (disk,) = disks(tree, tmp_path / "not" / "there")
    assert (disk["name"], disk["read_only"]) == ("/dev/sda1", True)


def test_a_place_with_a_space_is_read_as_the_kernel_writes_it(tmp_path: Path) -> None:
    home = tmp_path / "my disk"
    home.mkdir()
    escaped = str(home).replace(" ", "\\040")
    tree = mounts(tmp_path, "22 1 8:1 / / rw - ext4 /dev/sda1 rw", f"23 22 8:2 / {escaped} rw - btrfs /dev/sda2 rw")
    assert disks(tree, home)[0]["place"] == str(home)


@pytest.mark.parametrize(("told", "turns"), [("1", True), ("0", False), ("?", None)])
def test_an_encrypted_disk_turns_when_the_disk_below_does(tmp_path: Path, told: str, turns: bool | None) -> None:
    tree = mounts(tmp_path, "22 1 253:0 / / rw - ext4 /dev/mapper/root rw")
    turning(tmp_path, "253:0", "0", "dm-0")
    turning(tmp_path, "8:1", told)
    slaves = tmp_path / "sys" / "devices" / "dm-0" / "slaves"
    slaves.mkdir()
    (slaves / "sda").symlink_to(tmp_path / "sys" / "devices" / "sda")
    assert disks(tree, tmp_path)[0]["rotational"] is turns


def test_a_partition_turns_as_its_disk_does(tmp_path: Path) -> None:
    tree = mounts(tmp_path, "22 1 8:1 / / rw - ext4 /dev/sda1 rw")
    write(tmp_path, {"sys/devices/sda/queue/rotational": "0\n", "sys/devices/sda/sda1/size": "9\n"})
    (tmp_path / "sys" / "dev" / "block").mkdir(parents=True)
    (tmp_path / "sys" / "dev" / "block" / "8:1").symlink_to(tmp_path / "sys" / "devices" / "sda" / "sda1")
    assert disks(tree, tmp_path)[0]["rotational"] is False


def test_a_virtual_disk_does_not_tell(tmp_path: Path) -> None:
    tree = mounts(tmp_path, "22 1 254:0 / / rw - ext4 /dev/vda rw")
    turning(tmp_path, "254:0", "1", "pci0/virtio2/block/vda")
    assert disks(tree, tmp_path)[0]["rotational"] is None


def test_what_this_system_has_mounted_is_told_without_mountinfo(tmp_path: Path) -> None:
    (disk,) = disks(Tree(tmp_path / "proc", tmp_path / "sys"), tmp_path)
    assert disk["total_bytes"] > 0
    assert disk["place"]
