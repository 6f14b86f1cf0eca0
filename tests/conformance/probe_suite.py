"""What every probe promises; a probe passes it on every machine, working or broken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ipfs_accel_cli.probes.base import Finding, Probe


class ProbeSuite:
    """Derive from this and give the fixture `probe`."""

    @pytest.fixture
    def probe(self) -> Probe:
        raise NotImplementedError

    def test_it_answers_in_its_own_name(self, probe: Probe) -> None:
        finding = probe.read()
        assert isinstance(finding, Finding)
        assert finding.name == probe.name

    def test_what_is_not_present_has_a_reason_in_one_line(self, probe: Probe) -> None:
        finding = probe.read()
        assert finding.state in ("present", "absent", "unknown")
        assert finding.state == "present" or finding.reason
        assert "\n" not in finding.reason

    def test_the_finding_is_json(self, probe: Probe) -> None:
        finding = probe.read()
        told = {"facts": dict(finding.facts), "devices": [dict(device) for device in finding.devices]}
        assert json.loads(json.dumps(told, allow_nan=False)) == told

    def test_bytes_are_whole_numbers_and_none_is_negative(self, probe: Probe) -> None:
        for key, value in _quantities(probe.read()):
            if key.endswith("_bytes"):
                assert value is None or (type(value) is int and value >= 0)

    def test_it_prints_nothing(self, probe: Probe, capfd: pytest.CaptureFixture[str]) -> None:
        probe.read()
        assert capfd.readouterr() == ("", "")

    def test_it_can_be_asked_from_several_threads(self, probe: Probe) -> None:
        with ThreadPoolExecutor(4) as pool:
            findings = list(pool.map(lambda _: probe.read(), range(8)))
        assert {finding.state for finding in findings} == {probe.read().state}

    def test_each_device_has_a_place_and_a_state(self, probe: Probe) -> None:
        finding = probe.read()
        assert [device["index"] for device in finding.devices] == list(range(len(finding.devices)))
        for device in finding.devices:
            assert device["state"] == "present" or device["reason"]

    def test_devices_are_listed_only_where_something_is_there(self, probe: Probe) -> None:
        finding = probe.read()
        assert finding.state != "absent" or not finding.devices


def _quantities(finding: Finding) -> Iterator[tuple[str, Any]]:
    tables: list[Mapping[str, Any]] = [finding.facts, *finding.devices]
    for table in tables:
        yield from table.items()
