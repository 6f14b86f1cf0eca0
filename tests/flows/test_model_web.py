"""Models at addresses of the web, in CAR files and in the store: what a user meets beside the conformance suite."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import http, retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    MalformedContent,
    NotAuthorised,
    NotFound,
    Offline,
    Unavailable,
    UnsupportedContent,
    VerificationFailed,
)
from ipfs_accel_cli.sources.reference import parse
from tests.servers.tiny_model import safetensors
from tests.servers.web import Web, web

WEIGHTS = safetensors({"layer.weight": (256, 256)})
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "small.safetensors").write_bytes(WEIGHTS)
    with web(tmp_path / "web") as served:
        yield served


def test_a_single_file_of_weights_is_a_model(node: Node, site: Web) -> None:
    pulled = node.models.pull(f"{site.url}/small.safetensors#sha256={SHA256}")
    assert (pulled.name, pulled.files, pulled.size_bytes) == ("small", 1, len(WEIGHTS))
    site.log.clear()
    again = node.models.pull(f"{site.url}/small.safetensors", sha256=SHA256.upper())
    assert (again.new, again.fetched_bytes) == (False, 0)
    assert not [line for line in site.log if line.startswith("GET")]


@pytest.mark.parametrize(
    ("stated", "error"),
    [
        ({"sha256": "00" * 32}, VerificationFailed),
        ({"size_bytes": 12}, VerificationFailed),
        ({"sha256": "not hex"}, Invalid),
    ],
)
def test_what_is_not_as_stated_is_refused(
    node: Node, site: Web, stated: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        node.models.pull(f"{site.url}/small.safetensors", **stated)
    assert node.models.ls().models == []


def test_a_digest_can_be_stated_of_a_file_on_the_web_only(node: Node, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="https://"):
        node.models.pull("pypi://some-model", sha256=SHA256)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("loop", Unavailable),
        ("page", NotFound),
        ("nothing.safetensors", NotFound),
        ("model.tar.gz", UnsupportedContent),
    ],
)
def test_what_is_no_model_says_what_it_is(node: Node, site: Web, path: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        node.models.pull(f"{site.url}/{path}")


def test_a_redirect_is_followed_but_never_from_https_to_http(node: Node, site: Web) -> None:
    assert node.models.pull(f"{site.url}/moved/small.safetensors").files == 1
    import httpx

    secure = httpx.Request("GET", "https://example.org/model")
    downgrade = httpx.Response(302, headers={"location": "http://example.org/model"}, request=secure)
    with pytest.raises(Unavailable, match="from https to http"):
        http._check_redirect(downgrade)


def test_a_file_that_changes_between_two_halves_is_not_glued_together(node: Node, site: Web) -> None:
    path = site.folder / "small.safetensors"
    site.faults.cuts, site.faults.cut_after_bytes = 1, 4000
    other = safetensors({"layer.weight": (256, 256)}, seed=1)
    real = site.answer

    def changing(handler: Any) -> None:
        if handler.headers.get("range"):
            path.write_bytes(other)
        real(handler)

    site.answer = changing  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="changed"):
        node.models.pull(f"{site.url}/small.safetensors")
    assert node.models.ls().models == []
    pulled = node.models.pull(f"{site.url}/small.safetensors")
    assert node.models.show(pulled.name).files[0].sha256 == hashlib.sha256(other).hexdigest()


@pytest.mark.parametrize("tags", [True, False])
def test_a_killed_download_goes_on_where_the_server_proves_that_it_is_the_same_file(
    node: Node, site: Web, tags: bool
) -> None:
    import threading

    site.tags = tags
    site.faults.hold = threading.Event()
    command = [sys.executable, "-m", "ipfs_accel_cli", "model", "pull", f"{site.url}/small.safetensors"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    assert site.held.wait(60)
    while not any(path.stat().st_size for path in node.home.partial.glob("*/fetched/small.safetensors")):
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    site.faults.hold.set()
    site.faults.hold = None

    (kept,) = [path.stat().st_size for path in node.home.partial.glob("*/fetched/small.safetensors")]
    pulled = node.models.pull(f"{site.url}/small.safetensors")
    assert pulled.size_bytes == len(WEIGHTS)
    assert site.log[-1] == "GET /small.safetensors" + (f" bytes={kept}-" if tags else "")
    # Without an entity tag nothing proves that the halves belong together, so it is fetched from the beginning.
    assert (pulled.fetched_bytes < len(WEIGHTS)) is tags


def test_secrets_of_an_address_are_neither_kept_nor_shown(node: Node, site: Web) -> None:
    pulled = node.models.pull(f"{site.url}/small.safetensors?signature=hush")
    assert "hush" not in node.models.show(pulled.name).model_dump_json()
    assert "hush" not in pulled.model_dump_json()
    assert "hush" not in str(parse(f"{site.url}/x?signature=hush")) + repr(parse(f"{site.url}/x?signature=hush"))
    with pytest.raises(Invalid, match="password"):
        parse("https://me:hush@example.org/model.safetensors")


def test_an_assistant_cannot_reach_this_machine_through_a_reference(node: Node, site: Web) -> None:
    with using(Call(folders=())), pytest.raises(NotAuthorised, match="public internet"):
        node.models.pull(f"{site.url}/small.safetensors")


def test_offline_asks_nobody(node: Node, site: Web, cli: Callable[..., Any]) -> None:
    ran = cli("--offline", "model", "pull", f"{site.url}/small.safetensors", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (6, "offline")
    assert site.log == []


def test_without_an_entity_tag_a_download_that_broke_begins_anew(node: Node, site: Web) -> None:
    site.tags = False
    path = site.folder / "small.gguf"
    first, second = b"GGUF" + b"a" * 9000, b"GGUF" + b"b" * 9000
    path.write_bytes(first)
    site.faults.cuts, site.faults.cut_after_bytes = 1, 4000
    real = site.answer

    def changing(handler: Any) -> None:
        real(handler)
        if handler.command == "GET":
            path.write_bytes(second)

    site.answer = changing  # type: ignore[method-assign]
    pulled = node.models.pull(f"{site.url}/small.gguf")
    assert node.models.show(pulled.name).files[0].sha256 == hashlib.sha256(second).hexdigest()


def test_a_file_whose_end_nobody_tells_needs_a_digest(node: Node, site: Web) -> None:
    site.faults.unbounded = True
    with pytest.raises(VerificationFailed, match="how long") as raised:
        node.models.pull(f"{site.url}/small.safetensors")
    assert "--sha256" in str(raised.value.suggestion)
    assert node.models.pull(f"{site.url}/small.safetensors", sha256=SHA256).size_bytes == len(WEIGHTS)


def test_a_page_that_claims_to_be_weights_is_refused(node: Node, site: Web) -> None:
    for name, data in {"error.bin": b"\n<!DOCTYPE html><p>Sorry", "error.gguf": b"{'error': 1}"}.items():
        (site.folder / name).write_bytes(data)
        with pytest.raises(MalformedContent):
            node.models.pull(f"{site.url}/{name}")
    assert node.models.ls().models == []


def test_another_query_is_another_file(node: Node, site: Web) -> None:
    other = safetensors({"layer.weight": (256, 256)}, seed=1)
    site.tags = False
    real = site.answer

    def by_query(handler: Any) -> None:
        data = other if handler.path.endswith("?part=2") else WEIGHTS
        if "?part" in handler.path:
            return handler.send_file("part", data, {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"})
        return real(handler)

    site.answer = by_query  # type: ignore[method-assign]
    first, second = (node.models.pull(f"{site.url}/weights.safetensors?part={part}") for part in (1, 2))
    assert first.manifest_cid != second.manifest_cid
    with using(Call(offline=True)), pytest.raises(Offline):
        node.models.pull(f"{site.url}/weights.safetensors?part=1")


@pytest.mark.parametrize("text", ["{}/small.safetensors#sha256=", "{}/small.safetensors#size=", "{}/folder/"])
def test_what_states_nothing_is_not_taken_for_a_statement(node: Node, site: Web, text: str) -> None:
    with pytest.raises(Invalid):
        node.models.pull(text.format(site.url))


def test_a_host_name_that_cannot_be_is_invalid(node: Node) -> None:
    with pytest.raises(Invalid):
        node.models.pull(f"https://{'a' * 80}.org/model.zip")
    with using(Call(folders=())), pytest.raises(Unavailable):
        node.models.pull("https://nowhere.invalid/model.zip")


def test_a_server_that_says_of_a_head_that_it_is_empty_is_asked_for_the_file(node: Node, site: Web) -> None:
    real = site.answer

    def empty(handler: Any) -> None:
        return handler.reply(200, b"") if handler.command == "HEAD" else real(handler)

    site.answer = empty  # type: ignore[method-assign]
    assert node.models.pull(f"{site.url}/small.safetensors").size_bytes == len(WEIGHTS)


def test_a_password_goes_to_its_host_and_no_other(
    node: Node, site: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str | None]] = []

    def noting(place: Web) -> None:
        real = place.answer

        def answer(handler: Any) -> None:
            seen.append((place.url, handler.headers.get("authorization")))
            real(handler)

        place.answer = answer  # type: ignore[method-assign]

    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password hush\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with web(site.folder) as elsewhere:
        site.away = f"{elsewhere.url}/small.safetensors"
        noting(site)
        noting(elsewhere)
        pulled = node.models.pull(f"{site.url}/away", "weights")
    assert {bool(secret) for url, secret in seen if url == site.url} == {True}
    assert {bool(secret) for url, secret in seen if url != site.url} == {False}
    assert "hush" not in node.models.show(pulled.name).model_dump_json()
