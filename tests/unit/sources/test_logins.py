"""Logins to registries, as Docker keeps them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.sources.logins import login_for

SECRET = base64.b64encode(b"me:hush:hush").decode()


@pytest.fixture(autouse=True)
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("DOCKER_AUTH_CONFIG", raising=False)

    def write(auths: object) -> None:
        (tmp_path / "config.json").write_text(json.dumps({"auths": auths}))

    return write


@pytest.mark.parametrize("key", ["ghcr.io", "https://ghcr.io", "https://ghcr.io/v2/"])
def test_a_login_is_found_by_its_registry_however_docker_wrote_it(keep: Any, key: str) -> None:
    keep({key: {"auth": SECRET}})
    found = login_for("ghcr.io")
    assert found is not None
    assert (found.name, found.password, found.basic) == ("me", "hush:hush", f"Basic {SECRET}")
    assert "hush" not in repr(found)
    assert login_for("ghcr.io.example.org") is None


def test_the_hub_of_docker_has_a_name_of_its_own(keep: Any) -> None:
    keep({"https://index.docker.io/v1/": {"auth": SECRET}})
    assert login_for("registry-1.docker.io") is not None
    assert login_for("example.org") is None


def test_the_environment_goes_before_the_file(keep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keep({"ghcr.io": {"auth": SECRET}})
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {"ghcr.io": {"identitytoken": "long"}}}))
    found = login_for("ghcr.io")
    assert found is not None
    assert (found.name, found.identity) == ("", "long")


@pytest.mark.parametrize("auths", [None, [], {"ghcr.io": "text"}, {"ghcr.io": {}}])
def test_what_holds_no_login_is_none(keep: Any, auths: object) -> None:
    keep(auths)
    assert login_for("ghcr.io") is None


def test_what_cannot_be_read_is_refused_without_repeating_it(keep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keep({"ghcr.io": {"auth": "hush!"}})
    with pytest.raises(Invalid) as raised:
        login_for("ghcr.io")
    assert "hush" not in str(raised.value)
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", "{hush")
    with pytest.raises(Invalid) as raised:
        login_for("ghcr.io")
    assert "hush" not in str(raised.value)
