"""Who is let in to the HTTP server."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.surfaces.mcp.guard import Guard, guard_for, is_loopback, read_token

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("host", ["localhost", "localhost:8765", "127.0.0.1:1", "[::1]:8765", "LOCALHOST:80"])
def test_loopback_names_are_let_in(host: str) -> None:
    assert Guard().refuses({"host": host}) is None


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example:8765"),
        *("localhost@evil.example", "evil.example#localhost", "[::1", "localhost,evil.example", "0.0.0.0:8765"),
    ],
)
def test_a_name_that_is_not_ours_is_misdirected(host: str) -> None:
    refusal = Guard().refuses({"host": host})
    assert refusal is not None
    assert refusal.status == 421
    assert refusal.problem()["code"] == "not-authorised"


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:6274", None),
        ("https://127.0.0.1", None),
        ("http://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://localhost,http://evil.example", 403),
    ],
)
def test_pages_of_other_origins_are_refused(origin: str, status: int | None) -> None:
    refusal = Guard().refuses({"host": "localhost:8765", "origin": origin})
    assert (refusal.status if refusal else None) == status


@pytest.mark.parametrize(
    ("authorization", "let_in"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (None, False),
        ("", False),
        ("Bearer", False),
        ("Bearer ", False),
        (f"Bearer {TOKEN[:-1]}", False),
        (f"Bearer {TOKEN}0", False),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer ä€", False),
        (f"Bearer {TOKEN},Bearer {TOKEN}", False),
    ],
)
def test_only_the_whole_token_opens(authorization: str | None, let_in: bool) -> None:
    headers = {"host": "localhost"} | ({"authorization": authorization} if authorization is not None else {})
    refusal = Guard(token=TOKEN).refuses(headers)
    assert (refusal is None) is let_in
    if refusal is not None:
        assert (refusal.status, refusal.challenge) == (401, True)
        assert TOKEN not in str(refusal.problem())


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("[::1]", True)),
        *(("0.0.0.0", False), ("::", False), ("192.168.1.4", False), ("example.org", False), ("", False)),
    ],
)
def test_what_others_can_reach_needs_a_token(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
    assert guard_for(host, TOKEN).token == TOKEN
    if loopback:
        named = f"[{host}]" if host == "::1" else host
        assert guard_for(host, None).refuses({"host": named}) is None
    else:
        with pytest.raises(Invalid, match="a token is needed"):
            guard_for(host, None)


def test_beyond_loopback_any_name_will_do_with_the_token_but_only_pages_of_that_name() -> None:
    guard = guard_for("0.0.0.0", TOKEN)
    known = {"host": "machine.lan:8765", "authorization": f"Bearer {TOKEN}"}
    assert guard.refuses(known) is None
    assert guard.refuses(known | {"origin": "http://machine.lan:8765"}) is None
    refusal = guard.refuses(known | {"origin": "http://evil.example"})
    assert refusal is not None
    assert refusal.status == 403


def test_names_that_are_listed_are_the_only_ones() -> None:
    guard = guard_for("0.0.0.0", TOKEN, ["Machine.lan"])
    known = {"authorization": f"Bearer {TOKEN}"}
    assert guard.refuses(known | {"host": "machine.LAN:1"}) is None
    assert guard.refuses(known | {"host": "other.lan"}) is not None


def token_file(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_token_comes_from_the_file_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_token(None) is None
    monkeypatch.setenv("IPFS_ACCEL_MCP_TOKEN", "f" * 32)
    assert read_token(None) == "f" * 32
    assert read_token(token_file(tmp_path / "token", TOKEN + "\n")) == TOKEN


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_token_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = token_file(tmp_path / "token", TOKEN, mode)
    with pytest.raises(Invalid, match="others can read") as caught:
        read_token(path)
    assert caught.value.suggestion == f"chmod 600 {path}"


@pytest.mark.parametrize("text", ["", "   ", "short", "with a space in the middle", "ä" * 20, "a\nb" * 10])
def test_a_weak_or_broken_token_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid, match="16 or more"):
        read_token(token_file(tmp_path / "token", text))


def test_a_token_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(Invalid, match="token file"):
            read_token(path)
