"""Which network interfaces there are."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from ipfs_accel_cli.probes.network import NetworkProbe, _with_ipv4
from tests.unit.probes.machines import Tree, bare, write

NET = "sys/class/net"


def interfaces(tree: Tree, *with_ipv4: str) -> dict[str, dict[str, Any]]:
    finding = NetworkProbe(tree.sys, tree.proc, lambda: with_ipv4).read()
    assert finding.state == "present"
    return {device["name"]: dict(device) for device in finding.devices}


def interface(name: str, flags: int, speed: str, **more: str) -> dict[str, str]:
    files = {"flags": hex(flags), "speed": speed, "mtu": "1500", **more}
    return {f"{NET}/{name}/{key}": f"{value}\n" for key, value in files.items()}


def test_kinds_speeds_and_families_are_told(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        interface("lo", 0x9, "")
        | interface("eth0", 0x1003, "25000", operstate="up")
        | interface("wlan0", 0x1003, "-1")
        | interface("docker0", 0x1003, "10000", operstate="down")
        | {f"{NET}/eth0/device/vendor": "0x15b3\n", f"{NET}/wlan0/phy80211/name": "phy0\n"}
        | {f"{NET}/bonding_masters": "bond0\n", "proc/net/if_inet6": f"{'0' * 31}1 01 80 10 80       lo\n"},
    )
    found = interfaces(tree, "lo", "eth0")
    assert list(found) == ["docker0", "eth0", "lo", "wlan0"]
    assert {name: one["kind"] for name, one in found.items()} == {
        "lo": "loopback", "eth0": "wired", "wlan0": "wireless", "docker0": "virtual",
    }  # fmt: skip
    assert (found["eth0"]["speed_bits_s"], found["wlan0"]["speed_bits_s"]) == (25_000_000_000, None)
    assert (found["eth0"]["up"], found["docker0"]["up"]) == (True, False)
    assert (found["lo"]["families"], found["eth0"]["families"]) == (["ipv4", "ipv6"], ["ipv4"])


def test_no_address_is_told(tmp_path: Path) -> None:
    tree = write(tmp_path, interface("eth0", 0x1003, "1000", address="02:42:ac:11:00:02"))
    write(tmp_path, {"proc/net/if_inet6": "fe800000000000000042acfffe110002 02 40 20 80     eth0\n"})
    told = repr(interfaces(tree, "eth0"))
    assert "02:42" not in told
    assert "fe80" not in told


@pytest.mark.parametrize("word", ["-1", "0", "4294967295", "fast", ""])
def test_a_speed_that_is_none_is_not_told(tmp_path: Path, word: str) -> None:
    tree = write(tmp_path, interface("eth0", 0x1003, word, mtu="-5"))
    assert (interfaces(tree)["eth0"]["speed_bits_s"], interfaces(tree)["eth0"]["mtu"]) == (None, None)


def test_a_machine_without_interfaces_is_absent(tmp_path: Path) -> None:
    (tmp_path / NET).mkdir(parents=True)
    finding = NetworkProbe(tmp_path / "sys", tmp_path / "proc").read()
    assert (finding.state, finding.reason) == ("absent", "the system shows no network interface")


def test_without_the_kernels_folder_psutil_tells(tmp_path: Path) -> None:
    tree = bare(tmp_path)
    kinds = {one["kind"] for one in interfaces(tree).values()}
    assert "loopback" in kinds


@pytest.mark.skipif(sys.platform != "linux", reason="the structure is that of Linux")
def test_the_interfaces_with_ipv4_are_those_that_psutil_tells() -> None:
    known = {name for name, rows in psutil.net_if_addrs().items() if any(row.family == socket.AF_INET for row in rows)}
    assert _with_ipv4() == known
